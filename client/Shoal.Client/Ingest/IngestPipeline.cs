using System.Threading.Channels;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>
/// Turns a stream of items into batches by shard, with a bounded number in flight and a bounded number of bytes held.
/// One pump reads the source; each batch is a task of its own; results wait in a bounded channel, so that a slow reader slows the source.
/// </summary>
internal sealed class IngestPipeline : IAsyncDisposable
{
    private readonly DatasetRoute _route;
    private readonly IngestOptions _options;
    private readonly TimeProvider _time;
    private readonly Func<IShardGrain, ItemBatch, CancellationToken, Task<ItemResult[]>> _append;
    private readonly CancellationTokenSource _stop;
    private readonly SemaphoreSlim _slots;
    private readonly Channel<IngestResult[]> _results;
    private readonly Gathering?[] _gathering;
    private readonly List<IngestResult> _refused = [];
    private Task _pump = Task.CompletedTask;
    private Exception? _failure;
    private long _held;

    public IngestPipeline(
        DatasetRoute route,
        IngestOptions options,
        TimeProvider time,
        Func<IShardGrain, ItemBatch, CancellationToken, Task<ItemResult[]>> append,
        CancellationToken cancellationToken)
    {
        _route = route;
        _options = options;
        _time = time;
        _append = append;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _slots = new SemaphoreSlim(options.InFlight);
        _results = Channel.CreateBounded<IngestResult[]>(new BoundedChannelOptions(options.InFlight) { SingleReader = true });
        _gathering = new Gathering?[route.Shards.Length];
    }

    public ChannelReader<IngestResult[]> Results => _results.Reader;

    public Task RunAsync(IAsyncEnumerable<SourceItem> items) => _pump = PumpAsync(items);

    /// <summary>Ends what is under way when the reader leaves early; waits, so that nothing outlives the call.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _pump.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _slots.Dispose();
    }

    private async Task PumpAsync(IAsyncEnumerable<SourceItem> items)
    {
        // Off the caller's context at once: inside a silo it may be a grain's turn, or a request's.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await foreach (SourceItem item in LingeringAsync(items))
            {
                await AddAsync(item);
            }

            await FlushAsync();
        }
        catch (Exception failure)
        {
            Fail(failure);
        }

        // Every slot taken back: nothing is in flight any more.
        for (int slot = 0; slot < _options.InFlight; slot++)
        {
            await _slots.WaitAsync();
        }

        _results.Writer.Complete(_failure);
    }

    private async IAsyncEnumerable<SourceItem> LingeringAsync(IAsyncEnumerable<SourceItem> items)
    {
        await using IAsyncEnumerator<SourceItem> source = items.GetAsyncEnumerator(_stop.Token);
        while (true)
        {
            ValueTask<bool> next = source.MoveNextAsync();
            bool more;
            if (next.IsCompleted)
            {
                more = await next;
            }
            else
            {
                Task<bool> waiting = next.AsTask();
                if (_held > 0 || _refused.Count > 0)
                {
                    using var linger = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                    await Task.WhenAny(waiting, Task.Delay(_options.Linger, _time, linger.Token));
                    await linger.CancelAsync();
                    if (!waiting.IsCompleted)
                    {
                        await FlushWhileAsync(waiting);
                    }
                }

                more = await waiting;
            }

            if (!more)
            {
                yield break;
            }

            yield return source.Current;
        }
    }

    // A source may not be disposed of while it looks for its next item; it has the token that ends its search.
    private async Task FlushWhileAsync(Task waiting)
    {
        try
        {
            await FlushAsync();
        }
        catch
        {
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    private async ValueTask AddAsync(SourceItem item)
    {
        if ((item.Problem ?? UploadRules.Problem(item.Upload, _route.Settings)) is { } problem)
        {
            int owner = Names.ItemIdProblem(item.Upload.Id) is null ? _route.ShardOf(item.Upload.Id) : -1;
            _refused.Add(new IngestResult(item.Upload.Id, IngestOutcome.Rejected, owner, -1, problem));
            if (_refused.Count >= _options.BatchItems)
            {
                await AnswerRefusedAsync();
            }

            return;
        }

        int shard = _route.ShardOf(item.Upload.Id);
        Gathering gathering = _gathering[shard] ??= new Gathering();
        gathering.Items.Add(item.Upload);
        gathering.Bytes += item.Upload.Bytes.Length;
        _held += item.Upload.Bytes.Length;
        if (gathering.Items.Count >= _options.BatchItems || gathering.Bytes >= _options.BatchBytes)
        {
            await SendAsync(shard);
        }
        else if (_held >= _options.GatherBytes)
        {
            await FlushAsync();
        }
    }

    private async Task FlushAsync()
    {
        for (int shard = 0; shard < _gathering.Length; shard++)
        {
            await SendAsync(shard);
        }

        await AnswerRefusedAsync();
    }

    private async ValueTask AnswerRefusedAsync()
    {
        if (_refused.Count > 0)
        {
            await _results.Writer.WriteAsync([.. _refused], _stop.Token);
            _refused.Clear();
        }
    }

    private async ValueTask SendAsync(int shard)
    {
        if (_gathering[shard] is not { Items.Count: > 0 } gathering)
        {
            return;
        }

        await _slots.WaitAsync(_stop.Token);
        _gathering[shard] = null;
        _held -= gathering.Bytes;

        // Not awaited here: it gives its slot back when it ends, and the pump takes all slots back before it ends.
        _ = DeliverAsync(shard, [.. gathering.Items]);
    }

    private async Task DeliverAsync(int shard, ItemUpload[] items)
    {
        try
        {
            ItemResult[] answers = await _append(_route[shard], new ItemBatch(items), _stop.Token);
            var results = new IngestResult[items.Length];
            for (int i = 0; i < items.Length; i++)
            {
                results[i] = new IngestResult(items[i].Id, answers[i].Outcome, shard, answers[i].Sequence, answers[i].Reason);
            }

            await _results.Writer.WriteAsync(results, _stop.Token);
        }
        catch (Exception failure)
        {
            Fail(failure);
        }
        finally
        {
            _slots.Release();
        }
    }

    // The first failure is the reader's; it also stops what else is under way, whose cancellations are its echo.
    private void Fail(Exception failure)
    {
        if (Interlocked.CompareExchange(ref _failure, failure, null) is null)
        {
            _stop.Cancel();
        }
    }

    private sealed class Gathering
    {
        public List<ItemUpload> Items { get; } = [];

        public long Bytes { get; set; }
    }
}
