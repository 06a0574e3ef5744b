using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Clusters are the prototypes of a cluster head that is trained jointly with the encoder; the best of several heads is shown.</summary>
/// <remarks>
/// Between rounds fresh heads are fitted to the replay buffer's embeddings (<see cref="HeadRefitter"/>), and another head is
/// shown if it is clearly better. Slots keep their meaning: the new head's are matched to the old one's by the samples they share.
/// </remarks>
internal sealed class HeadClusterer(LearnerOptions options, ClusterHead head, ClusterHead keyHead, AdamW optimizer) : IClusterer
{
    // The frozen-feature loss of a fresh fit is flattered by about this much against a head that was trained jointly.
    private const double LeastGain = 0.02;
    private const int Restarts = 2;

    // Fewer samples for each cluster than this say nothing about it.
    private const int LeastPerCluster = 8;

    private int _shown;

    /// <inheritdoc/>
    public void Mined(Tensor embeddings, Tensor neighbours, long step, Action? between)
    {
    }

    /// <inheritdoc/>
    public RefitReport Refit(Tensor embeddings, Tensor neighbours, Tensor heldOut, long step, Action? between)
    {
        using var scope = NewDisposeScope();
        if (embeddings.shape[0] < options.Clusters * LeastPerCluster)
        {
            return new RefitReport(options.Clusters, 0);
        }

        var balance = new ScanObjective.Options().Balance;
        using var generator = Keyed.Generator(options.StepSeed, step, Purpose.Refit, embeddings.device);
        var fresh = HeadRefitter.Fit(embeddings, neighbours, options.Clusters, Restarts, options.Scale, balance, generator, between);
        var joint = HeadRefitter.Losses(embeddings, neighbours, keyHead.Weight, options.Scale, balance);
        var fitted = HeadRefitter.Losses(embeddings, neighbours, fresh, options.Scale, balance);
        var old = Labels(embeddings, _shown);
        var (bestJoint, bestFresh) = (Array.IndexOf(joint, joint.Min()), Array.IndexOf(fitted, fitted.Min()));

        // A fresh fit is flattered by having seen nothing but these embeddings; a head trained jointly is not.
        if (bestJoint != _shown && joint[bestJoint] < joint[_shown])
        {
            return new RefitReport(options.Clusters, Show(bestJoint, old, embeddings));
        }

        if (fitted[bestFresh] < joint[_shown] - LeastGain)
        {
            var worst = Array.IndexOf(joint, joint.Max());
            Overwrite(worst, fresh.select(0, bestFresh));
            return new RefitReport(options.Clusters, Show(worst, old, embeddings));
        }

        return new RefitReport(options.Clusters, 0);
    }

    /// <inheritdoc/>
    public IReadOnlyList<NamedTensor> Export() =>
    [
        keyHead.Weight.select(0, _shown).Save(ModelFormat.Prototypes),
        NamedTensor.Of<long>(ModelFormat.PrototypeClusters, [.. Enumerable.Range(0, options.Clusters).Select(slot => (long)slot)]),
        NamedTensor.Of<float>(ModelFormat.Scale, [(float)keyHead.Scale]),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<NamedTensor> Save() => [NamedTensor.Of<long>("clusters.shown", [_shown])];

    /// <inheritdoc/>
    public void Load(IReadOnlyList<NamedTensor> saved) => _shown = (int)saved.Named("clusters.shown").Values<long>()[0];

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    // Writes fresh prototypes [K, D] over a head.
    private void Overwrite(int target, Tensor prototypes)
    {
        using var noGrad = no_grad();
        head.Weight.select(0, target).copy_(prototypes);
        keyHead.Weight.select(0, target).copy_(prototypes);
    }

    // Shows another head, its slots reordered to mean what they meant; returns the share of samples that moved.
    private double Show(int target, long[] old, Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var now = Labels(embeddings, target);
        var shared = new double[options.Clusters, options.Clusters];
        for (var i = 0; i < old.Length; i++)
        {
            shared[old[i], now[i]]--;
        }

        var order = Hungarian.Assign(shared);
        var rows = tensor(Array.ConvertAll(order, slot => (long)slot), device: embeddings.device);
        foreach (var weight in new[] { head.Weight, keyHead.Weight })
        {
            var reordered = weight.select(0, target).index_select(0, rows);
            weight.select(0, target).copy_(reordered);
        }

        optimizer.Forget(head.Weight);
        _shown = target;
        return 1 - (order.Select((slot, k) => -shared[k, slot]).Sum() / old.Length);
    }

    // The slot of each embedding, [n], under a key head.
    private long[] Labels(Tensor embeddings, int target)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return ClusterHead.LogProbabilities(embeddings, keyHead.Weight.narrow(0, target, 1), options.Scale).argmax(2).flatten().ToArray<long>();
    }
}
