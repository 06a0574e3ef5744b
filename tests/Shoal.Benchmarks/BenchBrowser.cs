using System.Collections.Concurrent;
using Microsoft.Playwright;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>A headless Chromium that looks at a silo's pages.</summary>
internal sealed class BenchBrowser : IAsyncDisposable
{
    // Fifty pages load on one slow core.
    private const float Patience = 180_000;

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly string _origin;

    private BenchBrowser(IPlaywright playwright, IBrowser browser, string origin) => (_playwright, _browser, _origin) = (playwright, browser, origin);

    /// <summary>Its version.</summary>
    public string Version => _browser.Version;

    /// <summary>Starts it.</summary>
    /// <param name="silo">Where the silo listens.</param>
    /// <param name="arguments">More arguments for its command line.</param>
    /// <exception cref="ShoalException">Invalid: there is no Chromium here.</exception>
    public static async Task<BenchBrowser> StartAsync(Uri silo, params string[] arguments)
    {
        string path = Chromium.Find() ?? throw new ShoalException(ShoalErrorKind.Invalid, Chromium.Missing);
        IPlaywright playwright = await Playwright.CreateAsync();
        IBrowser browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            Args = [.. Chromium.Arguments, .. arguments],
        });
        return new BenchBrowser(playwright, browser, silo.GetLeftPart(UriPartial.Authority));
    }

    /// <summary>Opens a window that has nothing in its cache yet.</summary>
    public async Task<IBrowserContext> OpenAsync()
    {
        IBrowserContext context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = _origin,
            ViewportSize = new ViewportSize
            {
                Width = 1_280,
                Height = 844,
            },
        });
        context.SetDefaultTimeout(Patience);
        return context;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}

/// <summary>Weighs what a page's connection brings: messages as the page reads them, before the socket's compression.</summary>
internal sealed class MessageScale
{
    private ConcurrentQueue<int> _sizes = new();

    /// <summary>Begins to weigh; before the page connects.</summary>
    /// <param name="page">The page.</param>
    public MessageScale(IPage page) => page.WebSocket += (_, socket) => socket.FrameReceived += (_, frame) => _sizes.Enqueue(frame.Binary?.Length ?? frame.Text?.Length ?? 0);

    /// <summary>Bytes in all, and in the largest message, since it was last asked.</summary>
    public (long All, int Largest) Take()
    {
        int[] sizes = [.. Interlocked.Exchange(ref _sizes, new ConcurrentQueue<int>())];
        return (sizes.Sum(size => (long)size), sizes.DefaultIfEmpty().Max());
    }
}
