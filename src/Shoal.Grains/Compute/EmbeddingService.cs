using System.Buffers;
using System.Collections.Concurrent;
using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Compute;

/// <summary>Embeds samples on this silo, joining the requests of all shards into larger batches.</summary>
/// <param name="models">The versions.</param>
/// <param name="compute">The thread that embeds.</param>
public sealed class EmbeddingService(ModelCache models, ComputeThread compute) : IEmbeddings
{
    // 512 samples of 28x28 take about 10 ms on two cores: one such batch is the longest that a query waits for arrivals or refresh.
    private const int MaxBatch = 512;

    private readonly ConcurrentDictionary<(string Dataset, int Version, ComputePriority Priority), Joiner> _joiners = new();

    /// <inheritdoc/>
    public async Task<(Half[] Embeddings, Prototypes Prototypes)> EmbedAsync(
        string dataset, PublishedVersion version, byte[] pixels, int count, ComputePriority priority)
    {
        ArgumentNullException.ThrowIfNull(version);
        using ModelLease model = await models.LeaseAsync(dataset, version);
        Embedder embedder = model.Embedder;
        var request = new Request(pixels, count, new Half[count * embedder.Width]);
        var key = (dataset, version.Version, priority);
        Joiner joiner = _joiners.GetOrAdd(key, _ => new Joiner());
        if (joiner.Add(request))
        {
            ForgetOlder(key);
            try
            {
                await compute.RunAsync(priority, dataset, () => joiner.Drain(embedder, priority == ComputePriority.Urgent ? null : compute.RunUrgent));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whoever joined waits for this run: they get its failure.
                joiner.Fail(e);
            }
        }

        await request.Done.Task;
        return (request.Embeddings, embedder.Prototypes);
    }

    /// <inheritdoc/>
    public async Task<Prototypes> PrototypesAsync(string dataset, PublishedVersion version)
    {
        using ModelLease model = await models.LeaseAsync(dataset, version);
        return model.Embedder.Prototypes;
    }

    private void ForgetOlder((string Dataset, int Version, ComputePriority Priority) current)
    {
        foreach (var key in _joiners.Keys)
        {
            if (key.Priority == current.Priority && key.Version < current.Version - 1 && string.Equals(key.Dataset, current.Dataset, StringComparison.Ordinal))
            {
                _joiners.TryRemove(key, out _);
            }
        }
    }

    private sealed record Request(byte[] Pixels, int Count, Half[] Embeddings)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Joiner
    {
        private readonly Lock _gate = new();
        private Queue<Request> _waiting = new();

        /// <summary>Adds a request; true when the caller must see to a run.</summary>
        public bool Add(Request request)
        {
            lock (_gate)
            {
                _waiting.Enqueue(request);
                return _waiting.Count == 1;
            }
        }

        /// <summary>Embeds all that waits, in batches; on the compute thread.</summary>
        /// <param name="embedder">The version.</param>
        /// <param name="between">Called after each batch.</param>
        public void Drain(Embedder embedder, Action? between)
        {
            Queue<Request> requests = Take();
            var batch = new List<Request>();
            while (requests.Count > 0)
            {
                batch.Clear();
                var samples = 0;
                while (requests.TryPeek(out Request? next) && (samples == 0 || samples + next.Count <= MaxBatch))
                {
                    batch.Add(requests.Dequeue());
                    samples += next.Count;
                }

                try
                {
                    Embed(embedder, batch, samples);
                }
#pragma warning disable CA1031 // The failure belongs to the requests of this batch; the others go on.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    batch.ForEach(r => r.Done.TrySetException(e));
                }

                between?.Invoke();
            }
        }

        public void Fail(Exception reason)
        {
            foreach (Request request in Take())
            {
                request.Done.TrySetException(reason);
            }
        }

        private static void Embed(Embedder embedder, List<Request> batch, int samples)
        {
            if (batch.Count == 1)
            {
                embedder.Embed(batch[0].Pixels, samples, batch[0].Embeddings);
                batch[0].Done.TrySetResult();
                return;
            }

            var (size, width) = (embedder.Shape.Size, embedder.Width);
            byte[] pixels = ArrayPool<byte>.Shared.Rent(samples * size);
            Half[] embeddings = ArrayPool<Half>.Shared.Rent(samples * width);
            try
            {
                var at = 0;
                foreach (Request request in batch)
                {
                    request.Pixels.AsSpan(0, request.Count * size).CopyTo(pixels.AsSpan(at * size));
                    at += request.Count;
                }

                embedder.Embed(pixels.AsSpan(0, samples * size), samples, embeddings.AsSpan(0, samples * width));
                at = 0;
                foreach (Request request in batch)
                {
                    embeddings.AsSpan(at * width, request.Embeddings.Length).CopyTo(request.Embeddings);
                    at += request.Count;
                    request.Done.TrySetResult();
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(pixels);
                ArrayPool<Half>.Shared.Return(embeddings);
            }
        }

        private Queue<Request> Take()
        {
            lock (_gate)
            {
                Queue<Request> taken = _waiting;
                _waiting = new Queue<Request>();
                return taken;
            }
        }
    }
}
