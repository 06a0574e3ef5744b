namespace Shoal.Contracts;

/// <summary>An answer of the HTTP API that is kept, for who did not hear it and asks again with the same idempotency key.</summary>
/// <param name="Status">Its status.</param>
/// <param name="ContentType">The media type of its body; null where it has none.</param>
/// <param name="Location">Where what was made is; null where that is not said.</param>
/// <param name="Body">Its body.</param>
[GenerateSerializer, Immutable, Alias("shoal.kept-answer")]
public sealed record KeptAnswer([property: Id(0)] int Status, [property: Id(1)] string? ContentType, [property: Id(2)] string? Location, [property: Id(3)] byte[] Body);

/// <summary>What is known of an idempotency key.</summary>
public enum OnceState
{
    /// <summary>Nothing: the request is to be carried out now, by who asked.</summary>
    New,

    /// <summary>The same request is being carried out.</summary>
    Running,

    /// <summary>It was; the answer is there.</summary>
    Done,

    /// <summary>The key was sent with another request.</summary>
    Other,
}

/// <summary>What is known of an idempotency key, and the answer where there is one.</summary>
/// <param name="State">What is known.</param>
/// <param name="Answer">The answer; null unless <see cref="OnceState.Done"/>.</param>
[GenerateSerializer, Immutable, Alias("shoal.once-known")]
public sealed record OnceKnown([property: Id(0)] OnceState State, [property: Id(1)] KeptAnswer? Answer = null);

/// <summary>One idempotency key of one caller. Key: a hash of both. Answers are kept for a day at least.</summary>
[Alias("shoal.once")]
public interface IOnceGrain : IGrainWithStringKey
{
    /// <summary>Says what is known of the key; where nothing is, the request is carried out by who asks.</summary>
    /// <param name="request">SHA-256 of the request, 32 bytes.</param>
    /// <param name="attempt">Who asks: the same when the call is repeated.</param>
    [Alias("begin")]
    Task<OnceKnown> BeginAsync(byte[] request, Guid attempt);

    /// <summary>Keeps the answer of a request that was carried out, or lets another carry it out.</summary>
    /// <param name="request">SHA-256 of the request, 32 bytes.</param>
    /// <param name="attempt">Who carried it out.</param>
    /// <param name="answer">The answer; null when the request came to nothing.</param>
    [Alias("end")]
    Task EndAsync(byte[] request, Guid attempt, KeptAnswer? answer);
}
