namespace Shoal.Contracts;

/// <summary>The kinds of failure that a caller can act on.</summary>
public enum ShoalErrorKind
{
    /// <summary>The request is wrong; changing it helps, repeating it does not (HTTP 400, exit code 2).</summary>
    Invalid,

    /// <summary>No such dataset, item, cluster or version (HTTP 404, exit code 2).</summary>
    NotFound,

    /// <summary>The thing exists already with other content or settings (HTTP 409, exit code 2).</summary>
    Conflict,

    /// <summary>More than can be taken now; repeat after a pause (HTTP 429, exit code 3).</summary>
    Overloaded,

    /// <summary>Storage or a silo is away; repeat after a pause (HTTP 503, exit code 3).</summary>
    Unavailable,

    /// <summary>Stored bytes are damaged; repeating does not help, a repair does (HTTP 500, exit code 3).</summary>
    Damaged,
}

/// <summary>A failure with a message for the person who made the request. Repeat it only when <see cref="IsTransient"/>.</summary>
[GenerateSerializer, Alias("shoal.error")]
public sealed class ShoalException : Exception
{
    /// <summary>Makes a failure.</summary>
    /// <param name="kind">What the caller can do about it.</param>
    /// <param name="message">What is wrong and what to do.</param>
    /// <param name="inner">What it came from; kept as text, since the other side of a call may not know its type and would then read nothing at all.</param>
    public ShoalException(ShoalErrorKind kind, string message, Exception? inner = null)
        : base(message) => (Kind, Cause) = (kind, inner?.ToString());

    /// <summary>What the caller can do about it.</summary>
    [Id(0)]
    public ShoalErrorKind Kind { get; private set; }

    /// <summary>What it came from, with its stack; null when it came from nothing else.</summary>
    [Id(1)]
    public string? Cause { get; private set; }

    /// <summary>With its cause, as logs want it.</summary>
    public override string ToString() => Cause is null ? base.ToString() : $"{base.ToString()}{Environment.NewLine} ---> {Cause}";

    /// <summary>Whether the same request may succeed later.</summary>
    public bool IsTransient => Kind is ShoalErrorKind.Overloaded or ShoalErrorKind.Unavailable;
}
