using System.Globalization;
using Microsoft.Playwright;
using Shoal.Browser.Tests;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

[assembly: AssemblyFixture(typeof(PagesFixture))]

namespace Shoal.Browser.Tests;

/// <summary>One silo and one browser for all tests. Between them is a proxy that can break their connection.</summary>
public sealed class PagesFixture : IAsyncLifetime
{
    /// <summary>The dataset that is made by the pages, as a person would.</summary>
    public const string Dataset = "shapes";

    /// <summary>Milliseconds that something is waited for: a machine that learns, draws without a graphics card and runs other tests takes its time.</summary>
    internal const float Patience = 120_000;

    private const int OfEach = 60;

    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-pages-").FullName;
    private readonly Lock _lock = new();
    private Task? _story;
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;
    private SiloProcess _silo = null!;
    private FaultProxy _proxy = null!;

    /// <summary>Where the pages are.</summary>
    public string Origin => $"http://127.0.0.1:{_proxy.Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Where the silo's gateway is.</summary>
    public string Gateway => _silo.Gateway;

    /// <summary>The SDK, to see whether pages say the same.</summary>
    public ShoalClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (Chromium.Find() is not { } path)
        {
            return;
        }

        _silo = await SiloProcess.StartAsync(Path.Combine(_folder, "silo"), "--dashboard");
        _proxy = new FaultProxy(_silo.Http.Port);
        Client = await _silo.ConnectAsync();
        _playwright = await Playwright.CreateAsync();

        Assertions.SetDefaultExpectTimeout(Patience);
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            Args = Chromium.Arguments,
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
            _playwright.Dispose();
            await Client.DisposeAsync();
            await _proxy.DisposeAsync();
            await _silo.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Opens a window on a silo that has a dataset with clusters; the test is skipped where there is no browser.</summary>
    internal async Task<Visit> VisitAsync(ColorScheme scheme = ColorScheme.Light, int width = 1_280)
    {
        Assert.SkipWhen(_browser is null, Chromium.Missing);
        await StoryAsync();
        return await Visit.BeginAsync(_browser, Origin, scheme, width);
    }

    /// <summary>Opens a window on the silo, whatever it has; the test is skipped where there is no browser.</summary>
    internal Task<Visit> OpenAsync()
    {
        Assert.SkipWhen(_browser is null, Chromium.Missing);
        return Visit.BeginAsync(_browser, Origin);
    }

    /// <summary>Opens a window on another silo; the test is skipped where there is no browser.</summary>
    /// <param name="origin">Where its pages are.</param>
    internal Task<Visit> OpenAsync(Uri origin)
    {
        Assert.SkipWhen(_browser is null, Chromium.Missing);
        return Visit.BeginAsync(_browser, origin.GetLeftPart(UriPartial.Authority));
    }

    /// <summary>Breaks all connections of browsers to the silo, or lets them through again.</summary>
    internal void Break(bool broken) => _proxy.Fault = broken ? Fault.Away : Fault.None;

    private Task StoryAsync()
    {
        lock (_lock)
        {
            return _story ??= TellAsync();
        }
    }

    // Once for all tests: a silo without datasets, a dataset by the form, files dropped on it, clusters.
    private async Task TellAsync()
    {
        await using Visit visit = await Visit.BeginAsync(_browser, Origin);
        IPage page = visit.Page;
        await visit.GoAsync("/");
        await page.GetByText("There are no datasets yet").WaitForAsync();
        await Pictures.TakeAsync(visit, "empty");

        await page.GetByLabel("Name").FillAsync(Dataset);
        await page.GetByLabel("Clusters at most").FillAsync("4");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Create" }).ClickAsync();
        ILocator tile = page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = $"Dataset {Dataset}" });
        await tile.WaitForAsync();
        Assert.Equal(4, (await Client.SettingsAsync(Dataset)).Clusters);

        // Little is learned, and soon: the first version of so few items comes when there is nothing more to learn from.
        await Client.ChangeDatasetAsync(Dataset, new DatasetChange
        {
            RoundSeconds = 1,
            IdleRehearsalSteps = 20,
        });
        string[] files = Shapes.Write(_folder, OfEach);
        await DropAsync(page, tile.Locator(".shoal-drop"), files);
        await tile.GetByText($"{files.Length} of {files.Length} files, {files.Length} items stored").WaitForAsync();
        await Pictures.TakeAsync(visit, "dropped");

        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Clusters" }).ClickAsync();
        await Assertions.Expect(page.Locator(".shoal-title").First).ToBeVisibleAsync();
        visit.AssertClean();
    }

    // As a file manager does it: the browser itself makes the event, with files of this machine.
    private static async Task DropAsync(IPage page, ILocator target, string[] files)
    {
        LocatorBoundingBoxResult box = await target.BoundingBoxAsync() ?? throw new InvalidOperationException("The place for files is not shown.");
        ICDPSession session = await page.Context.NewCDPSessionAsync(page);
        foreach (string kind in new[] { "dragEnter", "dragOver", "drop" })
        {
            await session.SendAsync("Input.dispatchDragEvent", new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["type"] = kind,
                ["x"] = box.X + (box.Width / 2),
                ["y"] = box.Y + (box.Height / 2),
                ["data"] = new
                {
                    items = Array.Empty<object>(),
                    files,
                    dragOperationsMask = 1,
                },
            });
        }
    }
}
