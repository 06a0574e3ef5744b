using System.Buffers.Binary;
using System.Buffers.Text;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Where a reader stands in the changes of a dataset: one place a shard, and one in its events.</summary>
/// <param name="Events">The number of the event read last; -1 to begin with the next one.</param>
/// <param name="Shards">The place in each shard.</param>
internal sealed record ChangeCursor(long Events, FeedPlace[] Shards)
{
    /// <summary>What is taken for the place behind everything that there is.</summary>
    public const string End = "end";

    // Format 1: version 1, events as a variable-length number, then for each shard: generation 4, number and sweep (both + 1) so, behind 1.
    private const byte Format = 1;

    /// <summary>Reads a cursor.</summary>
    /// <param name="text">What a page gave; null or empty for the start, <see cref="End"/> for what comes from now on.</param>
    /// <param name="shards">How many shards the dataset has.</param>
    /// <exception cref="ShoalException">Invalid.</exception>
    public static ChangeCursor Parse(string? text, int shards)
    {
        if (string.IsNullOrEmpty(text))
        {
            return new ChangeCursor(0, [.. Enumerable.Repeat(FeedPlace.Start, shards)]);
        }

        return string.Equals(text, End, StringComparison.Ordinal)
            ? new ChangeCursor(-1, [.. Enumerable.Repeat(FeedPlace.End, shards)])
            : Read(text, shards) ?? throw new ShoalException(
                ShoalErrorKind.Invalid, $"The cursor is none that this dataset gave; leave it out to be told how all items stand, or give '{End}' for what comes from now on.");
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var bytes = new List<byte> { Format };
        Write(bytes, Events + 1);
        Span<byte> generation = stackalloc byte[sizeof(uint)];
        foreach (FeedPlace shard in Shards)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(generation, shard.Generation);
            bytes.AddRange(generation);
            Write(bytes, shard.Number + 1);
            Write(bytes, shard.Sweep + 1);
            bytes.Add(shard.Behind ? (byte)1 : (byte)0);
        }

        return Base64Url.EncodeToString([.. bytes]);
    }

    // Null where it is not one.
    private static ChangeCursor? Read(string text, int shards)
    {
        if (!Base64Url.IsValid(text))
        {
            return null;
        }

        ReadOnlySpan<byte> bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length == 0 || bytes[0] != Format)
        {
            return null;
        }

        bytes = bytes[1..];
        var places = new FeedPlace[shards];
        if (!TryRead(ref bytes, out long events))
        {
            return null;
        }

        for (int i = 0; i < shards; i++)
        {
            if (bytes.Length < sizeof(uint))
            {
                return null;
            }

            uint generation = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            bytes = bytes[sizeof(uint)..];
            if (!TryRead(ref bytes, out long number) || !TryRead(ref bytes, out long sweep) || bytes.Length == 0 || bytes[0] > 1)
            {
                return null;
            }

            places[i] = new FeedPlace(generation, number - 1, sweep - 1, bytes[0] == 1);
            bytes = bytes[1..];
        }

        return bytes.Length == 0 ? new ChangeCursor(events - 1, places) : null;
    }

    private static void Write(List<byte> bytes, long value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
    }

    private static bool TryRead(ref ReadOnlySpan<byte> bytes, out long value)
    {
        value = 0;
        for (int i = 0; i < bytes.Length && i < 9; i++)
        {
            value |= (long)(bytes[i] & 0x7F) << (7 * i);
            if ((bytes[i] & 0x80) == 0)
            {
                bytes = bytes[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
