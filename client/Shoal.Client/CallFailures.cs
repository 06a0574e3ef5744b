using Orleans.Runtime.Messaging;
using Polly;
using Polly.Retry;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Decides which failed calls are repeated, and says the rest in words that a user can act on.</summary>
internal static class CallFailures
{
    /// <summary>The longest pause between two tries: a silo that is back is noticed within it.</summary>
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    /// <summary>Whether the same call may succeed later. A timeout is an unknown outcome; every call here is safe to repeat.</summary>
    /// <param name="failure">What a call threw.</param>
    /// <param name="cancellationToken">The caller's: it is what tells that the caller has given up from a call that a stopping silo broke off.</param>
    public static bool IsTransient(Exception failure, CancellationToken cancellationToken) => failure switch
    {
        ShoalException shoal => shoal.IsTransient,
        TimeoutException or SiloUnavailableException or OrleansMessageRejectionException => true,
        ConnectionFailedException or GatewayTooBusyException or ClientNotAvailableException => true,
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        _ => false,
    };

    /// <summary>What the caller of the SDK sees instead of a transport's exception.</summary>
    /// <param name="failure">What a call threw.</param>
    public static ShoalException Explain(Exception failure) => failure switch
    {
        ShoalException shoal => shoal,
        GatewayTooBusyException => new ShoalException(ShoalErrorKind.Overloaded, "The silo is too busy to take the call; try again in a few seconds.", failure),
        TimeoutException => new ShoalException(ShoalErrorKind.Unavailable, "The silo did not answer in time; try again in a few seconds.", failure),
        _ => new ShoalException(ShoalErrorKind.Unavailable, "The silo cannot be reached; check that it runs, and try again in a few seconds.", failure),
    };

    /// <summary>Makes the pipeline that repeats transient failures with growing, jittered pauses.</summary>
    /// <param name="options">How often and how fast.</param>
    public static ResiliencePipeline Retry(ShoalClientOptions options)
    {
        if (options.Retries == 0)
        {
            return ResiliencePipeline.Empty;
        }

        var strategy = new RetryStrategyOptions
        {
            ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } failure && IsTransient(failure, arguments.Context.CancellationToken)),
            MaxRetryAttempts = options.Retries,
            Delay = options.RetryDelay,
            MaxDelay = LongestDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        };
        if (options.Jitter is { } jitter)
        {
            strategy.Randomizer = jitter;
        }

        return new ResiliencePipelineBuilder { TimeProvider = options.Time }.AddRetry(strategy).Build();
    }
}
