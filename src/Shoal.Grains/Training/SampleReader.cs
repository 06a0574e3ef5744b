using System.Collections.Concurrent;
using System.Threading.Channels;
using Shoal.Contracts;
using Shoal.Grains.Hosting;
using Shoal.Learning;
using Shoal.Media;

namespace Shoal.Grains.Training;

/// <summary>Reads a seat's shards from their cursors and decodes ahead of training.</summary>
/// <remarks>
/// Runs on the thread pool. Of the shards that have more, the one that has been read least far comes next: so where reading goes on
/// follows from the cursors alone, also after a crash, and shards are read evenly. An item that cannot be decoded is passed over, since its shard quarantines it.
/// </remarks>
internal sealed class SampleReader : IAsyncDisposable
{
    private const int SliceItems = 32;
    private const int SliceBytes = 4 * 1024 * 1024;

    // Opening a damaged log reads all of it in vain.
    private static readonly TimeSpan DamagedPause = TimeSpan.FromSeconds(10);

    private readonly Channel<DecodedSample> _decoded;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly IGrainFactory _grains;
    private readonly string _dataset;
    private readonly ISampleDecoder _decoder;
    private readonly TimeSpan _poll;
    private readonly TimeProvider _time;
    private readonly bool _strict;
    private readonly long _maxLag;

    // In the order in which they were skipped.
    private readonly ConcurrentQueue<SkippedRange> _skipped = new();

    // Where each shard's log ends, as far as was heard.
    private readonly ConcurrentDictionary<int, long> _ends;
    private volatile string? _problem;
    private readonly Task _running;

    /// <summary>Begins reading, at most so many samples ahead: decoding is far faster than training, so more than two steps' worth would only be memory.</summary>
    /// <param name="services">The cluster, the clock, and how often to look.</param>
    /// <param name="dataset">The dataset.</param>
    /// <param name="decoder">Makes samples of items.</param>
    /// <param name="cursors">Where to begin.</param>
    /// <param name="ahead">The most samples decoded ahead.</param>
    /// <param name="strict">Whether a shard that is away holds the others, so that the order of samples is always the same.</param>
    /// <param name="maxLag">Items of a shard that reading may lag behind before it reads a sample of them; 0 never.</param>
    public SampleReader(TrainerServices services, string dataset, ISampleDecoder decoder, IEnumerable<ShardCursor> cursors, int ahead, bool strict, long maxLag = 0)
    {
        _maxLag = maxLag;

        _decoded = Channel.CreateBounded<DecodedSample>(new BoundedChannelOptions(ahead) { SingleReader = true, SingleWriter = true });
        (_grains, _poll, _time) = (services.Grains, services.Poll, services.Time);
        _dataset = dataset;
        _decoder = decoder;
        _strict = strict;
        var positions = cursors.ToDictionary(c => c.Shard, c => c.Next);
        _ends = new(positions.Keys.Select(shard => KeyValuePair.Create(shard, 0L)));
        _running = Task.Run(() => ReadAsync(positions, _stop.Token));
    }

    /// <summary>One decoded sample, or a mark that its item was passed over (<see cref="Pixels"/> is null).</summary>
    /// <param name="Key">Where it lives.</param>
    /// <param name="Pixels">uint8 pixels, [C, H, W]; null where the item cannot be decoded.</param>
    public readonly record struct DecodedSample(SampleKey Key, byte[]? Pixels);

    /// <summary>Whether every shard has been read to its end, as far as is known, and nothing is decoded ahead.</summary>
    public bool IsDrained { get; private set; }

    /// <summary>What went wrong last; null while reading works.</summary>
    public string? Problem => _problem;

    /// <summary>Takes what was skipped before some positions: of what lies behind them it is not decided yet.</summary>
    /// <param name="next">Where a shard is trained next.</param>
    public SkippedRange[] TakeSkipped(Func<int, long> next)
    {
        var (taken, left) = (new List<SkippedRange>(), new List<SkippedRange>());
        while (_skipped.TryDequeue(out SkippedRange range))
        {
            (range.To <= next(range.Shard) ? taken : left).Add(range);
        }

        left.ForEach(_skipped.Enqueue);
        return [.. taken];
    }

    /// <summary>Takes the next decoded sample if there is one.</summary>
    /// <param name="sample">The sample.</param>
    public bool TryTake(out DecodedSample sample) => _decoded.Reader.TryRead(out sample);

