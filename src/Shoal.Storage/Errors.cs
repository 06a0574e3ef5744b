namespace Shoal.Storage;

/// <summary>The base of what storage throws, apart from wrong arguments.</summary>
public abstract class StorageException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="message">What happened and what to do.</param>
    /// <param name="inner">The cause, if any.</param>
    protected StorageException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Whether the same call can succeed later, unchanged.</summary>
    public abstract bool IsTransient { get; }
}

/// <summary>A put's condition did not hold. Not transient: read the object again and decide anew.</summary>
public sealed class ObjectConflictException : StorageException
{
    /// <summary>Makes one.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="why">What did not hold.</param>
    /// <param name="inner">The cause, if any.</param>
    public ObjectConflictException(string name, string why, Exception? inner = null)
        : base($"Object '{name}' was not written: {why}. Read it again and decide anew.", inner) => Name = name;

    /// <summary>The object's name.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public override bool IsTransient => false;
}

/// <summary>An object is not as long as the caller expected: somebody else appended. Not transient.</summary>
public sealed class AppendConflictException : StorageException
{
    /// <summary>Makes one.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="expectedLength">What the caller expected, in bytes.</param>
    /// <param name="actualLength">What the object has, in bytes; 0 when it is absent.</param>
    /// <param name="inner">The cause, if any.</param>
    public AppendConflictException(string name, long expectedLength, long actualLength, Exception? inner = null)
        : base($"Object '{name}' has {actualLength} bytes where {expectedLength} were expected; somebody else has written to it.", inner)
    {
        Name = name;
        ExpectedLength = expectedLength;
        ActualLength = actualLength;
    }

    /// <summary>The object's name.</summary>
    public string Name { get; }

    /// <summary>What the caller expected, in bytes.</summary>
    public long ExpectedLength { get; }

    /// <summary>What the object has, in bytes; 0 when it is absent.</summary>
    public long ActualLength { get; }

    /// <inheritdoc/>
    public override bool IsTransient => false;
}

/// <summary>The store cannot do it now (disk full, no permission, network, overload). Transient: retry when the cause is gone.</summary>
public sealed class StorageUnavailableException : StorageException
{
    /// <summary>Makes one.</summary>
    /// <param name="message">What happened and what to do.</param>
    /// <param name="inner">The cause, if any.</param>
    /// <param name="outcomeUnknown">Whether the write may have happened, or may still happen.</param>
    public StorageUnavailableException(string message, Exception? inner = null, bool outcomeUnknown = false)
        : base(message, inner) => OutcomeUnknown = outcomeUnknown;

    /// <summary>Whether the write may have happened, or may still happen; when false it has certainly not.</summary>
    public bool OutcomeUnknown { get; }

    /// <inheritdoc/>
    public override bool IsTransient => true;
}

/// <summary>Stored bytes are not what was written. Not transient: a person must look.</summary>
public sealed class StorageCorruptException : StorageException
{
    /// <summary>Makes one.</summary>
    /// <param name="shard">The log's prefix.</param>
    /// <param name="segment">The segment's number.</param>
    /// <param name="offset">Where in the segment, in bytes.</param>
    /// <param name="what">What is wrong there.</param>
    /// <param name="isNewer">Whether nothing is damaged: a newer Shoal wrote what stands there.</param>
    public StorageCorruptException(string shard, int segment, long offset, string what, bool isNewer = false)
        : base($"{shard} segment {segment} offset {offset}: {what}. Nothing was changed; {(isNewer ? "upgrade instead of repairing" : "run ./shoal repair")}.")
    {
        IsNewer = isNewer;
        Shard = shard;
        Segment = segment;
        Offset = offset;
    }

    /// <summary>The log's prefix.</summary>
    public string Shard { get; }

    /// <summary>The segment's number.</summary>
    public int Segment { get; }

    /// <summary>Where in the segment, in bytes.</summary>
    public long Offset { get; }

    /// <summary>Whether a newer Shoal wrote what stands there: a repair does not help.</summary>
    public bool IsNewer { get; }

    /// <inheritdoc/>
    public override bool IsTransient => false;
}

/// <summary>Somebody opened the log later, so this writer may not write any more. Not transient here: end the activation; the caller retries and reaches the new one.</summary>
public sealed class LogFencedException : StorageException
{
    /// <summary>Makes one.</summary>
    /// <param name="shard">The log's prefix.</param>
    /// <param name="epoch">The epoch of the writer that was fenced off.</param>
    /// <param name="inner">The cause, if any.</param>
    public LogFencedException(string shard, long epoch, Exception? inner = null)
        : base($"{shard}: epoch {epoch} is over, a later activation has opened this log. Deactivate without acknowledging.", inner)
    {
        Shard = shard;
        Epoch = epoch;
    }

    /// <summary>The log's prefix.</summary>
    public string Shard { get; }

    /// <summary>The epoch that is over.</summary>
    public long Epoch { get; }

    /// <inheritdoc/>
    public override bool IsTransient => false;
}

/// <summary>Too much waits to be written. Transient: answer 429 and let the producer retry.</summary>
public sealed class LogFullException : StorageException
{
    /// <summary>Makes one.</summary>
    /// <param name="shard">The log's prefix.</param>
    /// <param name="items">Items that wait.</param>
    /// <param name="bytes">Bytes that wait.</param>
    public LogFullException(string shard, int items, long bytes)
        : base($"{shard}: {items} items ({bytes} bytes) already wait to be written. Retry in a moment.")
    {
        Items = items;
        Bytes = bytes;
    }

    /// <summary>Items that wait.</summary>
    public int Items { get; }

    /// <summary>Bytes that wait.</summary>
    public long Bytes { get; }

    /// <inheritdoc/>
    public override bool IsTransient => true;
}
