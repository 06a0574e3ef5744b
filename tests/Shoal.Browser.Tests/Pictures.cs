using Microsoft.Playwright;

namespace Shoal.Browser.Tests;

/// <summary>Keeps pictures of pages: in <c>artifacts/pictures</c>, or in the folder that <c>SHOAL_SCREENSHOTS</c> names, from which the docs show them.</summary>
internal static class Pictures
{
    // A relative path begins at the repository, four folders above this assembly's.
    private static readonly string Folder = Path.GetFullPath(
        Environment.GetEnvironmentVariable("SHOAL_SCREENSHOTS") is { Length: > 0 } named ? named : "artifacts/pictures",
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../..")));

    /// <summary>Takes one of what a window shows.</summary>
    /// <param name="visit">The window.</param>
    /// <param name="name">The file's name, without its ending.</param>
    public static async Task TakeAsync(Visit visit, string name)
    {
        // A notice that appeared a moment ago is not painted yet.
        await visit.Page.EvaluateAsync("() => new Promise(painted => requestAnimationFrame(() => requestAnimationFrame(painted)))");
        string path = Path.Combine(Folder, name + ".png");
        await visit.Page.ScreenshotAsync(new PageScreenshotOptions
        {
            Path = path,
            Animations = ScreenshotAnimations.Disabled,
        });
        Assert.True(new FileInfo(path).Length > 1_000, $"{path} is empty.");
    }
}
