namespace Shoal.Pages.Mapping;

/// <summary>
/// Places embeddings on a plane. Within a version a place never changes; from one version to the next the new plane is laid over the last one, so that what
/// stays alike stays where it was.
/// </summary>
internal sealed class AlignedMap
{
    /// <summary>Fewer items that both versions have say nothing about how to lay one over the other.</summary>
    private const int FewestShared = 3;

    private Dictionary<string, Point> _places = new(StringComparer.Ordinal);
    private Plane? _plane;
    private Similarity _lay;
    private int _version;

    /// <summary>Places a version's embeddings.</summary>
    /// <param name="version">The version that encodes so.</param>
    /// <param name="table">The embeddings, [N, D].</param>
    /// <returns>The places, [N].</returns>
    public Point[] Place(int version, EmbeddingTable table)
    {
        if (table.Ids.Length == 0 || table.Width < 2)
        {
            return new Point[table.Ids.Length];
        }

        if (_plane is null || version != _version || table.Width != _plane.Width)
        {
            _plane = Plane.Fit(table);
            _lay = Lay(table, _plane);
            _version = version;
        }

        var places = new Point[table.Ids.Length];
        var known = new Dictionary<string, Point>(places.Length, StringComparer.Ordinal);
        for (int i = 0; i < places.Length; i++)
        {
            known[table.Ids[i]] = places[i] = _lay.Of(_plane.Project(table[i]));
        }

        _places = known;
        return places;
    }

    private Similarity Lay(EmbeddingTable table, Plane plane)
    {
        int[] shared = [.. Enumerable.Range(0, table.Ids.Length).Where(row => _places.ContainsKey(table.Ids[row]))];
        return shared.Length < FewestShared
            ? Similarity.Standard([.. Enumerable.Range(0, table.Ids.Length).Select(row => plane.Project(table[row]))])
            : Similarity.Fit([.. shared.Select(row => plane.Project(table[row]))], [.. shared.Select(row => _places[table.Ids[row]])]);
    }
}
