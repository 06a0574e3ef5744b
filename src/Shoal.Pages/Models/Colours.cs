using Shoal.Contracts;
using Shoal.Pages.Mapping;

namespace Shoal.Pages.Models;

/// <summary>Colours of clusters. A cluster has the same one on every page and in every version: it goes by its id.</summary>
public static class Colours
{
    /// <summary>Clusters with an entry of their own in the legend.</summary>
    public const int MostNamed = 20;

    /// <summary>Of items without a cluster, and of clusters without an entry.</summary>
    public const string None = "#8c8c8c";

    // The golden angle: any number of steps of it never comes close to an earlier one soon.
    private const double Step = 137.508;

    /// <summary>The colour of a cluster, <c>#rrggbb</c>; of middle lightness, so that it is seen on white and on black.</summary>
    /// <param name="cluster">Its id.</param>
    public static string Of(long cluster)
    {
        double hue = cluster * Step % 360;
        double lightness = cluster % 2 == 0 ? 0.52 : 0.6;
        return $"#{Channel(hue, lightness, 0):x2}{Channel(hue, lightness, 8):x2}{Channel(hue, lightness, 4):x2}";
    }

    /// <summary>Groups items by colour.</summary>
    /// <param name="items">The items, [N].</param>
    /// <param name="places">Where they lie, [N].</param>
    public static IReadOnlyList<MapGroup> Group(IReadOnlyList<ItemAnswer> items, IReadOnlyList<Point> places)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(places);
        IGrouping<long?, int>[] clusters =
        [
            .. Enumerable.Range(0, items.Count).GroupBy(i => items[i].Cluster).Where(cluster => cluster.Key is not null)
                .OrderByDescending(cluster => cluster.Count()).ThenBy(cluster => cluster.Key),
        ];
        MapGroup[] groups =
        [
            .. clusters.Take(MostNamed).Select(cluster => Make(Texts.Cluster(cluster.Key, items[cluster.First()].ClusterName), Of(cluster.Key ?? 0), cluster)),
            Make("other clusters", None, clusters.Skip(MostNamed).SelectMany(cluster => cluster)),
            Make("no cluster", None, Enumerable.Range(0, items.Count).Where(i => items[i].Cluster is null)),
        ];
        return [.. groups.Where(group => group.Ids.Count > 0)];

        MapGroup Make(string name, string colour, IEnumerable<int> members)
        {
            int[] rows = [.. members];
            return new MapGroup(name, colour, Array.ConvertAll(rows, i => items[i].Id), Array.ConvertAll(rows, i => places[i]));
        }
    }

    // HSL to RGB with a saturation of 0.6 (CSS Color Module Level 4, section 7.1).
    private static int Channel(double hue, double lightness, int offset)
    {
        double k = (offset + (hue / 30)) % 12;
        double chroma = 0.6 * Math.Min(lightness, 1 - lightness);
        return (int)Math.Round(255 * (lightness - (chroma * Math.Max(-1, Math.Min(Math.Min(k - 3, 9 - k), 1)))));
    }
}
