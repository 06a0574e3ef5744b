using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>What is trained on next.</summary>
/// <param name="Samples">Decoded; null when there are none.</param>
/// <param name="Read">Keys of these, and of items that were passed over because they cannot be decoded.</param>
internal sealed record FreshBatch(SampleBatch? Samples, IReadOnlyList<SampleKey> Read)
{
    /// <summary>Nothing has come.</summary>
    public static readonly FreshBatch Empty = new(null, []);
}

/// <summary>Joins what a reader decodes into batches, one of them ahead: the compute thread must not wait for the next.</summary>
/// <remarks>Used by one seat, a call at a time.</remarks>
/// <param name="reader">Where samples come from.</param>
/// <param name="shape">Their shape.</param>
/// <param name="size">Samples of a full batch.</param>
/// <param name="time">The clock.</param>
/// <param name="strict">Whether a batch is full as long as there are samples, however long they take, so that batches are always the same.</param>
internal sealed class BatchReader(SampleReader reader, SampleShape shape, int size, TimeProvider time, bool strict) : IAsyncDisposable
{
    // A step waits this long for a full batch of fresh samples before it takes what is there: at 300 items/s a batch
    // of 96 fills in 0.3 s.
    private static readonly TimeSpan FillTime = TimeSpan.FromSeconds(1);

    // Whether there is nothing to come is looked at so often.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly Task<FreshBatch> Nothing = Task.FromResult(FreshBatch.Empty);

    private Task<FreshBatch> _ahead = Nothing;

    /// <summary>Whether nothing is left to take, as far as is known.</summary>
    public bool IsDrained => reader.IsDrained && _ahead is { IsCompletedSuccessfully: true, Result.Samples: null };

    /// <summary>What went wrong last; null while reading works.</summary>
    public string? Problem => reader.Problem;

    /// <summary>Takes what was skipped before some positions.</summary>
    /// <param name="next">Where a shard is trained next.</param>
    public SkippedRange[] TakeSkipped(Func<int, long> next) => reader.TakeSkipped(next);

    /// <summary>Looks for new items now.</summary>
    /// <param name="hint">The hint that came.</param>
    public void Wake(ArrivalHint hint) => reader.Wake(hint);

    /// <summary>Where a shard's log ends, as far as was heard; 0 before anything was.</summary>
    /// <param name="shard">The shard's number.</param>
    public long End(int shard) => reader.End(shard);

    /// <summary>Waits until a sample can be taken.</summary>
    /// <param name="atMost">For how long.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => reader.WaitAsync(atMost, cancellationToken);

    /// <summary>Begins to gather the next batch beside other work.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public void BeginNext(CancellationToken cancellationToken) => _ahead = GatherAsync(cancellationToken);

    /// <summary>Takes a full batch, or what has come within the fill time.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<FreshBatch> TakeAsync(CancellationToken cancellationToken)
    {
        FreshBatch batch = await _ahead;
        _ahead = Nothing;
        // What was gathered ahead may be older than what has come since.
        return batch == FreshBatch.Empty ? await GatherAsync(cancellationToken) : batch;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ((Task)_ahead).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await reader.DisposeAsync();
    }

    private async Task<FreshBatch> GatherAsync(CancellationToken cancellationToken)
    {
        var pixels = new byte[size * shape.Size];
        var keys = new List<SampleKey>(size);
        var read = new List<SampleKey>(size);
        var started = time.GetTimestamp();
        // Items that cannot be decoded count, too: a stream of nothing else must still move the cursors.
        while (read.Count < size)
        {
            if (reader.TryTake(out SampleReader.DecodedSample sample))
            {
                read.Add(sample.Key);
                if (sample.Pixels is not null)
                {
                    sample.Pixels.CopyTo(pixels, keys.Count * shape.Size);
                    keys.Add(sample.Key);
                }

                continue;
            }

            TimeSpan left = FillTime - time.GetElapsedTime(started);
            // With nothing in hand and nothing to come, idle time begins at once.
            if (strict ? reader.IsDrained : left <= TimeSpan.Zero || (keys.Count == 0 && reader.IsDrained))
            {
                break;
            }

            await reader.WaitAsync(strict || keys.Count == 0 ? Look : left, cancellationToken);
        }

        return read.Count == 0
            ? FreshBatch.Empty
            : new FreshBatch(keys.Count == 0 ? null : new SampleBatch(shape, keys.Count == size ? pixels : pixels[..(keys.Count * shape.Size)], [.. keys]), read);
    }
}
