using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>What became of one ingested item.</summary>
/// <param name="Id">The item's id.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Shard">The shard that owns it; -1 when its id is invalid.</param>
/// <param name="Sequence">Its sequence number in its shard; -1 when it was not stored.</param>
/// <param name="Reason">Why it was not stored, and what to do; null when it was.</param>
public readonly record struct IngestResult(string Id, IngestOutcome Outcome, int Shard, long Sequence, string? Reason)
{
    /// <summary>Whether the item is durable now.</summary>
    public bool IsStored => Outcome is IngestOutcome.Accepted or IngestOutcome.AlreadyKnown or IngestOutcome.Replaced;
}

/// <summary>How items are grouped on their way to the shards.</summary>
public sealed record IngestOptions
{
    /// <summary>The most items in a batch, 1 to 4,096.</summary>
    /// <value>Default 256: a call's fixed cost is spread thin, and a repeated batch costs little.</value>
    public int BatchItems { get; init; } = 256;

    /// <summary>Bytes after which a batch is sent, 1 KiB to 32 MiB.</summary>
    /// <value>Default 4 MiB: far below the transport's limit of 100 MB even when one more item of 64 MiB is added.</value>
    public int BatchBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes held for all shards together before batches that are not full are sent too, 1 KiB to 1 GiB.</summary>
    /// <value>Default 32 MiB: two full batches for each batch that may be in flight would be more than a small producer has.</value>
    public long GatherBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Batches in flight, 1 to 64.</summary>
    /// <value>Default 8: enough to hide a storage sync of some milliseconds at 10,000 items a second.</value>
    public int InFlight { get; init; } = 8;

    /// <summary>For how long a waiting item is held back while the source has no next one, 0 to 10 s.</summary>
    /// <value>Default 20 ms: below what a person notices, above the gap between two reads of a busy connection.</value>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Throws one exception that names every option out of range.</summary>
    /// <exception cref="ShoalException">Invalid.</exception>
    public void Validate()
    {
        var problems = new List<string>();
        Between(nameof(BatchItems), BatchItems, 1, 4_096);
        Between(nameof(BatchBytes), BatchBytes, 1_024, 32 * 1024 * 1024);
        Between(nameof(GatherBytes), GatherBytes, 1_024, 1024 * 1024 * 1024);
        Between(nameof(InFlight), InFlight, 1, 64);
        Between("Linger in milliseconds", Linger.TotalMilliseconds, 0, 10_000);
        if (problems.Count > 0)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems));
        }

        void Between(string name, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
            {
                problems.Add($"{name} is {value:N0}; must be {least:N0} to {most:N0}.");
            }
        }
    }
}
