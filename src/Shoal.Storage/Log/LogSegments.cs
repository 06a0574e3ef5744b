using System.Globalization;

namespace Shoal.Storage;

/// <summary>Names a log's segments and reads records from them.</summary>
internal sealed class LogSegments(IObjectStore store, string prefix)
{
    // No record can be longer: 96 MiB is the largest call, and a call of one item adds an id, a media type and metadata.
    internal const int MaxRecordBytes = 128 << 20;
    private const string Suffix = ".seg";

    internal string Prefix => prefix;

    internal string Name(int segment) => $"{prefix}/{segment:D8}{Suffix}";

    /// <summary>The lengths of the segments, in order; they are numbered from 1 without gaps.</summary>
    internal async Task<List<long>> ListAsync(CancellationToken ct)
    {
        List<long> lengths = [];
        await foreach (ObjectInfo info in store.ListAsync(prefix + "/", ct))
        {
            string file = info.Name[(prefix.Length + 1)..];
            if (!file.EndsWith(Suffix, StringComparison.Ordinal)
                || !int.TryParse(file.AsSpan(0, file.Length - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int segment))
            {
                continue;
            }

            if (segment != lengths.Count + 1)
            {
                throw new StorageCorruptException(prefix, lengths.Count + 1, 0, $"the segment is missing, but segment {segment} is there");
            }

            lengths.Add(info.Length);
        }

        return lengths;
    }

    /// <summary>Reads the record at a place; null when there is no valid one.</summary>
    internal async Task<(LogRecordHeader Header, byte[] Bytes)?> TryReadAsync(int segment, long offset, int length, CancellationToken ct)
    {
        byte[] bytes = new byte[length];
        int read = await store.ReadAsync(Name(segment), offset, bytes, ct);
        return LogRecordCodec.TryReadHeader(bytes.AsSpan(0, read), out LogRecordHeader header)
            && LogRecordCodec.IsValid(bytes.AsSpan(0, read), header, segment, offset) ? (header, bytes) : null;
    }

    /// <summary>Which log this is: the random name in its first record; null when there is no such record.</summary>
    internal async Task<UInt128?> IdentityAsync(CancellationToken ct)
    {
        const int Length = LogRecordCodec.HeaderBytes + LogWriterName.Bytes;
        return await TryReadAsync(segment: 1, offset: 0, Length, ct) is ({ Kind: LogRecordKind.Epoch } header, byte[] bytes)
            ? LogWriterName.Parse(LogRecordCodec.ReadId(bytes, header)) : null;
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
