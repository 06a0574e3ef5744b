using System.Diagnostics;
using System.Globalization;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>What a run of load came to.</summary>
/// <param name="Items">Items that were sent and answered.</param>
/// <param name="ItemsPerSecond">The same a second.</param>
/// <param name="P99">The 99th percentile of the time from a request to its answer.</param>
internal sealed record LoadResult(long Items, double ItemsPerSecond, TimeSpan P99);

/// <summary>
/// Sends items over HTTP with wrk, which takes as little of the machine as <c>redis-benchmark</c> does: a client in .NET takes as much as the silo.
/// </summary>
/// <param name="silo">Where the silo listens.</param>
/// <param name="dataset">The dataset.</param>
/// <param name="bytes">Bytes of an item.</param>
internal sealed class HttpLoad(Uri silo, string dataset, int bytes)
{
    private const int RangeOfARun = 10_000_000;

    private int _runs;

    /// <summary>Sends items for a while, as fast as they are taken.</summary>
    /// <param name="connections">Connections, each with one request under way.</param>
    /// <param name="batch">Items a request; with 1 each is put singly.</param>
    /// <param name="duration">For how long.</param>
    /// <exception cref="InvalidOperationException">wrk is not installed, or a request failed.</exception>
    public async Task<LoadResult> SendAsync(int connections, int batch, TimeSpan duration)
    {
        string[] arguments =
        [
            "--threads", "1", "--connections", $"{connections}", "--duration", $"{duration.TotalSeconds:F0}s", "--timeout", "60s",
            "--script", Path.Combine(AppContext.BaseDirectory, "Load", "items.lua"), silo.ToString(),
            dataset, $"{_runs++ * RangeOfARun}", $"{bytes}", $"{batch}",
        ];
        using Process wrk = Programs.Start("wrk", "wrk", arguments);
        string output = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();
        if (wrk.ExitCode != 0 || output.Split('\n', StringSplitOptions.RemoveEmptyEntries) is not [.., var last]
            || last.Split(' ') is not [var requests, var microseconds, var failures, var p99])
        {
            throw new InvalidOperationException($"wrk {string.Join(' ', arguments)} ended with {wrk.ExitCode}: {output}");
        }

        if (failures is not "0")
        {
            throw new InvalidOperationException($"{failures} of {requests} requests failed: {output}");
        }

        double items = Number(requests) * batch;
        return new LoadResult((long)items, items / Number(microseconds) * 1e6, TimeSpan.FromMicroseconds(Number(p99)));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
