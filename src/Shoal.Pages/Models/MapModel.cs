using Shoal.Contracts;
using Shoal.Pages.Data;
using Shoal.Pages.Mapping;

namespace Shoal.Pages.Models;

/// <summary>A map of a dataset's items.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Version">The published version; 0 when none is.</param>
/// <param name="Groups">The items by cluster: the largest clusters, then all others, then items without one; none of them empty.</param>
public sealed record MapModel(string Dataset, int Version, IReadOnlyList<MapGroup> Groups)
{
    /// <summary>How many items are on it.</summary>
    public int Items => Groups.Sum(group => group.Ids.Count);

    /// <summary>Whether another map shows the same: places go with the version.</summary>
    /// <param name="other">The other map.</param>
    internal bool IsSameAs(MapModel other) => Version == other.Version && Groups.Count == other.Groups.Count && Groups.Zip(other.Groups).All(pair => IsSame(pair.First, pair.Second));

    private static bool IsSame(MapGroup one, MapGroup other) =>
        (one.Name, one.Colour) == (other.Name, other.Colour) && one.Ids.SequenceEqual(other.Ids, StringComparer.Ordinal);
}

/// <summary>Items of one colour.</summary>
/// <param name="Name">What they are.</param>
/// <param name="Colour">The colour, <c>#rrggbb</c>.</param>
/// <param name="Ids">The items' ids, [N].</param>
/// <param name="Places">Where they lie, [N].</param>
public sealed record MapGroup(string Name, string Colour, IReadOnlyList<string> Ids, IReadOnlyList<Point> Places);

/// <summary>Makes the map; keeps where items lay from one version to the next.</summary>
/// <param name="source">Where from.</param>
/// <param name="dataset">The dataset's name.</param>
internal sealed class MapReader(IShoalSource source, string dataset)
{
    /// <summary>Points that a browser draws smoothly on a small machine, and that tell clusters apart.</summary>
    private const int MostItems = 10_000;

    private readonly AlignedMap _map = new();
    private MapModel? _last;

    /// <summary>Makes it.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ShoalException">The items cannot be read.</exception>
    public async Task<MapModel> ReadAsync(CancellationToken cancellationToken)
    {
        PublishedVersion[] versions = await source.VersionsAsync(dataset, cancellationToken);
        if (versions.Length == 0)
        {
            return new MapModel(dataset, 0, []);
        }

        EmbeddingSlice[] slices = await source.SampleEmbeddingsAsync(dataset, MostItems, cancellationToken);
        (PublishedVersion version, EmbeddingTable table) = Choose(versions, slices);
        ItemAnswer[] items = await source.GetManyAsync(dataset, table.Ids, cancellationToken);
        var map = new MapModel(dataset, version.Version, Colours.Group(items, _map.Place(version.EncoderVersion, table)));

        // A map that has not changed stays the same object, which no page draws anew.
        return _last = _last?.IsSameAs(map) == true ? _last : map;
    }

    // The newest encoder that has embedded half of the items: a version that was just published has embedded none.
    private static (PublishedVersion Version, EmbeddingTable Table) Choose(PublishedVersion[] versions, EmbeddingSlice[] slices)
    {
        PublishedVersion[] encoders = [.. versions.DistinctBy(version => version.EncoderVersion).OrderByDescending(version => version.EncoderVersion)];
        int enough = slices.Sum(slice => slice.Ids.Length) / 2;
        (PublishedVersion Version, EmbeddingTable Table) most = (encoders[0], EmbeddingTable.Of(slices, encoders[0].EncoderVersion));
        for (int i = 1; i < encoders.Length && most.Table.Ids.Length < enough; i++)
        {
            EmbeddingTable table = EmbeddingTable.Of(slices, encoders[i].EncoderVersion, encoders[i - 1].EncoderVersion);
            most = table.Ids.Length > most.Table.Ids.Length ? (encoders[i], table) : most;
        }

        return most;
    }
}
