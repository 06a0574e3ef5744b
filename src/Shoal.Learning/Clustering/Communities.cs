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

    // How many links two halves of one cluster share grows with its size as n^((m - 1) / m) where it has m dimensions, as a
    // section's area does with a body's volume; this is m = 2.2. On MNIST odd pieces keep slots of their own at 0.5 (shuffled
    // stream, step 300), and from 0.7 on a rare kind is taken for a piece of a frequent one (imbalanced stream, step 281).
    private const double Section = 0.55;

    // How much more it takes to join large groups than small ones beyond density: on MNIST 454 nines send 2.1 % of their links to fours
    // (shuffled stream, step 300), 66 crossed sevens 1.3 % to sevens, halves of one digit 4 % and more.
    private const double Caution = 0.5;

    // More than any ratio of two closenesses.
    private const double First = 1e6;

    // A fragment counts as so much closer to what it was one cluster with before: more than links say against it. On MNIST crossed
    // sevens send 0.1 to 0.5 % of their links to sevens and 1 to 2 % to threes, whichever they were trained with: without memory they change sides.
    private const double Kinship = 1_000;

    // What has less than this part of an equal share of all samples is a fragment; larger ones may have been joined by mistake.
    private const double Fragment = 0.5;

    // Moving converges after about ten passes; a tie that swings for ever must not.
    private const int MostPasses = 50;

    /// <summary>Finds them.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="resolution">Above 0; more finds more.</param>
    /// <param name="most">Most communities; 1 and up.</param>
    /// <param name="random">The order in which nodes are tried.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    /// <param name="before">The cluster that each node was in before, -1 for none: where some must be joined, fragments go to what they were one cluster with; null when nothing is known.</param>
    /// <returns>The community of each node, numbered densely from 0.</returns>
    public static int[] Find(NeighbourGraph graph, double resolution, int most, Random random, Action? between = null, int[]? before = null)
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

        var joined = Join(
            level,
            (joining, node, link) => link.Weight / (joining.Degrees[node] * joining.Degrees[link.Target]),
            (left, _) => left > most,
            before is null || level.Count <= most ? null : Majority(communities, before, level.Count),
            Fragment * graph.Count / most);
        communities = Array.ConvertAll(communities, node => joined[node]);
        Number(communities);
        return communities;
    }

    /// <summary>Joins communities that are pieces of one: as long as a share of the links of the smaller of two goes to the other.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="communities">As <see cref="Find"/> gave them.</param>
    /// <param name="share">0 to 1.</param>
    /// <returns>The group of each community, numbered densely from 0.</returns>
    public static int[] Unite(NeighbourGraph graph, int[] communities, double share)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(communities);
        return Join(graph.Contract(communities, communities.Max() + 1), (level, node, link) =>
            link.Weight / Math.Min(level.Degrees[node], level.Degrees[link.Target]), (_, closeness) => closeness > share);
    }

    /// <summary>Joins communities until no more are left than asked for: those first that are closest and least is lost by, should they be two after all.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="communities">As <see cref="Find"/> gave them.</param>
    /// <param name="most">Most groups; 1 and up.</param>
    /// <param name="before">The cluster that each node was in before, -1 for none: fragments go to what they were one cluster with.</param>
    /// <returns>The group of each community, numbered densely from 0.</returns>
    public static int[] Unite(NeighbourGraph graph, int[] communities, int most, int[] before)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(communities);
        ArgumentNullException.ThrowIfNull(before);
        var count = communities.Max() + 1;
        return Join(graph.Contract(communities, count), Closeness, (left, _) => left > most, Majority(communities, before, count), Fragment * graph.Count / most);

        static double Closeness(NeighbourGraph level, int node, NeighbourGraph.Link link)
            => link.Weight / (level.Degrees[node] * level.Degrees[link.Target] * Math.Pow(Math.Min(level.Degrees[node], level.Degrees[link.Target]), Caution));
    }

    /// <summary>Joins communities until no more are left than asked for: those first whose border is longest for the smaller one's size.</summary>
    /// <remarks>Nothing is made of how frequent they are, so that a rare kind is as good a cluster as a frequent one.</remarks>
    /// <param name="graph">The graph.</param>
    /// <param name="communities">As <see cref="Find"/> gave them.</param>
    /// <param name="most">Most groups; 1 and up.</param>
    /// <param name="least">Groups of fewer samples are joined before all others.</param>
    /// <param name="weakest">The smallest share of the smaller one's links that two groups had which were joined, neither too small; 1 when none were.</param>
    /// <returns>The group of each community, numbered densely from 0.</returns>
    public static int[] Unite(NeighbourGraph graph, int[] communities, int most, int least, out double weakest)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(communities);
        var share = 1.0;
        var groups = Join(graph.Contract(communities, communities.Max() + 1), Closeness, (left, _) => left > most, joined: Note);
        weakest = share;
        return groups;

        void Note(NeighbourGraph level, int first, int second)
        {
            if (Math.Min(level.Sizes[first], level.Sizes[second]) >= least)
            {
                share = Math.Min(share, level.Between(first, second) / Math.Min(level.Degrees[first], level.Degrees[second]));
            }
        }

        double Closeness(NeighbourGraph level, int node, NeighbourGraph.Link link)
            => link.Weight / Math.Pow(Math.Min(level.Degrees[node], level.Degrees[link.Target]), Section)
                * (Math.Min(level.Sizes[node], level.Sizes[link.Target]) < least ? First : 1);
    }

    /// <summary>Divides groups into the finer pieces that they are made of.</summary>
    /// <param name="groups">The group of each node, numbered densely from 0.</param>
    /// <param name="finer">The finer community of each node.</param>
    /// <param name="least">Smaller pieces belong to the largest of their group.</param>
    /// <param name="most">Most pieces; no fewer than groups.</param>
    /// <returns>The piece of each node, numbered densely from 0, and the group of each piece.</returns>
    public static (int[] Pieces, int[] Groups) Divide(int[] groups, int[] finer, int least, int most)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(finer);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, groups.Max() + 1);
        var room = most - groups.Max() - 1;
        var (numbers, largest, owners) = (new Dictionary<(int Group, int Finer), int>(), new Dictionary<int, int>(), new List<int>());
        foreach (var (piece, count) in groups.Zip(finer).CountBy(piece => piece).OrderByDescending(piece => piece.Value).ThenBy(piece => piece.Key))
        {
            var isFirst = !largest.ContainsKey(piece.First);
            if (isFirst || (count >= least && room-- > 0))
            {
                numbers[piece] = owners.Count;
                largest.TryAdd(piece.First, owners.Count);
                owners.Add(piece.First);
            }
            else
            {
                numbers[piece] = largest[piece.First];
            }
        }

        return ([.. groups.Zip(finer).Select(piece => numbers[piece])], [.. owners]);
    }

    /// <summary>How long the borders between groups are for the groups' sizes, in all: what <see cref="Unite(NeighbourGraph, int[], int, int, out double)"/> keeps short.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="groups">The group of each node, numbered densely from 0.</param>
    public static double Borders(NeighbourGraph graph, int[] groups) => Across(graph, groups, (level, group) => Math.Pow(level.Degrees[group], Section));

    /// <summary>The share of all links that go from one group to another, by weight.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="groups">The group of each node, numbered densely from 0.</param>
    public static double Cut(NeighbourGraph graph, int[] groups) => Across(graph, groups, (level, _) => level.Total);

    // The weight of each group's links to others, in units of the group's own, over all groups.
    private static double Across(NeighbourGraph graph, int[] groups, Func<NeighbourGraph, int, double> unit)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(groups);
        var contracted = graph.Contract(groups, groups.Max() + 1);
        var total = 0.0;
        for (var group = 0; group < contracted.Count; group++)
        {
            foreach (var link in contracted.Links(group))
            {
                total += link.Weight / unit(contracted, group);
            }
        }

        return total;
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

    /// <summary>The cluster that most nodes of each community were in before; -1 where most were in none.</summary>
    /// <param name="communities">The community of each node.</param>
    /// <param name="before">The cluster of each node, -1 for none.</param>
    /// <param name="count">Communities, each with a node.</param>
    internal static int[] Majority(int[] communities, int[] before, int count)
    {
        var votes = Enumerable.Range(0, count).Select(_ => new Dictionary<int, int>()).ToArray();
        foreach (var (node, community) in communities.Index())
        {
            votes[community][before[node]] = votes[community].GetValueOrDefault(before[node]) + 1;
        }

        return Array.ConvertAll(votes, counts => counts.MaxBy(vote => vote.Value).Key);
    }

    /// <summary>Joins the closest two as long as they have to be.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="closeness">How close the two ends of a link are, above 0.</param>
    /// <param name="mustJoin">Whether to go on, by how many are left and how close the closest two are.</param>
    /// <param name="kin">Kin have the same number here, 0 and up; null when there are none. Overwritten.</param>
    /// <param name="fragment">Kin count as closer where one of them stands for fewer samples than this.</param>
    /// <param name="joined">Told of each two before they are joined.</param>
    /// <returns>The group of each node, numbered densely from 0.</returns>
    internal static int[] Join(
        NeighbourGraph graph, Func<NeighbourGraph, int, NeighbourGraph.Link, double> closeness, Func<int, double, bool> mustJoin,
        int[]? kin = null, double fragment = 0, Action<NeighbourGraph, int, int>? joined = null)
    {
        var groups = Enumerable.Range(0, graph.Count).ToArray();
        while (graph.Count > 1)
        {
            // Where nothing links any two, those that were found first.
            var (first, second, closest) = (0, 1, 0.0);
            for (var node = 0; node < graph.Count; node++)
            {
                foreach (var link in graph.Links(node))
                {
                    if (node < link.Target && closeness(graph, node, link) * Nearness(node, link.Target) is var close && close > closest)
                    {
                        (first, second, closest) = (node, link.Target, close);
                    }
                }
            }

            if (!mustJoin(graph.Count, closest))
            {
                break;
            }

            joined?.Invoke(graph, first, second);
            var step = Enumerable.Range(0, graph.Count).Select(node => node == second ? first : node).ToArray();
            var count = Number(step);
            groups = Array.ConvertAll(groups, node => step[node]);
            if (kin is not null)
            {
                kin[first] = graph.Sizes[first] >= graph.Sizes[second] ? kin[first] : kin[second];
                kin = [.. Enumerable.Range(0, graph.Count).Where(node => node != second).OrderBy(node => step[node]).Select(node => kin[node])];
            }

            graph = graph.Contract(step, count);
        }

        return groups;

        double Nearness(int node, int other)
            => kin is not null && kin[node] >= 0 && kin[node] == kin[other] && Math.Min(graph.Sizes[node], graph.Sizes[other]) < fragment ? Kinship : 1;
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
