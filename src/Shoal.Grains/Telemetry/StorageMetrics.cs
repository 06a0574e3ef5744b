using System.Diagnostics;
using System.Diagnostics.Metrics;
using Shoal.Storage;

namespace Shoal.Grains.Telemetry;

/// <summary>What this silo says of its store.</summary>
internal sealed class StorageMetrics
{
    private const string Operation = "operation";
    private const string Outcome = "outcome";
    private const string Done = "done";

    private readonly Histogram<double> _duration;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meters">Where meters come from.</param>
    public StorageMetrics(IMeterFactory meters) =>
        _duration = Durations.Of(meters.Create(DatasetGauge.Meter), "shoal.storage.duration", "Time of operations of the store, by what came of them");

    /// <summary>Times an operation.</summary>
    /// <param name="operation">Its name.</param>
    /// <param name="run">The operation.</param>
    public async Task<T> TimeAsync<T>(string operation, Func<Task<T>> run)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            T result = await run();
            Record(operation, Done, started);
            return result;
        }
        catch (StorageUnavailableException)
        {
            Record(operation, "unavailable", started);
            throw;
        }
        catch (StorageException)
        {
            // Who swaps or appends must reckon with it: no fault of the store.
            Record(operation, "refused", started);
            throw;
        }
    }

    private void Record(string operation, string outcome, long started) => _duration.Record(
        Stopwatch.GetElapsedTime(started).TotalSeconds, KeyValuePair.Create<string, object?>(Operation, operation), KeyValuePair.Create<string, object?>(Outcome, outcome));
}
