using Microsoft.Playwright;

namespace Shoal.Browser.Tests;

/// <summary>A window of a browser of its own, which keeps what no page should do: errors on its console, and requests to other hosts.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _faults = [];

    private Visit(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    /// <summary>The window.</summary>
    public IPage Page { get; }

    /// <summary>Opens a window.</summary>
    /// <param name="browser">The browser.</param>
    /// <param name="origin">The silo, <c>http://127.0.0.1:1</c>.</param>
    /// <param name="scheme">Light or dark.</param>
    /// <param name="width">Its width in pixels.</param>
    public static async Task<Visit> BeginAsync(IBrowser browser, string origin, ColorScheme scheme = ColorScheme.Light, int width = 1_280)
    {
        IBrowserContext context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = origin,
            ColorScheme = scheme,
            ViewportSize = new ViewportSize
            {
                Width = width,
                Height = 844,
            },
        });
        context.SetDefaultTimeout(PagesFixture.Patience);
        var visit = new Visit(context, await context.NewPageAsync());
        visit.Page.Console += (_, message) =>
        {
            if (message.Type is "error")
            {
                visit.Fault(message.Text);
            }
        };
        visit.Page.PageError += (_, error) => visit.Fault(error);
        visit.Page.Request += (_, request) =>
        {
            var address = new Uri(request.Url);
            if (address.Scheme is not ("data" or "blob") && !request.Url.StartsWith(origin + "/", StringComparison.Ordinal))
            {
                visit.Fault($"It asked {request.Url}.");
            }
        };
        return visit;
    }

    /// <summary>Goes to a page and waits until it shows what it read.</summary>
    /// <param name="address">Its address.</param>
    public async Task GoAsync(string address)
    {
        await Page.GotoAsync(address);
        await Page.Locator("h1").WaitForAsync();
        await Assertions.Expect(Page.Locator(".shoal-loading")).ToHaveCountAsync(0);
        await Page.EvaluateAsync("() => document.fonts.ready");
    }

    /// <summary>Fails where a page did what none should.</summary>
    public void AssertClean()
    {
        lock (_faults)
        {
            Assert.Empty(_faults);
        }
    }

    public ValueTask DisposeAsync() => new(_context.CloseAsync());

    private void Fault(string fault)
    {
        lock (_faults)
        {
            _faults.Add(fault);
        }
    }
}
