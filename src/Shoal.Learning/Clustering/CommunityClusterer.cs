using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Clusters are the communities of the replay buffer's neighbour graph; each is shown as the means of its pieces' embeddings.</summary>
/// <remarks>
/// They are found anew at every mining, and take the slots of those found before that they share most samples with. The
/// labels of coarse ones train the encoder (<see cref="PseudoLabelObjective"/>), which draws them apart. Where that is clearer,
/// finer ones are shown, so that a rare kind has a piece of its own, united to clusters of several prototypes; in training,
/// uniting the wrong ones would lock the mistake in. Where their number is not given, the coarse ones are united.
/// </remarks>
internal sealed class CommunityClusterer : IClusterer
{
    // On embeddings of MNIST 0.3 to 1 find the ten digits; finer ones are joined while there are more than slots.
    private const double Resolution = 0.5;

    // Pieces of about 100 of 5,000 samples: 3 to 8 are alike on MNIST, above that pieces are too few samples for their links to count.
    private const double FineResolution = 4;

    // Pieces of sounds: a word of one speaker. Of spoken digits nine in ten are called right after the most frequent digit of their piece; finer ones are joined no better.
    private const double IslandResolution = 1;

    // Scales tried, 1 to 100, each 12 % above the one before: the likelihood changes by less than that is worth.
    private const int Scales = 41;

    // A piece with fewer samples than this many times the neighbours that each one is linked with is nearly a clique, however
    // odd it is: on MNIST 16 crossed sevens, which share fewer links with other sevens than eights do with threes.
    private const int LeastNeighbourhoods = 2;

    // Two pieces of one digit send 4 to 8 % of the smaller one's links to each other, two digits 0.2 to 2.6 %.
    private const double SharedLinks = 0.03;

    // Where more of all links leave their communities, kinds flow into each other: 0.14 to 0.16 on CIFAR-10 with features that come without
    // gradients, where communities are right for 0.27 to 0.29 of the images and k-means for 0.315; at most 0.08 on MNIST and clothes.
    private const double Continuum = 0.1;
    private const int Restarts = 5;

    // What links by coarse pixels weigh beside the learned ones. Training draws apart what it once took for two kinds, and then the few links that are
    // left across say little: crossed sevens end nearer to threes or nines than to sevens, among which 72 % of their nearest others are by pixels.
    private const double RawShare = 0.1;

    // Held-out samples fewer than this say nothing about confidence.
    private const int LeastHeldOut = 64;

    private readonly LearnerOptions _options;
    private readonly ReplayBuffer _replay;
    private readonly ClusterHead _head;
    private readonly ClusterHead _keyHead;
    private readonly AdamW _optimizer;
    private readonly Tensor _prototypes;

    // The cluster slot of each prototype, [P].
    private long[] _clusters;
    private bool _found;
    private double _scale;
    private double _moved;

    /// <summary>Most pieces that clusters are shown by; most communities where their number is not given.</summary>
    public const int MostCommunities = 64;

    public CommunityClusterer(LearnerOptions options, ReplayBuffer replay, ClusterHead head, ClusterHead keyHead, AdamW optimizer)
    {
        (_options, _replay, _head, _keyHead, _optimizer, _scale) = (options, replay, head, keyHead, optimizer, options.Scale);

        // Until communities are found, the untrained head stands in.
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var room = Math.Max(options.Prototypes, MostCommunities);
        _clusters = [.. Enumerable.Range(0, room).Select(prototype => (long)Math.Min(prototype, options.Prototypes - 1))];
        _prototypes = zeros(room, keyHead.Weight.shape[2], device: keyHead.Weight.device);
        _prototypes.narrow(0, 0, options.Prototypes).copy_(normalize(keyHead.Weight.select(0, 0), 2, dim: 1));
        _prototypes.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Mined(Tensor embeddings, Tensor neighbours, long step, Action? between)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var random = Keyed.Random(_options.StepSeed, step, Purpose.Communities);
        var learned = NeighbourGraph.Of(neighbours.Values<long>(), (int)neighbours.shape[1]);
        between?.Invoke();
        var raw = NeighbourMiner.Mine(RawFeatures.Of(_replay, embeddings.device, between), (int)neighbours.shape[1], between);
        var graph = learned.With(NeighbourGraph.Of(raw.Values<long>(), (int)raw.shape[1]), RawShare);
        between?.Invoke();
        int[] before = [.. Enumerable.Range(0, graph.Count).Select(_replay.LabelOf)];
        var communities = Communities.Find(graph, Resolution, _options.Prototypes, random, between, before);
        var slots = Matched(communities, sample => _replay.LabelOf(sample));
        var labels = Array.ConvertAll(communities, community => slots[community]);
        if (_found)
        {
            var known = before.ToHashSet();
            Begin(SphericalKMeans.Means(embeddings, labels, _options.Prototypes), slots.Where(slot => !known.Contains(slot)));
        }

        _replay.Label(labels);

        var (pieces, united) = _options.Clusters == 0 ? (communities, Communities.Unite(learned, communities, SharedLinks))
            : SampleTraits.Of(_options.Kind).AreIslands ? Nearest(embeddings, learned, random, between)
            : Clearest(embeddings, graph, learned, communities, random, between);
        Show(embeddings, pieces, united);
    }

