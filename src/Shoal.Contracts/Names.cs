using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Shoal.Contracts;

/// <summary>Rules for the names that users choose.</summary>
public static class Names
{
    /// <summary>Longest dataset name, in characters: it is a folder and a container name on every store.</summary>
    public const int MaxDatasetLength = 63;

    /// <summary>Longest item id, in UTF-8 bytes.</summary>
    public const int MaxItemIdBytes = 512;

    private const char WindowMark = '@';

    /// <summary>The id of a recording's window, <c>RECORDING@MILLISECONDS</c>.</summary>
    /// <param name="recording">The recording's id.</param>
    /// <param name="seconds">Where the window begins.</param>
    public static string WindowId(string recording, double seconds) => string.Create(CultureInfo.InvariantCulture, $"{recording}{WindowMark}{Math.Round(seconds * 1_000):F0}");

    /// <summary>Says what is wrong with a dataset name; null when it is fine.</summary>
    /// <param name="name">The name to check.</param>
    public static string? DatasetProblem(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return "The dataset name is empty; give 1 to 63 of a-z, 0-9, '-' and '_'.";
        }

        bool good = name.Length <= MaxDatasetLength
            && char.IsAsciiLetterLower(name[0]) | char.IsAsciiDigit(name[0])
            && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');
        return good ? null : "The dataset name must start with a-z or 0-9 and hold 1 to 63 of a-z, 0-9, '-' and '_'.";
    }

    /// <summary>Says what is wrong with an item id; null when it is fine.</summary>
    /// <param name="id">The id to check.</param>
    public static string? ItemIdProblem(string? id)
    {
        if (string.IsNullOrEmpty(id))
        {
            return "The item id is empty; give 1 to 512 bytes of UTF-8 text.";
        }

        // A UTF-8 byte count is at least the character count, so the cheap test comes first.
        if (id.Length > MaxItemIdBytes || Encoding.UTF8.GetByteCount(id) > MaxItemIdBytes)
        {
            return $"The item id is longer than {MaxItemIdBytes} bytes of UTF-8; shorten it or hash it.";
        }

        foreach (Rune rune in id.EnumerateRunes())
        {
            if (Rune.IsControl(rune))
            {
                return $"The item id holds the control character U+{rune.Value:X4}; remove it.";
            }

            if (rune == Rune.ReplacementChar)
            {
                return "The item id is not valid Unicode; send UTF-8.";
            }
        }

        return null;
    }
}

/// <summary>The first 128 bits of the SHA-256 of an item id: what shards are chosen by and indexes are keyed by.</summary>
/// <param name="High">Bits 0 to 63, big-endian.</param>
/// <param name="Low">Bits 64 to 127, big-endian.</param>
public readonly record struct ItemKey(ulong High, ulong Low)
{
    /// <summary>Hashes an item id.</summary>
    /// <param name="id">The item id, valid by <see cref="Names.ItemIdProblem"/>.</param>
    public static ItemKey Of(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        Span<byte> utf8 = stackalloc byte[Names.MaxItemIdBytes];
        int length = Encoding.UTF8.GetBytes(id, utf8);
        return OfBytes(utf8[..length]);
    }

    /// <summary>Hashes any bytes; also the identity of an item's content.</summary>
    /// <param name="bytes">The bytes.</param>
    public static ItemKey OfBytes(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return new ItemKey(BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]));
    }

    /// <summary>The shard that owns this item; fixed for the life of a dataset.</summary>
    /// <param name="shards">The dataset's shard count.</param>
    public int Shard(int shards) => (int)(Low % (uint)shards);
}

/// <summary>Grain keys, made and read in one place.</summary>
public static class GrainKeys
{
    /// <summary>The key of the one catalog.</summary>
    public const string Catalog = "catalog";

    /// <summary>The key of the one list of keys of the HTTP API.</summary>
    public const string Access = "access";

    /// <summary>The key of the one audit log.</summary>
    public const string Audit = "audit";

    /// <summary>The key of the one list of webhooks.</summary>
    public const string Webhooks = "webhooks";

    /// <summary>The key of a dataset's shard.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="shard">The shard's number.</param>
    public static string Shard(string dataset, int shard) => $"{dataset}/{shard:D4}";

    /// <summary>The key of a dataset's training seat on a silo.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="silo">The silo, as <c>SiloAddress.ToParsableString()</c> writes it.</param>
    public static string Seat(string dataset, string silo) => $"{dataset}/{silo}";

    /// <summary>The key of an item's façade.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    public static string Item(string dataset, string id) => $"{dataset}/{id}";

    /// <summary>Splits a key at its first slash: a dataset's name holds none.</summary>
    /// <param name="key">A key made by this class.</param>
    public static (string Dataset, string Suffix) Split(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash < 0
            ? throw new ArgumentException($"The grain key '{key}' has no slash; make it with {nameof(GrainKeys)}.", nameof(key))
            : (key[..slash], key[(slash + 1)..]);
    }
}

/// <summary>Calls that manage datasets.</summary>
public static class Management
{
    /// <summary>How long such a call may take: it waits for training to stop, or removes many objects. Others are repeated after seconds.</summary>
    public const string Patience = "00:00:20";
}

/// <summary>Names of Orleans stream providers and namespaces.</summary>
public static class StreamNames
{
    /// <summary>The memory stream provider that carries hints; it may lose them when a silo dies.</summary>
    public const string Provider = "shoal";

    /// <summary>The stream provider over the logs of datasets: what is produced is durable, and subscribers begin anywhere.</summary>
    public const string Log = "shoal-log";

    /// <summary>The namespace of datasets' items (<see cref="ItemUpload"/>) in <see cref="Log"/>; the stream key is the dataset's name.</summary>
    public const string Items = "shoal.items";

    /// <summary>Hints that a shard has new items (<see cref="ArrivalHint"/>); the stream key is the seat's grain key.</summary>
    public const string Arrivals = "shoal.arrivals";
}
