namespace Shoal.TestKit;

/// <summary>Finds the browser that is installed on this machine; none is downloaded.</summary>
public static class Chromium
{
    /// <summary>The variable that names another browser than the first one on the PATH.</summary>
    private const string Variable = "SHOAL_CHROMIUM";

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    /// <summary>Why tests are skipped, and measurements refused, where there is none.</summary>
    public const string Missing = $"No Chromium is here: as root, apt-get install chromium (infra/prerequisites.sh browser does it), or set {Variable} to its path.";

    /// <summary>What it is started with: WebGL, by which the map is drawn, without a graphics card.</summary>
    public static IReadOnlyList<string> Arguments { get; } = ["--enable-unsafe-swiftshader"];

    /// <summary>Its path; null where there is none.</summary>
    /// <exception cref="InvalidOperationException">The variable names no file.</exception>
    public static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return File.Exists(named) ? named : throw new InvalidOperationException($"{Variable} is '{named}', which is no file.");
        }

        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
