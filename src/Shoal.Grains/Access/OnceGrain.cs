using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Access;

/// <summary>Remembers what a request with an idempotency key was answered.</summary>
/// <remarks>That a request is under way is known in memory alone: when the silo dies, so mostly does the request, and who repeats it carries it out.</remarks>
[RequiresRole(SiloRoles.Data)]
internal sealed class OnceGrain(IObjectStore store, TimeProvider time) : Grain, IOnceGrain
{
    /// <summary>A request that has not ended by then has lost its gateway: managing takes twenty seconds at most, and is repeated twice.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private StoredDocument<Kept>? _document;
    private (byte[] Request, Guid Attempt, long Began)? _running;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Kept under the day on which it was answered, so that whole days can be removed.
        DateTimeOffset now = time.GetUtcNow();
        foreach (DateTimeOffset day in new[] { now, now.AddDays(-1) })
        {
            var document = new StoredDocument<Kept>(store, StoreNames.Once(day, this.GetPrimaryKeyString()));
            await document.LoadAsync();
            if (document.Value is not null)
            {
                _document = document;
                return;
            }
        }
    }

    /// <inheritdoc/>
    public Task<OnceKnown> BeginAsync(byte[] request, Guid attempt)
    {
        if (_document?.Value is { } kept)
        {
            return Task.FromResult(kept.Request.AsSpan().SequenceEqual(request) ? new OnceKnown(OnceState.Done, kept.Answer) : new OnceKnown(OnceState.Other));
        }

        if (_running is { } running && running.Attempt != attempt && time.GetElapsedTime(running.Began) < Patience)
        {
            return Task.FromResult(new OnceKnown(running.Request.AsSpan().SequenceEqual(request) ? OnceState.Running : OnceState.Other));
        }

        _running = (request, attempt, time.GetTimestamp());
        return Task.FromResult(new OnceKnown(OnceState.New));
    }

    /// <inheritdoc/>
    public async Task EndAsync(byte[] request, Guid attempt, KeptAnswer? answer)
    {
        if (_running?.Attempt != attempt)
        {
            return;
        }

        if (answer is not null)
        {
            DateTimeOffset now = time.GetUtcNow();
            var document = new StoredDocument<Kept>(store, StoreNames.Once(now, this.GetPrimaryKeyString()));
            await document.SaveAsync(new Kept(request, answer));
            _document = document;
            await ForgetBeforeAsync(now);
        }

        _running = null;
    }

    // The days before yesterday, with the first answer of a day that this store sees; mostly there is nothing.
    private async Task ForgetBeforeAsync(DateTimeOffset now)
    {
        string kept = StoreNames.OnceDay(now.AddDays(-1));
        if (await store.StatAsync(StoreNames.OnceSwept(now)) is not null)
        {
            return;
        }

        await store.PutAsync(StoreNames.OnceSwept(now), ReadOnlyMemory<byte>.Empty, PutCondition.Always);
        await foreach (ObjectInfo info in store.ListAsync(StoreNames.OnceRoot))
        {
            if (string.CompareOrdinal(info.Name, kept) < 0)
            {
                await store.DeleteAsync(info.Name);
            }
        }
    }

    private sealed record Kept(byte[] Request, KeptAnswer Answer);
}
