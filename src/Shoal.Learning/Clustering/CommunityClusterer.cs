using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Clusters are the communities of the replay buffer's neighbour graph; each is shown as the mean of its samples' embeddings.</summary>
/// <remarks>
/// They are found anew at every mining, and take the slots of those found before that they share most samples with. Their
/// labels train the encoder (<see cref="PseudoLabelObjective"/>), which draws them apart. Where their number is not given,
/// communities that are pieces of one are shown as one cluster of several prototypes; they stay apart in training, where
/// joining the wrong ones would lock the mistake in.
/// </remarks>
internal sealed class CommunityClusterer : IClusterer
{
    // On embeddings of MNIST 0.3 to 1 find the ten digits; finer ones are joined while there are more than slots.
    private const double Resolution = 0.5;

    // Scales tried, 1 to 100, each 12 % above the one before: the likelihood changes by less than that is worth.
    private const int Scales = 41;

    // Two pieces of one digit send 4 to 8 % of the smaller one's links to each other, two digits 0.2 to 2.6 %.
    private const double SharedLinks = 0.03;

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
    private double _scale;
    private double _moved;

    /// <summary>Most communities where their number is not given.</summary>
    public const int MostCommunities = 64;

    public CommunityClusterer(LearnerOptions options, ReplayBuffer replay, ClusterHead head, ClusterHead keyHead, AdamW optimizer)
    {
        (_options, _replay, _head, _keyHead, _optimizer, _scale) = (options, replay, head, keyHead, optimizer, options.Scale);

        _clusters = [.. Enumerable.Range(0, options.Prototypes).Select(prototype => (long)prototype)];

        // Until communities are found, the untrained head stands in.
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _prototypes = normalize(keyHead.Weight.select(0, 0), 2, dim: 1).clone().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Mined(Tensor embeddings, Tensor neighbours, long step, Action? between)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var random = Keyed.Random(_options.StepSeed, step, Purpose.Communities);
        var graph = NeighbourGraph.Of(neighbours.Values<long>(), (int)neighbours.shape[1]);
        between?.Invoke();
        var communities = Communities.Find(graph, Resolution, _options.Prototypes, random, between);
        var slots = Matched(communities, sample => _replay.LabelOf(sample));
        var labels = Array.ConvertAll(communities, community => slots[community]);
        var before = Enumerable.Range(0, labels.Length).Select(ClusterOf).ToArray();
        if (_options.Clusters == 0)
        {
            Unite(graph, communities, slots);
        }

        _replay.Label(labels);
        _moved = Enumerable.Range(0, labels.Length).Count(sample => before[sample] >= 0 && before[sample] != ClusterOf(sample)) / (double)labels.Length;
        Settle(embeddings, labels);
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

        return new RefitReport(Active().Select(prototype => _clusters[prototype]).Distinct().Count(), _moved);
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
    ];

    /// <inheritdoc/>
    public void Load(IReadOnlyList<NamedTensor> saved)
    {
        _prototypes.Load(saved.Named("clusters.prototypes"));
        _clusters = saved.Named("clusters.slots").Values<long>();
        _scale = saved.Named("clusters.scale").Values<double>()[0];
    }

    /// <inheritdoc/>
    public void Dispose() => _prototypes.Dispose();

    // Which cluster each prototype is of.
    private void Unite(NeighbourGraph graph, int[] communities, int[] slots)
    {
        var united = Communities.Unite(graph, communities, SharedLinks);
        var clusters = Matched(Array.ConvertAll(communities, community => united[community]), ClusterOf);
        var next = _clusters.ToArray();
        foreach (var (community, slot) in slots.Index())
        {
            next[slot] = clusters[united[community]];
        }

        _clusters = next;
    }

    // The cluster slot of a replayed sample; -1 when it is not known.
    private int ClusterOf(int sample) => _replay.LabelOf(sample) is var label && label >= 0 ? (int)_clusters[label] : -1;

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

    // Prototypes from labels, [n]; the head begins a new cluster where that stands.
    private void Settle(Tensor embeddings, int[] labels)
    {
        var members = zeros(_options.Prototypes, labels.Length, device: embeddings.device);
        var rows = tensor(Array.ConvertAll(labels, label => (long)label), device: embeddings.device).unsqueeze(0);
        members.scatter_(0, rows, ones_like(rows).to_type(ScalarType.Float32));
        var before = Active();
        _prototypes.copy_(normalize(members.matmul(embeddings), 2, dim: 1));
        var born = Active().Except(before).ToArray();
        foreach (var slot in born)
        {
            _head.Weight.select(1, slot).copy_(_prototypes[slot].unsqueeze(0));
            _keyHead.Weight.select(1, slot).copy_(_prototypes[slot].unsqueeze(0));
        }

        if (born.Length > 0)
        {
            _optimizer.Forget(_head.Weight);
        }
    }

    // Prototypes that are in use.
    private long[] Active() => _prototypes.abs().sum(1).gt(0).nonzero().squeeze(1).Values<long>().ToArray();

    // The scale under which held-out samples are likeliest to be of the clusters that most of their nearest replayed ones are of.
    private double LikeliestScale(Tensor embeddings, Tensor heldOut)
    {
        var count = (int)Math.Min(_options.NeighbourCount, embeddings.shape[0]);
        var nearest = heldOut.matmul(embeddings.t()).topk(count, dim: 1).indexes.Values<long>();
        var truth = new long[heldOut.shape[0]];
        for (var i = 0; i < truth.Length; i++)
        {
            truth[i] = nearest.Slice(i * count, count).ToArray().CountBy(row => _replay.LabelOf((int)row)).MaxBy(votes => votes.Value).Key;
        }

        var cosines = heldOut.matmul(_prototypes.t()).masked_fill_(_prototypes.abs().sum(1).eq(0), float.NegativeInfinity);
        var target = tensor(truth, device: embeddings.device).unsqueeze(1);
        return Enumerable.Range(0, Scales)
            .Select(i => Math.Pow(100, i / (Scales - 1.0)))
            .MaxBy(scale => log_softmax(cosines * scale, 1).gather(1, target).mean().item<float>());
    }
}
