using Microsoft.Playwright;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>What the pages are measured with.</summary>
/// <param name="Data">As <see cref="LabelledData.OpenAsync"/> takes it.</param>
/// <param name="Seed">The dataset's seed.</param>
/// <param name="Seconds">Seconds of each turn of training.</param>
/// <param name="Turns">Turns of training with, and without, pages.</param>
internal sealed record PagesRequest(string Data, int Seed, int Seconds, int Turns);

/// <summary>
/// The live pages of a real silo in a real browser: how soon they are there, how smoothly the map moves and what it sends, and what open pages cost training.
/// </summary>
internal static class PagesSuite
{
    /// <summary>The dataset that the pages show.</summary>
    public const string Dataset = "bench";

    private const int Items = 12_000;
    private const int WantedPoints = 10_000;
    private const int Loads = 9;
    private const int Drags = 6;
    private const int MovesADrag = 60;

    // The map reads again every 10 seconds: two readings fall into this time at least.
    private static readonly TimeSpan Still = TimeSpan.FromSeconds(25);

    /// <summary>Runs it.</summary>
    /// <param name="request">With what.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(PagesRequest request, FigureWriter figures)
    {
        LabelledData data = await LabelledData.OpenAsync(request.Data);
        await MachineSpeed.WriteAsync(figures);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("shoal-bench-pages-");
        try
        {
            await using (SiloProcess silo = await SiloProcess.StartAsync(folder.FullName, "--log", "Warning"))
            {
                await using ShoalClient client = await silo.ConnectAsync();
                await MachineSpeed.WriteRpcAsync(figures, client);
                await FillAsync(client, data, request.Seed);
                await using BenchBrowser browser = await BenchBrowser.StartAsync(silo.Http);
                await PaintAsync(browser, request.Seed, figures);
                await MapAsync(browser, data.Name, request.Seed, figures);
            }

            await PagesCost.RunAsync(folder.FullName, data.Name, request, figures);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task FillAsync(ShoalClient client, LabelledData data, int seed)
    {
        FigureWriter.Tell($"learning {Items:N0} items");
        await client.CreateDatasetAsync(Dataset, data.Settings with { Seed = seed, IdleRehearsalSteps = 0 });
        IEnumerable<ItemUpload> items = Enumerable.Range(0, Items).Select(i => data.Train[i % data.Train.Count].Upload with { Id = $"{i}/{data.Train[i % data.Train.Count].Upload.Id}" });
        await foreach (IngestResult _ in client.IngestAsync(Dataset, items.ToAsyncEnumerable()))
        {
            // Only that all of it is stored matters here.
        }

        while (await client.StatusAsync(Dataset) is { } status
            && (status.Training.Version is null || status.Training.Activity is not "idle" || status.Shards.Sum(shard => shard.Pending + shard.Stale) > 0))
        {
            await Task.Delay(500);
        }

        await client.PauseAsync(Dataset);
    }

    private static async Task PaintAsync(BenchBrowser browser, int seed, FigureWriter figures)
    {
        // The first page compiles what serves it; a person's first look is counted by itself.
        (double firstPaint, double firstLive) = await LoadAsync(browser);
        List<double> paints = [];
        List<double> lives = [];
        for (int i = 0; i < Loads; i++)
        {
            (double paint, double live) = await LoadAsync(browser);
            paints.Add(paint);
            lives.Add(live);
        }

        Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["page"] = "/", ["loads"] = Loads, ["cache"] = "cold", ["browser"] = browser.Version };
        figures.Write("pages.very_first_paint_s", firstPaint, "s", seed, settings);
        figures.Write("pages.very_first_live_s", firstLive, "s", seed, settings);
        figures.Write("pages.first_paint_s", Percentiles.Median(paints), "s", seed, settings);
        figures.Write("pages.first_paint_worst_s", paints.Max(), "s", seed, settings);
        figures.Write("pages.live_s", Percentiles.Median(lives), "s", seed, settings);
    }

    // By the browser's own clock: seconds from the navigation to the first contentful paint, and until the circuit has brought what was read.
    private static async Task<(double Paint, double Live)> LoadAsync(BenchBrowser browser)
    {
        await using IBrowserContext context = await browser.OpenAsync();
        IPage page = await context.NewPageAsync();
        await page.AddInitScriptAsync(
            """
            window.shoalPaint = new Promise(done => new PerformanceObserver(list => {
              const entry = list.getEntriesByName('first-contentful-paint')[0];
              if (entry) done(entry.startTime);
            }).observe({ type: 'paint', buffered: true }));
            window.shoalLive = new Promise(done => new MutationObserver((_, observer) => {
              if (document.querySelector('main section[aria-label^=Dataset]')) {
                observer.disconnect();
                done(performance.now());
              }
            }).observe(document, { childList: true, subtree: true }));
            """);
        await page.GotoAsync("/");
        double[] milliseconds = await page.EvaluateAsync<double[]>("() => Promise.all([window.shoalPaint, window.shoalLive])");
        return (milliseconds[0] / 1_000, milliseconds[1] / 1_000);
    }

    private static async Task MapAsync(BenchBrowser browser, string data, int seed, FigureWriter figures)
    {
        await using IBrowserContext context = await browser.OpenAsync();
        IPage page = await context.NewPageAsync();
        var scale = new MessageScale(page);
        await page.GotoAsync($"/watch/{Dataset}/map");
        await page.Locator(".js-plotly-plot .legendtext").First.WaitForAsync();
        int points = await page.EvaluateAsync<int>(
            "() => document.querySelector('.js-plotly-plot').data.filter(trace => trace.type === 'scattergl').reduce((all, trace) => all + trace.x.length, 0)");
        Dictionary<string, object?> settings = new(StringComparer.Ordinal)
        {
            ["data"] = data,
            ["items"] = Items,
            ["points"] = points,
            ["webgl"] = await RendererAsync(page),
            ["browser"] = browser.Version,
        };
        figures.Write("pages.map_points", points, "points", seed, settings);
        if (points < WantedPoints)
        {
            FigureWriter.Tell($"The map shows {points:N0} points and not {WantedPoints:N0}.");
        }

        (long all, int largest) = scale.Take();
        figures.Write("pages.map_open_bytes", all, "bytes", seed, settings);
        figures.Write("pages.map_largest_message_bytes", largest, "bytes", seed, settings);

        double[] frames = await DragAsync(page);
        Dictionary<string, object?> dragged = new(settings, StringComparer.Ordinal) { ["frames"] = frames.Length, ["drags"] = Drags };
        figures.Write("pages.map_frame_p50_ms", Percentiles.Median(frames), "ms", seed, dragged);
        figures.Write("pages.map_frame_p95_ms", Percentiles.Of(frames, 0.95), "ms", seed, dragged);

        scale.Take();
        await Task.Delay(Still);
        figures.Write("pages.map_still_bytes", scale.Take().All / Still.TotalSeconds, "bytes/s", seed, new Dictionary<string, object?>(settings, StringComparer.Ordinal) { ["seconds"] = Still.TotalSeconds });
    }

    // Which library draws: without a graphics card one that computes.
    private static Task<string> RendererAsync(IPage page) => page.EvaluateAsync<string>(
        """
        () => {
          const gl = document.createElement('canvas').getContext('webgl');
          const names = gl && gl.getExtension('WEBGL_debug_renderer_info');
          return names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : 'none';
        }
        """);

    // The milliseconds of each frame while the map is dragged about with the mouse.
    private static async Task<double[]> DragAsync(IPage page)
    {
        LocatorBoundingBoxResult box = await page.Locator(".js-plotly-plot .nsewdrag").First.BoundingBoxAsync() ?? throw new InvalidOperationException("The map is not shown.");
        (float x, float y) = (box.X + (box.Width / 2), box.Y + (box.Height / 2));
        float radius = Math.Min(box.Width, box.Height) / 3;
        List<double> frames = [];
        for (int drag = 0; drag < Drags; drag++)
        {
            double[] range = await RangeAsync(page);
            await page.Mouse.MoveAsync(x, y);
            await page.Mouse.DownAsync();
            await page.EvaluateAsync(
                """
                () => {
                  const frames = window.shoalFrames = [];
                  const tick = now => {
                    if (window.shoalFrames === frames) {
                      frames.push(now);
                      requestAnimationFrame(tick);
                    }
                  };
                  requestAnimationFrame(tick);
                }
                """);
            for (int move = 1; move <= MovesADrag; move++)
            {
                double angle = 2 * Math.PI * move / MovesADrag;
                await page.Mouse.MoveAsync(x + (float)(radius * Math.Sin(angle)), y + (float)(radius * (1 - Math.Cos(angle)) * (drag % 2 == 0 ? 0.5 : -0.5)));
                if (move == MovesADrag / 4 && (await RangeAsync(page)).SequenceEqual(range))
                {
                    throw new InvalidOperationException("The map does not move with the mouse.");
                }
            }

            double[] moments = await page.EvaluateAsync<double[]>("() => { const frames = window.shoalFrames; window.shoalFrames = null; return frames; }");
            await page.Mouse.UpAsync();
            frames.AddRange(Percentiles.Between(moments));
        }

        return [.. frames];
    }

    private static Task<double[]> RangeAsync(IPage page) => page.EvaluateAsync<double[]>("() => Array.from(document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range)");
}
