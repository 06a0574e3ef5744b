using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>
/// Requests that are under way. A stream of changes or a live recording may go on for days: it ends with what it was begun with. One look every second at all of them,
/// since most are over before the first.
/// </summary>
internal sealed class OpenRequests : IDisposable
{
    /// <summary>What is known of keys costs nothing to look at; how old it may be is the key ring's.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Open, byte> _open = new();
    private readonly KeyRing _keys;
    private readonly ITimer _timer;

    public OpenRequests(KeyRing keys, TimeProvider time)
    {
        _keys = keys;
        _timer = time.CreateTimer(_ => _ = LookAsync(), state: null, Every, Every);
    }

    /// <summary>Watches a request until what is returned is disposed of.</summary>
    /// <param name="context">The request.</param>
    /// <param name="caller">Who sent it.</param>
    public IDisposable Watch(HttpContext context, Caller caller)
    {
        var open = new Open(this, context, caller);
        _open.TryAdd(open, 0);
        return open;
    }

    public void Dispose() => _timer.Dispose();

    private async Task LookAsync()
    {
        foreach (Open open in _open.Keys)
        {
            if (!await HoldsAsync(open.Caller))
            {
                open.Abort();
            }
        }
    }

    private async Task<bool> HoldsAsync(Caller caller)
    {
        try
        {
            return await _keys.HoldsAsync(caller, CancellationToken.None);
        }
        catch (ShoalException)
        {
            // Nothing is known of it now; it is asked for again, and new requests are refused meanwhile.
            return true;
        }
    }

    private sealed class Open(OpenRequests all, HttpContext context, Caller caller) : IDisposable
    {
        private readonly Lock _lock = new();
        private HttpContext? _context = context;

        public Caller Caller => caller;

        public void Abort()
        {
            lock (_lock)
            {
                _context?.Abort();
            }
        }

        public void Dispose()
        {
            all._open.TryRemove(this, out _);

            // The context is used again for another request: nobody may end that one.
            lock (_lock)
            {
                _context = null;
            }
        }
    }
}
