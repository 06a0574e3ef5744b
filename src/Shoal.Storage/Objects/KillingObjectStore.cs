using System.Diagnostics;
using System.Globalization;

namespace Shoal.Storage;

/// <summary>Where a process ends itself: at which write of which object, and how often that must have come before.</summary>
/// <param name="Operation">put, append or delete.</param>
/// <param name="Moment">before it, half-way (appends only: the first half of the bytes is written), or after it.</param>
/// <param name="Name">A part of the object's name.</param>
/// <param name="Count">The how manieth such write, from 1.</param>
public sealed record KillPoint(string Operation, string Moment, string Name, int Count)
{
    /// <summary>The environment variable that a silo reads it from; for tests of recovery.</summary>
    public const string Variable = "SHOAL_KILL_AT";

    /// <summary>Reads a point as it is written: <c>append:after:.seg:3</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="ArgumentException">It is not of that form.</exception>
    public static KillPoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split(':') is [("put" or "append" or "delete") and var operation, ("before" or "half" or "after") and var moment, var part, var number]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0
            && (moment is not "half" || operation is "append")
            ? new KillPoint(operation, moment, part, count)
            : throw new ArgumentException($"'{text}' is no point to end at; write OPERATION:MOMENT:OBJECT:COUNT, for example append:after:.seg:3.", nameof(text));
    }
}

/// <summary>Ends its process by SIGKILL at a chosen write: what a test of recovery puts around a silo's store.</summary>
/// <param name="inner">The store.</param>
/// <param name="point">Where to end.</param>
public sealed class KillingObjectStore(IObjectStore inner, KillPoint point) : IObjectStore
{
    private int _seen;

    /// <inheritdoc/>
    public Task<StoredObject?> GetAsync(string name, CancellationToken ct = default) => inner.GetAsync(name, ct);

    /// <inheritdoc/>
    public async Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default)
    {
        string? moment = Meet("put", name);
        EndAt("before", moment);
        string tag = await inner.PutAsync(name, content, condition, ct);
        EndAt("after", moment);
        return tag;
    }

    /// <inheritdoc/>
    public async Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        string? moment = Meet("append", name);
        EndAt("before", moment);
        if (moment is "half")
        {
            await inner.AppendAsync(name, expectedLength, content[..(content.Length / 2)], ct);
            EndAt("half", moment);
        }

        long length = await inner.AppendAsync(name, expectedLength, content, ct);
        EndAt("after", moment);
        return length;
    }

    /// <inheritdoc/>
    public Task CutAsync(string name, long observedLength, long length, CancellationToken ct = default) => inner.CutAsync(name, observedLength, length, ct);

    /// <inheritdoc/>
    public Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default) => inner.ReadAsync(name, offset, buffer, ct);

    /// <inheritdoc/>
    public Task<ObjectInfo?> StatAsync(string name, CancellationToken ct = default) => inner.StatAsync(name, ct);

    /// <inheritdoc/>
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken ct = default) => inner.ListAsync(prefix, ct);

    /// <inheritdoc/>
    public async Task DeleteAsync(string name, CancellationToken ct = default)
    {
        string? moment = Meet("delete", name);
        EndAt("before", moment);
        await inner.DeleteAsync(name, ct);
        EndAt("after", moment);
    }

    private string? Meet(string operation, string name) =>
        string.Equals(operation, point.Operation, StringComparison.Ordinal) && name.Contains(point.Name, StringComparison.Ordinal)
            && Interlocked.Increment(ref _seen) == point.Count ? point.Moment : null;

    private static void EndAt(string moment, string? chosen)
    {
        if (string.Equals(moment, chosen, StringComparison.Ordinal))
        {
            Process.GetCurrentProcess().Kill();

            // Not an instruction more.
            using ManualResetEvent never = new(initialState: false);
            never.WaitOne();
        }
    }
}
