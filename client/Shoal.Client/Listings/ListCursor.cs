using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Where a listing stands: its order, and a place a shard.</summary>
/// <param name="Newest">Whether the newest come first.</param>
/// <param name="Shards">The place in each shard.</param>
internal sealed record ListCursor(bool Newest, ListPlace[] Shards)
{
    // Format 2 (1 is a change cursor's): the order 1, then for each shard end and next (both + 1) as numbers of 7 bits a byte.
    private const byte Format = 2;

    /// <summary>Reads a cursor.</summary>
    /// <param name="text">What a page gave; null or empty to begin.</param>
    /// <param name="newest">The order asked for.</param>
    /// <param name="shards">How many shards the dataset has.</param>
    /// <exception cref="ShoalException">Invalid.</exception>
    public static ListCursor Parse(string? text, bool newest, int shards)
    {
        if (string.IsNullOrEmpty(text))
        {
            return new ListCursor(newest, [.. Enumerable.Repeat(ListPlace.Start, shards)]);
        }

        return Read(text, shards) is { } cursor && cursor.Newest == newest
            ? cursor
            : throw new ShoalException(ShoalErrorKind.Invalid, "The cursor is none that a page of this dataset in this order gave; leave it out to begin anew.");
    }

    /// <inheritdoc/>
    public override string ToString() => CursorText.Write(Format, writer =>
    {
        writer.Write(Newest);
        foreach (ListPlace place in Shards)
        {
            writer.Write7BitEncodedInt64(place.End + 1);
            writer.Write7BitEncodedInt64(place.Next + 1);
        }
    });

    // Null where it is not one.
    private static ListCursor? Read(string text, int shards) => CursorText.Read(text, Format, reader =>
    {
        bool newest = reader.ReadBoolean();
        var places = new ListPlace[shards];
        for (int i = 0; i < shards; i++)
        {
            long end = reader.Read7BitEncodedInt64() - 1;
            places[i] = new ListPlace(reader.Read7BitEncodedInt64() - 1, end);
        }

        return Array.TrueForAll(places, place => place is { Next: >= -1, End: >= -1 }) ? new ListCursor(newest, places) : null;
    });
}
