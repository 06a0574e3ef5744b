namespace Shoal.Learning;

/// <summary>An undirected graph of weighted links between samples, or between groups of them.</summary>
public sealed class NeighbourGraph
{
    // The links of node i are at _starts[i] to _starts[i + 1] - 1, each link at both of its ends.
    private readonly int[] _starts;
    private readonly Link[] _links;

    // Twice the weight of the links inside a node that stands for a group.
    private readonly double[] _inside;

    private NeighbourGraph(int[] starts, Link[] links, double[] inside, int[] sizes)
    {
        (_starts, _links, _inside, Sizes, Degrees) = (starts, links, inside, sizes, [.. inside]);
        for (var node = 0; node < Count; node++)
        {
            foreach (var link in Links(node))
            {
                Degrees[node] += link.Weight;
            }
        }

        Total = Degrees.Sum();
    }

    /// <summary>A link, seen from one of its ends.</summary>
    /// <param name="Target">The node at the other end.</param>
    /// <param name="Weight">Above 0.</param>
    public readonly record struct Link(int Target, double Weight);

    /// <summary>Nodes, n.</summary>
    public int Count => _inside.Length;

    /// <summary>How many samples each node stands for, [n].</summary>
    public int[] Sizes { get; }

    /// <summary>The weight of each node's links, [n]; of those inside it, twice.</summary>
    public double[] Degrees { get; }

    /// <summary>The sum of <see cref="Degrees"/>.</summary>
    public double Total { get; }

    /// <summary>Links every sample with its mined neighbours.</summary>
    /// <remarks>
    /// Weighted by how much of their neighbourhoods two samples share (Jaccard index of the neighbours and the sample
    /// itself), as PhenoGraph does (Levine et al. 2015): a link across the border of two dense regions weighs little.
    /// </remarks>
    /// <param name="neighbours">Rows of each sample's nearest others, [n, k], row-major.</param>
    /// <param name="perSample">k.</param>
    public static NeighbourGraph Of(ReadOnlySpan<long> neighbours, int perSample)
    {
        var count = neighbours.Length / perSample;
        var around = new int[count][];
        for (var i = 0; i < count; i++)
        {
            around[i] = [i, .. neighbours.Slice(i * perSample, perSample).ToArray().Select(row => (int)row)];
            Array.Sort(around[i]);
        }

        var links = new List<(int From, int To, double Weight)>(count * perSample);
        for (var i = 0; i < count; i++)
        {
            foreach (var j in around[i])
            {
                // A mutual pair is linked once.
                if (j != i && (j > i || Array.BinarySearch(around[j], i) < 0))
                {
                    var shared = Shared(around[i], around[j]);
                    if (shared > 0)
                    {
                        links.Add((i, j, shared / (double)((2 * (perSample + 1)) - shared)));
                    }
                }
            }
        }

        return Make(links, new double[count], [.. Enumerable.Repeat(1, count)]);
    }

    /// <summary>The same samples, linked by two measures of likeness: a graph of two layers (Mucha et al. 2010) whose nodes are one.</summary>
    /// <param name="other">Links of the same samples by the other measure.</param>
    /// <param name="share">What the other's links weigh in all, in units of this one's: 0 and up.</param>
    public NeighbourGraph With(NeighbourGraph other, double share)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        if (other.Count != Count)
        {
            throw new ArgumentException($"It has {other.Count} samples, this one {Count}.", nameof(other));
        }

        var links = new List<(int From, int To, double Weight)>();
        Add(this, 1);
        if (other.Total > 0)
        {
            Add(other, share * Total / other.Total);
        }

        return Make(links, [.. _inside], Sizes);

        void Add(NeighbourGraph layer, double scale)
        {
            for (var node = 0; node < layer.Count; node++)
            {
                foreach (var (target, weight) in layer.Links(node))
                {
                    if (target > node)
                    {
                        links.Add((node, target, weight * scale));
                    }
                }
            }
        }
    }

    /// <summary>The links of a node.</summary>
    /// <param name="node">0 to n - 1.</param>
    public ReadOnlySpan<Link> Links(int node) => _links.AsSpan(_starts[node].._starts[node + 1]);

    /// <summary>The weight of the links between two nodes; 0 when there are none.</summary>
    /// <param name="node">One.</param>
    /// <param name="other">Another.</param>
    public double Between(int node, int other)
    {
        var weight = 0.0;
        foreach (var link in Links(node))
        {
            weight += link.Target == other ? link.Weight : 0;
        }

        return weight;
    }

    /// <summary>The graph of groups of nodes.</summary>
    /// <param name="groups">The group of each node, [n], 0 to <paramref name="count"/> - 1.</param>
    /// <param name="count">Groups.</param>
    public NeighbourGraph Contract(int[] groups, int count)
    {
        ArgumentNullException.ThrowIfNull(groups);
        var (inside, sizes) = (new double[count], new int[count]);
        var between = new Dictionary<(int From, int To), double>();
        for (var node = 0; node < Count; node++)
        {
            var group = groups[node];
            inside[group] += _inside[node];
            sizes[group] += Sizes[node];
            foreach (var (target, weight) in Links(node))
            {
                var other = groups[target];
                if (other == group)
                {
                    inside[group] += weight;
                }
                else if (group < other)
                {
                    between[(group, other)] = between.GetValueOrDefault((group, other)) + weight;
                }
            }
        }

        return Make([.. between.Select(link => (link.Key.From, link.Key.To, link.Value))], inside, sizes);
    }

    /// <summary>A graph of groups of samples.</summary>
    /// <param name="links">Each once.</param>
    /// <param name="inside">Twice the weight of the links inside each group, [n].</param>
    /// <param name="sizes">How many samples each group has, [n].</param>
    internal static NeighbourGraph Make(List<(int From, int To, double Weight)> links, double[] inside, int[] sizes)
    {
        var starts = new int[inside.Length + 1];
        foreach (var (from, to, _) in links)
        {
            starts[from + 1]++;
            starts[to + 1]++;
        }

        for (var node = 0; node < inside.Length; node++)
        {
            starts[node + 1] += starts[node];
        }

        var (ends, next) = (new Link[2 * links.Count], starts.ToArray());
        foreach (var (from, to, weight) in links)
        {
            ends[next[from]++] = new Link(to, weight);
            ends[next[to]++] = new Link(from, weight);
        }

        return new NeighbourGraph(starts, ends, inside, sizes);
    }

    // How many numbers two sorted arrays share.
    private static int Shared(int[] first, int[] second)
    {
        var (shared, i, j) = (0, 0, 0);
        while (i < first.Length && j < second.Length)
        {
            shared += first[i] == second[j] ? 1 : 0;
            var step = first[i].CompareTo(second[j]);
            i += step <= 0 ? 1 : 0;
            j += step >= 0 ? 1 : 0;
        }

        return shared;
    }
}
