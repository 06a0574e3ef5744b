using Orleans.Streams;

namespace Shoal.Client;

/// <summary>A place in the logs of a dataset's shards: what comes from there on. Kept in a grain's state, it survives whatever happens to the grain.</summary>
[GenerateSerializer, Immutable, Alias("shoal.log-token")]
public sealed class LogToken : StreamSequenceToken
{
    /// <summary>Makes a token.</summary>
    /// <param name="next">For each shard, the first sequence number wanted; 0 and up. Shards that are not named begin at 0.</param>
    public LogToken(params long[] next)
    {
        ArgumentNullException.ThrowIfNull(next);
        if (Array.Exists(next, sequence => sequence < 0))
        {
            throw new ArgumentOutOfRangeException(nameof(next), string.Join(", ", next), "Sequence numbers begin at 0.");
        }

        Next = next;
    }

    /// <summary>Everything that the dataset holds.</summary>
    public static LogToken Beginning { get; } = new();

    /// <summary>For each shard, the first sequence number wanted.</summary>
    [Id(0)]
    public long[] Next { get; }

    /// <summary>How many items lie before it in all shards: a reader's tokens grow.</summary>
    public override long SequenceNumber
    {
        get => Next.Sum();
        protected set => throw new NotSupportedException("A place in several logs is not one number.");
    }

    /// <summary>Always 0.</summary>
    public override int EventIndex
    {
        get => 0;
        protected set => throw new NotSupportedException("A place in several logs is not one number.");
    }

    /// <inheritdoc/>
    public override bool Equals(StreamSequenceToken? other) => other is LogToken token && token.Next.AsSpan().SequenceEqual(Next);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is StreamSequenceToken token && Equals(token);

    /// <inheritdoc/>
    public override int GetHashCode() => SequenceNumber.GetHashCode();

    /// <summary>Compares two tokens of one reader.</summary>
    /// <param name="other">The other.</param>
    public override int CompareTo(StreamSequenceToken? other) => other is null ? 1 : SequenceNumber.CompareTo(other.SequenceNumber);

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", Next)}]";
}
