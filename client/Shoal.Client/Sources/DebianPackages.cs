using System.ComponentModel;
using System.Diagnostics;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Fetches Debian packages into the user's cache for what is no part of this project. Nothing is installed, nothing of them is run, and no rights are needed.</summary>
/// <param name="aptGet">What is called as <c>apt-get</c>.</param>
/// <param name="dpkgDeb">What is called as <c>dpkg-deb</c>.</param>
public sealed class DebianPackages(string aptGet = "apt-get", string dpkgDeb = "dpkg-deb")
{
    /// <summary>Fetches a package once, from where the machine's own apt has its packages, and unpacks it.</summary>
    /// <param name="package">Its name.</param>
    /// <param name="folder">The folder of the cache that it goes into, under <c>shoal</c>.</param>
    /// <param name="tell">Called with a sentence when something is fetched.</param>
    /// <param name="cancellationToken">Stops the fetching.</param>
    /// <returns>The folder that the package's files are below, as if it were the root.</returns>
    /// <exception cref="ShoalException">Unavailable (apt is missing or failed).</exception>
    public Task<string> FetchAsync(string package, string folder, Action<string> tell, CancellationToken cancellationToken = default) =>
        FetchIntoAsync(package, UserCache.Folder(folder), tell, cancellationToken);

    /// <summary>The same into any folder.</summary>
    /// <param name="package">Its name.</param>
    /// <param name="cache">The folder.</param>
    /// <param name="tell">Called with a sentence when something is fetched.</param>
    /// <param name="cancellationToken">Stops the fetching.</param>
    internal async Task<string> FetchIntoAsync(string package, string cache, Action<string> tell, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(tell);
        var whole = Path.Combine(cache, package);
        if (Directory.Exists(whole))
        {
            return whole;
        }

        tell($"fetching once: apt-get download {package} into {cache}");
        Directory.CreateDirectory(cache);

        // Of this process alone: what another left half done is not in the way.
        var work = Directory.CreateDirectory(Path.Combine(cache, $"part-{Environment.ProcessId}"));
        try
        {
            await DownloadAsync(package, work, cancellationToken);
            var deb = work.EnumerateFiles("*.deb").FirstOrDefault()
                ?? throw new ShoalException(ShoalErrorKind.Unavailable, $"apt-get downloaded no {package}.");
            var files = Path.Combine(work.FullName, "files");
            if (await RunAsync(dpkgDeb, ["-x", deb.FullName, files], work.FullName, cancellationToken) is { } broken)
            {
                throw new ShoalException(ShoalErrorKind.Unavailable, $"dpkg-deb could not unpack {package}: {broken}");
            }

            // In one step, so that what is there is whole.
            Directory.Move(files, whole);
        }
        finally
        {
            work.Delete(recursive: true);
        }

        return whole;
    }

    private async Task DownloadAsync(string package, DirectoryInfo work, CancellationToken cancellationToken)
    {
        // apt's own user may not read a home folder; without this it warns of what it then does anyway.
        string[] options = ["-q", "-o", "APT::Sandbox::User=root"];
        if (await RunAsync(aptGet, [.. options, "download", package], work.FullName, cancellationToken) is null)
        {
            return;
        }

        // A fresh machine or container has no lists of packages, or old ones, and only root may renew those. Ours are thrown away again.
        var (lists, cache) = (work.CreateSubdirectory("lists"), work.CreateSubdirectory("cache"));
        lists.CreateSubdirectory("partial");
        cache.CreateSubdirectory(Path.Combine("archives", "partial"));
        options = [.. options, "-o", $"Dir::State::Lists={lists.FullName}", "-o", $"Dir::Cache={cache.FullName}"];
        if ((await RunAsync(aptGet, [.. options, "update"], work.FullName, cancellationToken)
            ?? await RunAsync(aptGet, [.. options, "download", package], work.FullName, cancellationToken)) is { } reason)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, $"apt-get could not fetch {package}: {reason}");
        }
    }

    // What it said when it failed; null when it did not.
    private static async Task<string?> RunAsync(string program, IEnumerable<string> arguments, string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
            await output;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? null : $"{errors.Trim()} (exit code {process.ExitCode})";
        }
        catch (Win32Exception e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, $"{Path.GetFileName(program)} is missing: it comes with Debian and what descends from it.", e);
        }
    }
}
