using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Where a reader stands in the changes of a dataset: one place a shard, and one in its events.</summary>
/// <param name="Events">The number of the event read last; -1 to begin with the next one.</param>
/// <param name="Shards">The place in each shard.</param>
internal sealed record ChangeCursor(long Events, FeedPlace[] Shards)
{
    /// <summary>What is taken for the place behind everything that there is.</summary>
    public const string End = "end";

    // Format 1: version 1, events as a number of 7 bits a byte, then for each shard: generation 4, number and sweep (all three + 1) so, behind 1.
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
    public override string ToString() => CursorText.Write(Format, writer =>
    {
        writer.Write7BitEncodedInt64(Events + 1);
        foreach (FeedPlace shard in Shards)
        {
            writer.Write(shard.Generation);
            writer.Write7BitEncodedInt64(shard.Number + 1);
            writer.Write7BitEncodedInt64(shard.Sweep + 1);
            writer.Write(shard.Behind);
        }
    });

    // Null where it is not one.
    private static ChangeCursor? Read(string text, int shards) => CursorText.Read(text, Format, reader =>
    {
        long events = reader.Read7BitEncodedInt64() - 1;
        var places = new FeedPlace[shards];
        for (int i = 0; i < shards; i++)
        {
            places[i] = new FeedPlace(reader.ReadUInt32(), reader.Read7BitEncodedInt64() - 1, reader.Read7BitEncodedInt64() - 1, reader.ReadBoolean());
        }

        return events >= -1 && Array.TrueForAll(places, place => place is { Number: >= -1, Sweep: >= -1 }) ? new ChangeCursor(events, places) : null;
    });
}
