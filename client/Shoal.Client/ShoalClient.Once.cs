using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Requests of the HTTP API that are carried out once, however often they are sent. The SDK's own calls need no such keys: they are safe to repeat.</content>
public sealed partial class ShoalClient
{
    /// <summary>Asks what is known of an idempotency key; see <see cref="IOnceGrain.BeginAsync"/>.</summary>
    /// <param name="key">A hash of the key and its caller.</param>
    /// <param name="request">SHA-256 of the request, 32 bytes.</param>
    /// <param name="attempt">Who asks.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public Task<OnceKnown> BeginOnceAsync(string key, byte[] request, Guid attempt, CancellationToken cancellationToken = default)
    {
        IOnceGrain once = _cluster.GetGrain<IOnceGrain>(key);
        return CallAsync(() => once.BeginAsync(request, attempt), cancellationToken);
    }

    /// <summary>Keeps the answer of a request that was carried out; see <see cref="IOnceGrain.EndAsync"/>.</summary>
    /// <param name="key">A hash of the key and its caller.</param>
    /// <param name="request">SHA-256 of the request, 32 bytes.</param>
    /// <param name="attempt">Who carried it out.</param>
    /// <param name="answer">The answer; null when the request came to nothing.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public Task EndOnceAsync(string key, byte[] request, Guid attempt, KeptAnswer? answer, CancellationToken cancellationToken = default)
    {
        IOnceGrain once = _cluster.GetGrain<IOnceGrain>(key);
        return CallAsync(() => once.EndAsync(request, attempt, answer), cancellationToken);
    }
}
