using Shoal.Contracts;

namespace Shoal.Fakes;

/// <summary>One idempotency key in memory.</summary>
public sealed class FakeOnceGrain : Grain, IOnceGrain
{
    private byte[]? _request;
    private KeptAnswer? _answer;

    public Task<OnceKnown> BeginAsync(byte[] request, Guid attempt)
    {
        if (_request is null)
        {
            _request = request;
            return Task.FromResult(new OnceKnown(OnceState.New));
        }

        return Task.FromResult(
            !_request.AsSpan().SequenceEqual(request) ? new OnceKnown(OnceState.Other) : _answer is null ? new OnceKnown(OnceState.Running) : new OnceKnown(OnceState.Done, _answer));
    }

    public Task EndAsync(byte[] request, Guid attempt, KeptAnswer? answer)
    {
        (_request, _answer) = (answer is null ? null : request, answer);
        return Task.CompletedTask;
    }
}
