using System.Globalization;

namespace Shoal.Storage;

/// <summary>Names a log's segments and reads records from them.</summary>
/// <remarks>
/// A segment is appended to under its first name, <c>00000001.seg</c>. Whoever must change bytes of it (a compaction, a repair) puts a
/// whole new generation, <c>00000001.0001.seg</c>, and removes the one before: offsets stay what they were. The highest generation counts.
/// </remarks>
internal sealed class LogSegments(IObjectStore store, string prefix)
{
    // No record can be longer: 96 MiB is the largest call, and a call of one item adds an id, a media type and metadata.
    internal const int MaxRecordBytes = 128 << 20;
    private const string Suffix = ".seg";

    private readonly Dictionary<int, int> _generations = [];

    internal string Prefix => prefix;

    /// <summary>The name under which a segment is read.</summary>
    internal string Name(int segment)
    {
        lock (_generations)
        {
            return Name(segment, _generations.GetValueOrDefault(segment));
        }
    }

    /// <summary>How often bytes of segments were changed: an index that knows of fewer changes is not of this log any more.</summary>
    internal UInt128 Changes
    {
        get
        {
            lock (_generations)
            {
                return (UInt128)_generations.Values.Sum();
            }
        }
    }

    /// <summary>The lengths of the segments, in order; they are numbered from 1 without gaps. Generations that others took the place of are removed.</summary>
    internal async Task<List<long>> ListAsync(CancellationToken ct)
    {
        (List<long> lengths, List<string> old) = await LookAsync(ct);
        foreach (string name in old)
        {
            await store.DeleteAsync(name, ct);
        }

        return lengths;
    }

    /// <summary>The lengths of the segments, in order, and the names of generations that others took the place of.</summary>
    internal async Task<(List<long> Lengths, List<string> Old)> LookAsync(CancellationToken ct)
    {
        SortedDictionary<int, (int Generation, long Length)> found = [];
        List<string> old = [];
        await foreach (ObjectInfo info in store.ListAsync(prefix + "/", ct))
        {
            if (!TryParse(info.Name[(prefix.Length + 1)..], out int segment, out int generation))
            {
                continue;
            }

            if (found.TryGetValue(segment, out (int Generation, long Length) other))
            {
                old.Add(Name(segment, Math.Min(generation, other.Generation)));
            }

            if (other == default || generation > other.Generation)
            {
                found[segment] = (generation, info.Length);
            }
        }

        int next = 1;
        foreach (int segment in found.Keys)
        {
            if (segment != next++)
            {
                throw new StorageCorruptException(prefix, next - 1, 0, $"the segment is missing, but segment {segment} is there");
            }
        }

        lock (_generations)
        {
            _generations.Clear();
            foreach ((int segment, (int generation, _)) in found)
            {
                _generations[segment] = generation;
            }
        }

        return ([.. found.Values.Select(segment => segment.Length)], old);
    }

    /// <summary>The length of a segment that another one follows: it may have been listed before its end was written, and the next one after that.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="listed">Its length as it was listed.</param>
    /// <param name="ct">Stops it.</param>
    internal async Task<long> EndAsync(int segment, long listed, CancellationToken ct) => Math.Max(listed, (await store.StatAsync(Name(segment), ct))?.Length ?? 0);

    /// <summary>Puts a new generation of a segment in place of the one before; its offsets must be the same.</summary>
    /// <exception cref="ObjectConflictException">Somebody else has put one.</exception>
    internal async Task ReplaceAsync(int segment, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        string before = Name(segment);
        int generation;
        lock (_generations)
        {
            generation = _generations.GetValueOrDefault(segment) + 1;
        }

        await store.PutAsync(Name(segment, generation), content, PutCondition.IfAbsent, ct);
        lock (_generations)
        {
            _generations[segment] = generation;
        }

        await store.DeleteAsync(before, ct);
    }

    /// <summary>Reads bytes of a segment; where there are none, once more under the name that it has now.</summary>
    internal async Task<int> ReadAsync(int segment, long offset, Memory<byte> buffer, CancellationToken ct)
    {
        string name = Name(segment);
        int read = await store.ReadAsync(name, offset, buffer, ct);
        if (read > 0 || buffer.Length == 0)
        {
            return read;
        }

        await foreach (ObjectInfo info in store.ListAsync($"{prefix}/{segment:D8}.", ct))
        {
            if (TryParse(info.Name[(prefix.Length + 1)..], out int found, out int generation) && found == segment)
            {
                lock (_generations)
                {
                    _generations[segment] = Math.Max(generation, _generations.GetValueOrDefault(segment));
                }
            }
        }

        return string.Equals(name, Name(segment), StringComparison.Ordinal) ? 0 : await store.ReadAsync(Name(segment), offset, buffer, ct);
    }

    /// <summary>A whole segment.</summary>
    internal async Task<byte[]> ReadWholeAsync(int segment, CancellationToken ct)
    {
        byte[] bytes = new byte[(await store.StatAsync(Name(segment), ct))?.Length ?? 0];
        int have = 0;
        for (int read = 1; read > 0 && have < bytes.Length; have += read)
        {
            read = await ReadAsync(segment, have, bytes.AsMemory(have), ct);
        }

        return bytes[..have];
    }

    /// <summary>Reads the record at a place; null when there is no valid one.</summary>
    internal async Task<(LogRecordHeader Header, byte[] Bytes)?> TryReadAsync(int segment, long offset, int length, CancellationToken ct)
    {
        byte[] bytes = new byte[length];
        int read = await ReadAsync(segment, offset, bytes, ct);
        return LogRecordCodec.TryReadHeader(bytes.AsSpan(0, read), out LogRecordHeader header)
            && LogRecordCodec.IsValid(bytes.AsSpan(0, read), header, segment, offset) ? (header, bytes) : null;
    }

    /// <summary>Which log this is: the random name in its first record, and how often the log was changed; null when there is no such record.</summary>
    internal async Task<UInt128?> IdentityAsync(CancellationToken ct)
    {
        const int Length = LogRecordCodec.HeaderBytes + LogWriterName.Bytes;
        return await TryReadAsync(segment: 1, offset: 0, Length, ct) is ({ Kind: LogRecordKind.Epoch } header, byte[] bytes)
            ? LogWriterName.Parse(LogRecordCodec.ReadId(bytes, header)) + Changes : null;
    }

    private string Name(int segment, int generation) =>
        generation == 0 ? $"{prefix}/{segment:D8}{Suffix}" : $"{prefix}/{segment:D8}.{generation:D4}{Suffix}";

    private static bool TryParse(string file, out int segment, out int generation)
    {
        segment = generation = 0;
        if (!file.EndsWith(Suffix, StringComparison.Ordinal))
        {
            return false;
        }

        string[] parts = file[..^Suffix.Length].Split('.');
        return parts.Length is 1 or 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out segment)
            && (parts.Length == 1 || int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out generation));
    }
}

/// <summary>The random name that a writer puts into its epoch records, so that no two openers write the same bytes.</summary>
internal static class LogWriterName
{
    internal const int Bytes = 32;

    // Must be unique among processes, so it comes from the system and not from a seed.
    internal static string Create() => Guid.NewGuid().ToString("N");

    internal static UInt128? Parse(string name) =>
        UInt128.TryParse(name, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out UInt128 value) ? value : null;
}