    /// <inheritdoc/>
    public RefitReport Refit(Tensor embeddings, Tensor neighbours, Tensor heldOut, long step, Action? between)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (heldOut.shape[0] >= LeastHeldOut)
        {
            _scale = LikeliestScale(embeddings, heldOut);
        }

        return new RefitReport(Enumerable.Range(0, (int)embeddings.shape[0]).Select(_replay.ShownOf).Distinct().Count(), _moved);
    }

    /// <inheritdoc/>
    public IReadOnlyList<NamedTensor> Export() =>
    [
        _prototypes.Save(ModelFormat.Prototypes),
        NamedTensor.Of<long>(ModelFormat.PrototypeClusters, _clusters),
        NamedTensor.Of<float>(ModelFormat.Scale, [(float)_scale]),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<NamedTensor> Save() =>
    [
        _prototypes.Save("clusters.prototypes"),
        NamedTensor.Of<long>("clusters.slots", _clusters),
        NamedTensor.Of<double>("clusters.scale", [_scale]),
        NamedTensor.Of<byte>("clusters.found", [(byte)(_found ? 1 : 0)]),
    ];

    /// <inheritdoc/>
    public void Load(IReadOnlyList<NamedTensor> saved)
    {
        _prototypes.Load(saved.Named("clusters.prototypes"));
        _clusters = saved.Named("clusters.slots").Values<long>();
        _scale = saved.Named("clusters.scale").Values<double>()[0];
        _found = saved.Named("clusters.found").Values<byte>()[0] != 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _prototypes.Dispose();

    // Communities united to as many as asked for, each in the finer pieces that it is made of; or finer ones, where only pieces of one are
    // united, what is left is islands, and borders are shorter: where a rare kind is a piece of a frequent one, not where a stream has shown
    // fewer kinds than there are slots, or an odd piece takes one. Where there are no communities at all, what lies around as many directions.
    private (int[] Pieces, int[] United) Clearest(Tensor embeddings, NeighbourGraph graph, NeighbourGraph learned, int[] communities, Random random, Action? between)
    {
        int[] shown = [.. Enumerable.Range(0, graph.Count).Select(_replay.ShownOf)];
        var united = Communities.Unite(graph, communities, _options.Clusters, shown);
        var coarser = Array.ConvertAll(communities, community => united[community]);
        if (Communities.Cut(learned, coarser) > Continuum)
        {
            int[] around = SphericalKMeans.Find(embeddings, _options.Clusters, shown, Restarts, random, between);
            return (around, [.. Enumerable.Range(0, around.Max() + 1)]);
        }

        var least = LeastNeighbourhoods * _options.NeighbourCount;
        var fine = Communities.Find(learned, FineResolution, (int)_prototypes.shape[0], random, between);
        var few = Communities.Unite(learned, fine, _options.Clusters, least, out var weakest);
        var finer = Array.ConvertAll(fine, piece => few[piece]);
        var isClearer = weakest > SharedLinks && Communities.Cut(learned, finer) < SharedLinks
            && Communities.Borders(learned, finer) < Communities.Borders(learned, coarser);
        return isClearer ? (fine, few) : Communities.Divide(coarser, fine, least, (int)_prototypes.shape[0]);
    }

    // Islands united to as many as asked for, by how far apart they lie.
    private (int[] Pieces, int[] United) Nearest(Tensor embeddings, NeighbourGraph learned, Random random, Action? between)
    {
        var islands = Communities.Find(learned, IslandResolution, (int)_prototypes.shape[0], random, between);
        var sizes = new int[islands.Max() + 1];
        foreach (var island in islands)
        {
            sizes[island]++;
        }

        int[] shown = [.. islands.Select((_, sample) => _replay.ShownOf(sample))];
        var past = Islands.PastOf(islands, sizes, shown, _replay.SettledFor);
        return (islands, Islands.Unite(SphericalKMeans.Means(embeddings, islands, sizes.Length).Values<float>(), sizes, _options.Clusters, past));
    }

    // What is shown from now on: pieces, [n], and the group of each.
    private void Show(Tensor embeddings, int[] pieces, int[] united)
    {
        var slots = Matched(Array.ConvertAll(pieces, piece => united[piece]), _replay.ShownOf);
        _clusters = [.. Enumerable.Range(0, _clusters.Length).Select(piece => piece < united.Length ? (long)slots[united[piece]] : 0)];
        _prototypes.copy_(SphericalKMeans.Means(embeddings, pieces, _clusters.Length));
        _found = true;
        var shown = Array.ConvertAll(pieces, piece => (int)_clusters[piece]);
        _moved = Enumerable.Range(0, shown.Length).Count(sample => _replay.ShownOf(sample) is var before && before >= 0 && before != shown[sample]) / (double)shown.Length;
        _replay.Show(shown);
    }

    // The slot of each group of samples, [n]: the assignment that moves the fewest from the slots that they had, lowest slots first.
    private int[] Matched(int[] groups, Func<int, int> before)
    {
        const double Preference = 1e-7;
        var cost = new double[groups.Max() + 1, _options.Prototypes];
        for (var group = 0; group < cost.GetLength(0); group++)
        {
            for (var slot = 0; slot < cost.GetLength(1); slot++)
            {
                cost[group, slot] = Preference * slot;
            }
        }

        foreach (var (sample, group) in groups.Index())
        {
            if (before(sample) is var old && old >= 0)
            {
                cost[group, old]--;
            }
        }

        return Hungarian.Assign(cost);
    }

    // The head begins new communities where they stand.
    private void Begin(Tensor means, IEnumerable<int> born)
    {
        foreach (var slot in born)
        {
            _head.Weight.select(1, slot).copy_(means[slot].unsqueeze(0));
            _keyHead.Weight.select(1, slot).copy_(means[slot].unsqueeze(0));
            _optimizer.Forget(_head.Weight);
        }
    }

    // [m, D] -> [m, P]; without a prototype, nothing is near.
    private Tensor Cosines(Tensor embeddings) => embeddings.matmul(_prototypes.t()).masked_fill_(_prototypes.abs().sum(1).eq(0), float.NegativeInfinity);

    // The scale under which held-out samples are likeliest to be of the clusters that most of their nearest replayed ones are of.
    private double LikeliestScale(Tensor embeddings, Tensor heldOut)
    {
        var count = (int)Math.Min(_options.NeighbourCount, embeddings.shape[0]);
        var nearest = heldOut.matmul(embeddings.t()).topk(count, dim: 1).indexes.Values<long>();
        var truth = new long[heldOut.shape[0]];
        for (var i = 0; i < truth.Length; i++)
        {
            truth[i] = nearest.Slice(i * count, count).ToArray().CountBy(row => _replay.ShownOf((int)row)).MaxBy(votes => votes.Value).Key;
        }

        // A cluster has the probabilities of its prototypes together.
        var own = tensor(truth, device: embeddings.device).unsqueeze(1).eq(tensor(_clusters, device: embeddings.device).unsqueeze(0));
        var cosines = Cosines(heldOut);
        return Enumerable.Range(0, Scales)
            .Select(i => Math.Pow(100, i / (Scales - 1.0)))
            .MaxBy(scale => log_softmax(cosines * scale, 1).masked_fill_(own.logical_not(), float.NegativeInfinity).logsumexp(1).mean().item<float>());
    }
}