    /// <summary>Waits until a sample can be taken.</summary>
    /// <param name="atMost">For how long.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(atMost);
        try
        {
            await _decoded.Reader.WaitToReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing came in time.
        }
    }

    /// <summary>Where a shard's log ends, as far as was heard; 0 before anything was.</summary>
    /// <param name="shard">The shard's number.</param>
    public long End(int shard) => _ends.GetValueOrDefault(shard);

    /// <summary>Looks for new items now.</summary>
    /// <param name="hint">The hint that came.</param>
    public void Wake(ArrivalHint hint)
    {
        NoteEnd(hint.Shard, hint.End);
        IsDrained = false;
        if (_wake.CurrentCount == 0)
        {
            try
            {
                _wake.Release();
            }
            catch (SemaphoreFullException)
            {
                // Another hint woke it at the same moment.
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // Asked for.
        }

        _stop.Dispose();
        _wake.Dispose();
    }

    private async Task ReadAsync(Dictionary<int, long> positions, CancellationToken cancellationToken)
    {
        ShardTail[] tails = [.. positions.OrderBy(p => p.Key).Select(p => new ShardTail(p.Key, p.Value))];
        while (true)
        {
            if (await _wake.WaitAsync(TimeSpan.Zero, cancellationToken))
            {
                Array.ForEach(tails, tail => tail.IsAtEnd = false);
            }

            foreach (ShardTail tail in tails.Where(MustLook))
            {
                await LookAsync(tail);
                _problem = Array.Find(tails, t => t.Problem is not null)?.Problem;
            }

            // One that is away holds up the others only where their order must not depend on it; one that is damaged never does.
            var held = _strict && Array.Exists(tails, tail => tail is { Items.Count: 0, IsAtEnd: false, IsDamaged: false });
            if (!held && tails.Where(tail => tail.Items.Count > 0).MinBy(tail => (tail.Items.Peek().Sequence, tail.Shard)) is { } first)
            {
                await HandOnAsync(first, cancellationToken);
            }
            else if (!Array.Exists(tails, MustLook))
            {
                IsDrained = !held && _decoded.Reader.Count == 0;
                // A lost hint costs at most one poll.
                await _wake.WaitAsync(_poll, cancellationToken);
                Array.ForEach(tails, tail => tail.IsAtEnd = false);
            }
        }
    }

    private bool MustLook(ShardTail tail) =>
        tail is { Items.Count: 0, IsAtEnd: false } && (tail.Problem is null || _time.GetElapsedTime(tail.FailedAt) >= (tail.IsDamaged ? DamagedPause : _poll));

    private async Task HandOnAsync(ShardTail tail, CancellationToken cancellationToken)
    {
        try
        {
            await _decoded.Writer.WriteAsync(Decode(tail.Shard, tail.Items.Peek()), cancellationToken);
            tail.Items.Dequeue();
        }
        catch (DecodeMemoryException e)
        {
            _problem = e.Message;
            await Task.Delay(_poll, _time, cancellationToken);
        }
    }

    private async Task LookAsync(ShardTail tail)
    {
        try
        {
            LogSlice slice = await _grains.GetGrain<IShardGrain>(GrainKeys.Shard(_dataset, tail.Shard)).ReadAsync(tail.Next, SliceItems, SliceBytes);
            (tail.Problem, tail.IsDamaged) = (null, false);
            NoteEnd(tail.Shard, slice.End);
            Array.ForEach(slice.Items, tail.Items.Enqueue);
            tail.IsAtEnd = slice.Next <= tail.Next;
            tail.Next = slice.Next;
            SkipIfBehind(tail, slice.End - slice.Next);
        }
        catch (Exception e) when (e is ShoalException { Kind: ShoalErrorKind.Damaged } || Failures.MayPass(e))
        {
            // A problem until it can be read again, whatever others do meanwhile.
            tail.IsDamaged = e is ShoalException { Kind: ShoalErrorKind.Damaged };
            tail.Problem = tail.IsDamaged ? e.Message : $"Shard {tail.Shard} could not be read: {e.Message}";
            tail.FailedAt = _time.GetTimestamp();
        }
    }

    // The later of a read and a hint: logs only grow. A hint from before the last deal may be of a shard of somebody else's.
    private void NoteEnd(int shard, long end)
    {
        if (_ends.ContainsKey(shard))
        {
            _ends.AddOrUpdate(shard, end, (_, known) => Math.Max(known, end));
        }
    }

    // So many times behind the limit, one slice in as many is read: a uniform sample, until what is left is within the limit.
    private void SkipIfBehind(ShardTail tail, long lag)
    {
        if (_maxLag == 0 || lag <= _maxLag)
        {
            return;
        }

        var skip = Math.Clamp((long)(SliceItems * (((double)lag / _maxLag) - 1)), 1, lag - _maxLag);
        _skipped.Enqueue(new SkippedRange(tail.Shard, tail.Next, tail.Next + skip, skip));
        tail.Next += skip;
    }

    private DecodedSample Decode(int shard, LogItem item)
    {
        var pixels = new byte[_decoder.SampleBytes];
        var key = new SampleKey(shard, item.Sequence);
        return _decoder.TryDecode(item.MediaType, item.Bytes, pixels, out _) ? new(key, pixels) : new(key, null);
    }

    /// <summary>What has been read of a shard and not handed on yet.</summary>
    private sealed class ShardTail(int shard, long next)
    {
        public int Shard => shard;

        /// <summary>Where to read on.</summary>
        public long Next { get; set; } = next;

        public Queue<LogItem> Items { get; } = new();

        /// <summary>Whether there was nothing more when it was read last.</summary>
        public bool IsAtEnd { get; set; }

        /// <summary>Why it could not be read last; null when it could.</summary>
        public string? Problem { get; set; }

        /// <summary>Whether that does not pass by itself.</summary>
        public bool IsDamaged { get; set; }

        /// <summary>When that was.</summary>
        public long FailedAt { get; set; }
    }
}
