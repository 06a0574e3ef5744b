namespace Shoal.Benchmarks;

/// <summary>What a run of load came to.</summary>
/// <param name="Items">Items that were sent and answered.</param>
/// <param name="ItemsPerSecond">The same a second.</param>
/// <param name="P99">The 99th percentile of the time from a request to its answer.</param>
internal sealed record LoadResult(long Items, double ItemsPerSecond, TimeSpan P99);

/// <summary>Sends items over HTTP.</summary>
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
        WrkResult run = await Wrk.RunAsync(silo, "items.lua", connections, duration, dataset, $"{_runs++ * RangeOfARun}", $"{bytes}", $"{batch}");
        double items = run.Requests * batch;
        return new LoadResult((long)items, items / run.Time.TotalSeconds, run.P99);
    }
}
