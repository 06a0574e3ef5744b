using System.Diagnostics;
using Microsoft.Playwright;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>
/// What open pages cost training: steps a second of a dataset that rehearses, alone and while fifty pages look, in turns ABAB. The silo has one core and
/// the browser another, in all turns, and the browser's core always computes something: two cores may be threads of one, which share what they compute with.
/// </summary>
internal static class PagesCost
{
    private const int Connections = 50;
    private const int AtOnce = 5;
    private const int SiloCore = 0;
    private const int BrowserCore = 1;

    private static readonly string[] Addresses =
        ["/", $"/watch/{PagesSuite.Dataset}/clusters", $"/watch/{PagesSuite.Dataset}/map", $"/watch/{PagesSuite.Dataset}/learning", "/silos"];

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);

    // Views read on for a minute after the last page was closed.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(75);

    /// <summary>Runs it.</summary>
    /// <param name="folder">The folder of a silo that has learned the dataset.</param>
    /// <param name="data">What the dataset holds.</param>
    /// <param name="request">How long, and how often.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(string folder, string data, PagesRequest request, FigureWriter figures)
    {
        if (Environment.ProcessorCount <= BrowserCore)
        {
            FigureWriter.Tell("pages.training_cost needs two cores, one of them for the browser.");
            return;
        }

        await PinAsync(BrowserCore);
        using Process other = Programs.Start("util-linux", "taskset", "--cpu-list", $"{BrowserCore}", "nice", "-n", "19", "sh", "-c", "while :; do :; done");
        try
        {
            await MeasureAsync(folder, data, request, figures);
        }
        finally
        {
            other.Kill();
        }
    }

    private static async Task MeasureAsync(string folder, string data, PagesRequest request, FigureWriter figures)
    {
        await using SiloProcess silo = await SiloProcess.StartPinnedAsync(folder, SiloCore, ["--log", "Warning"]);
        await using ShoalClient client = await silo.ConnectAsync();
        await client.ChangeDatasetAsync(PagesSuite.Dataset, new DatasetChange { IdleRehearsalSteps = 1_000_000 });
        await client.ResumeAsync(PagesSuite.Dataset);
        FigureWriter.Tell("waiting for rehearsal");
        while ((await client.StatusAsync(PagesSuite.Dataset)).Training.Activity is not "rehearsing")
        {
            await Task.Delay(200);
        }

        await Task.Delay(WarmUp);
        // What the silo sends is what counts. Ten maps drawn by software leave pages no time to answer it, and it takes them for gone.
        await using BenchBrowser browser = await BenchBrowser.StartAsync(silo.Http, "--renderer-process-limit=4", "--disable-3d-apis");
        Dictionary<string, object?> settings = new(StringComparer.Ordinal)
        {
            ["data"] = data,
            ["seconds"] = request.Seconds,
            ["turns"] = request.Turns,
            ["silo_core"] = SiloCore,
            ["browser_core"] = BrowserCore,
            ["pages"] = string.Join(' ', Addresses),
        };
        List<double> alone = [];
        List<double> watched = [];

        // What serves pages is compiled when the first of them are opened: no turn pays for it.
        await (await LookAsync(browser, Addresses.Length)).DisposeAsync();
        for (int turn = 1; turn <= request.Turns; turn++)
        {
            FigureWriter.Tell($"turn {turn} of {request.Turns}: until nothing is read for pages any more");
            await Task.Delay(Linger);
            alone.Add(await TrainAsync(silo, client, request, connections: 0, turn, settings, figures));
            FigureWriter.Tell($"turn {turn} of {request.Turns}: opening {Connections} pages");
            await using IBrowserContext context = await LookAsync(browser, Connections);
            watched.Add(await TrainAsync(silo, client, request, Connections, turn, settings, figures));
            await CheckAsync(context);
        }

        figures.Write(
            "pages.training_cost", 1 - (Percentiles.Median(watched) / Percentiles.Median(alone)), "fraction", request.Seed,
            new Dictionary<string, object?>(settings, StringComparer.Ordinal) { ["connections"] = Connections });
    }

    // Steps a second; and the cores that the silo uses beside learning, which a noisy machine disturbs less.
    private static async Task<double> TrainAsync(SiloProcess silo, ShoalClient client, PagesRequest request, int connections, int turn, Dictionary<string, object?> settings, FigureWriter figures)
    {
        (long stepsBefore, SiloCpu cpuBefore) = (await StepsAsync(client), SiloCpu.Of(silo.Id));
        var clock = Stopwatch.StartNew();
        await Task.Delay(TimeSpan.FromSeconds(request.Seconds));
        long steps = await StepsAsync(client) - stepsBefore;
        double took = clock.Elapsed.TotalSeconds;
        SiloCpu cpu = SiloCpu.Of(silo.Id) - cpuBefore;
        Dictionary<string, object?> of = new(settings, StringComparer.Ordinal) { ["connections"] = connections, ["turn"] = turn };
        figures.Write("pages.training_rate", steps / took, "steps/s", request.Seed, of);
        figures.Write("pages.silo_other_cores", (cpu.All - cpu.Compute) / took, "cores", request.Seed, of);
        return steps / took;
    }

    private static async Task<long> StepsAsync(ShoalClient client) => (await client.StatusAsync(PagesSuite.Dataset)).Training.Progress?.Steps ?? 0;

    // Opens pages, each with a circuit of its own.
    private static async Task<IBrowserContext> LookAsync(BenchBrowser browser, int pages)
    {
        IBrowserContext context = await browser.OpenAsync();
        for (int first = 0; first < pages; first += AtOnce)
        {
            await Task.WhenAll(Enumerable.Range(first, AtOnce).Select(async i =>
            {
                IPage page = await context.NewPageAsync();
                await page.GotoAsync(Addresses[i % Addresses.Length]);
                try
                {
                    await page.Locator("main h1").WaitForAsync();
                }
                catch (TimeoutException late)
                {
                    throw new InvalidOperationException($"{Addresses[i % Addresses.Length]}, page {i} of {pages}, was not live in time; it shows: {await page.InnerTextAsync("body")}", late);
                }
            }));
        }

        return context;
    }

    // Pages that lost their connection meanwhile, or failed, would have cost nothing.
    private static async Task CheckAsync(IBrowserContext context)
    {
        List<string> gone = [];
        foreach (IPage page in context.Pages)
        {
            string seen = await page.EvaluateAsync<string>(
                """
                () => document.querySelector('main h1') !== null && getComputedStyle(document.getElementById('components-reconnect-modal')).display === 'none'
                  ? ''
                  : `${location.pathname} (${document.body.innerText.slice(0, 300)})`
                """);
            if (seen.Length > 0)
            {
                gone.Add(seen);
            }
        }

        if (gone.Count > 0)
        {
            throw new InvalidOperationException($"{gone.Count} of {Connections} pages were not connected to the end, for example {gone[0]}");
        }
    }

    // This process, and what it starts from now on: the browser and its driver.
    private static async Task PinAsync(int core)
    {
        using Process taskset = Programs.Start("util-linux", "taskset", "--all-tasks", "--pid", "--cpu-list", $"{core}", $"{Environment.ProcessId}");
        await taskset.StandardOutput.ReadToEndAsync();
        await taskset.WaitForExitAsync();
        if (taskset.ExitCode != 0)
        {
            throw new InvalidOperationException($"taskset ended with {taskset.ExitCode}.");
        }
    }
}
