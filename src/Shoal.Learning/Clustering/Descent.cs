namespace Shoal.Learning;

/// <summary>What becomes of the published clusters when a candidate takes their place: told by the rehearsed samples that both have seen.</summary>
/// <remarks>
/// Each published cluster goes on in at most one of the candidate's, so that together the most samples stay where they were. It
/// goes on only if half of its samples or half of the candidate's are shared: an id must never end up on other content.
/// </remarks>
/// <param name="Inherited">For each slot the id of the published cluster that it goes on as; 0 for a new cluster, -1 for a slot without a prototype.</param>
/// <param name="Parents">For each slot with a new cluster the published one that half of its samples were of; 0 where there is none.</param>
/// <param name="Sizes">Rehearsed samples in each slot.</param>
/// <param name="Heirs">For each published id that goes on in no slot: the slot that half of its samples went to, -1 where there is none.</param>
public sealed record Descent(
    IReadOnlyList<long> Inherited, IReadOnlyList<long> Parents, IReadOnlyList<int> Sizes, IReadOnlyDictionary<long, int> Heirs)
{
    /// <summary>Nothing published and nothing to publish.</summary>
    public static Descent None { get; } = new([], [], [], new Dictionary<long, int>());

    /// <summary>Finds it.</summary>
    /// <param name="before">The published cluster of each sample, 0 where it is not known.</param>
    /// <param name="now">The slot of each sample.</param>
    /// <param name="used">Whether a slot has a prototype.</param>
    /// <param name="published">The id in each slot of the published version; 0 or less where there is none.</param>
    public static Descent Of(ReadOnlySpan<long> before, ReadOnlySpan<int> now, IReadOnlyList<bool> used, IReadOnlyList<long> published)
    {
        ArgumentNullException.ThrowIfNull(used);
        ArgumentNullException.ThrowIfNull(published);
        long[] ids = [.. published.Where(id => id > 0).Distinct().Order()];
        var (shared, totals, sizes) = (new int[ids.Length, used.Count], new int[ids.Length], new int[used.Count]);
        for (var i = 0; i < now.Length; i++)
        {
            sizes[now[i]]++;
            if (Array.BinarySearch(ids, before[i]) is var id && id >= 0)
            {
                shared[id, now[i]]++;
                totals[id]++;
            }
        }

        var (inherited, parents) = (used.Select(has => has ? 0L : -1).ToArray(), new long[used.Count]);
        var heirs = new Dictionary<long, int>();
        foreach (var (id, slot) in MostShared(shared).Index())
        {
            if (slot < used.Count && shared[id, slot] > 0 && (shared[id, slot] * 2 >= totals[id] || shared[id, slot] * 2 >= sizes[slot]))
            {
                inherited[slot] = ids[id];
            }
            else
            {
                heirs[ids[id]] = Enumerable.Range(0, used.Count).FirstOrDefault(heir => shared[id, heir] > 0 && shared[id, heir] * 2 >= totals[id], -1);
            }
        }

        for (var slot = 0; slot < used.Count; slot++)
        {
            // No sample speaks for or against it: it stays what it was.
            if (inherited[slot] == 0 && sizes[slot] == 0 && slot < published.Count && heirs.GetValueOrDefault(published[slot]) == -1)
            {
                inherited[slot] = published[slot];
                heirs.Remove(published[slot]);
            }

            if (inherited[slot] == 0 && sizes[slot] > 0)
            {
                parents[slot] = Enumerable.Range(0, ids.Length).Where(id => shared[id, slot] * 2 >= sizes[slot]).Select(id => ids[id]).FirstOrDefault();
            }
        }

        return new Descent(inherited, parents, sizes, heirs);
    }

    // The slot of each id, one each, that together share most; slots past the last are none.
    private static int[] MostShared(int[,] shared)
    {
        var (ids, slots) = (shared.GetLength(0), shared.GetLength(1));
        var cost = new double[ids, slots + ids];
        for (var id = 0; id < ids; id++)
        {
            for (var slot = 0; slot < slots; slot++)
            {
                cost[id, slot] = -shared[id, slot];
            }
        }

        return Hungarian.Assign(cost);
    }
}
