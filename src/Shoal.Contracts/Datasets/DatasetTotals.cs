namespace Shoal.Contracts;

/// <summary>A dataset's shards added up.</summary>
/// <param name="Items">Items that are not deleted or replaced.</param>
/// <param name="Pending">Items waiting for their first assignment.</param>
/// <param name="Assigned">Items in a cluster.</param>
/// <param name="Outliers">Items that fit no cluster.</param>
/// <param name="Quarantined">Items that cannot be decoded.</param>
/// <param name="Stale">Items whose assignment is older than the published version.</param>
/// <param name="TrainingLag">Acknowledged positions that training has not reached.</param>
/// <param name="LogBytes">Bytes in the logs.</param>
public sealed record DatasetTotals(
    long Items, long Pending, long Assigned, long Outliers, long Quarantined, long Stale, long TrainingLag, long LogBytes)
{
    /// <summary>Adds up a dataset.</summary>
    /// <param name="status">The dataset.</param>
    public static DatasetTotals Of(DatasetStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        Dictionary<int, long> trained = status.Training.Cursors.ToDictionary(cursor => cursor.Shard, cursor => cursor.Next);
        return new DatasetTotals(
            status.Shards.Sum(shard => shard.Items),
            status.Shards.Sum(shard => shard.Pending),
            status.Shards.Sum(shard => shard.Assigned),
            status.Shards.Sum(shard => shard.Outliers),
            status.Shards.Sum(shard => shard.Quarantined),
            status.Shards.Sum(shard => shard.Stale),

            // Cursors and ends are read at different moments, so a cursor may be ahead of an end.
            status.Shards.Sum(shard => Math.Max(0, shard.End - trained.GetValueOrDefault(shard.Shard))),
            status.Shards.Sum(shard => shard.LogBytes));
    }
}
