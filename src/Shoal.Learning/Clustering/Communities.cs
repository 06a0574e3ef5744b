namespace Shoal.Learning;

/// <summary>Finds the dense groups of a graph: as many as there are, but no more than asked for.</summary>
/// <remarks>
/// Louvain's method (Blondel et al. 2008) with a resolution (Reichardt and Bornholdt 2006): moves nodes, then groups of them,
/// as long as that raises Q = Σ over groups of inside / total - resolution · (degrees / total)². Where more are found than
/// asked for, the two with the most weight between them for their degrees are joined, again and again: those that a falling
/// resolution would join first.
/// </remarks>
public static class Communities
{
    private const double LeastGain = 1e-12;

    // Moving converges after about ten passes; a tie that swings for ever must not.
    private const int MostPasses = 50;

    /// <summary>Finds them.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="resolution">Above 0; more finds more.</param>
    /// <param name="most">Most communities; 1 and up.</param>
    /// <param name="random">The order in which nodes are tried.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    /// <returns>The community of each node, numbered densely from 0.</returns>
    public static int[] Find(NeighbourGraph graph, double resolution, int most, Random random, Action? between = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(random);
        var communities = Enumerable.Range(0, graph.Count).ToArray();
        var level = graph;
        while (true)
        {
            var groups = Move(level, resolution, random);
            var count = Number(groups);
            if (count == level.Count)
            {
                break;
            }

            communities = Array.ConvertAll(communities, node => groups[node]);
            level = level.Contract(groups, count);
            between?.Invoke();
        }

        var joined = Join(level, most);
        communities = Array.ConvertAll(communities, node => joined[node]);
        Number(communities);
        return communities;
    }

    // The group of each node after moving single nodes where they gain most.
    private static int[] Move(NeighbourGraph graph, double resolution, Random random)
    {
        var groups = Enumerable.Range(0, graph.Count).ToArray();
        var degrees = graph.Degrees.ToArray();
        var order = groups.ToArray();
        random.Shuffle(order);
        var (links, touched) = (new double[graph.Count], new List<int>());
        var moved = true;
        for (var pass = 0; moved && pass < MostPasses; pass++)
        {
            moved = false;
            foreach (var node in order)
            {
                var (own, degree) = (groups[node], graph.Degrees[node]);
                foreach (var (target, weight) in graph.Links(node))
                {
                    var group = groups[target];
                    if (links[group] == 0)
                    {
                        touched.Add(group);
                    }

                    links[group] += weight;
                }

                degrees[own] -= degree;
                double Gain(int group) => links[group] - (resolution * degrees[group] * degree / graph.Total);
                var (best, most) = (own, Gain(own));
                foreach (var group in touched)
                {
                    if (Gain(group) > most + LeastGain)
                    {
                        (best, most) = (group, Gain(group));
                    }
                }

                degrees[best] += degree;
                groups[node] = best;
                moved |= best != own;
                touched.ForEach(group => links[group] = 0);
                touched.Clear();
            }
        }

        return groups;
    }

    // The group of each node once no more than so many are left.
    private static int[] Join(NeighbourGraph graph, int most)
    {
        var groups = Enumerable.Range(0, graph.Count).ToArray();
        while (graph.Count > most)
        {
            var (first, second, closest) = (0, 1, -1.0);
            for (var node = 0; node < graph.Count; node++)
            {
                foreach (var (target, weight) in graph.Links(node))
                {
                    var closeness = weight / (graph.Degrees[node] * graph.Degrees[target]);
                    if (node < target && closeness > closest)
                    {
                        (first, second, closest) = (node, target, closeness);
                    }
                }
            }

            var step = Enumerable.Range(0, graph.Count).Select(node => node == second ? first : node).ToArray();
            var count = Number(step);
            groups = Array.ConvertAll(groups, node => step[node]);
            graph = graph.Contract(step, count);
        }

        return groups;
    }

    // Numbers groups densely from 0, in the order in which they first appear; returns how many there are.
    private static int Number(int[] groups)
    {
        var numbers = new Dictionary<int, int>();
        for (var i = 0; i < groups.Length; i++)
        {
            if (!numbers.TryGetValue(groups[i], out var number))
            {
                numbers[groups[i]] = number = numbers.Count;
            }

            groups[i] = number;
        }

        return numbers.Count;
    }
}
