using static TorchSharp.torch;

namespace Shoal.Learning;

// What happens to clusters between steps: mining, refits, judgement.
public sealed partial class Learner
{
    // Fewer samples for each cluster than this say nothing about it.
    private const int LeastPerCluster = 8;

    // Evidence from fewer samples than this is taken from rehearsed ones, too: better biased than blind.
    private const int LeastEvidence = 64;
    private const int MostEvidence = 500;

    // The frozen-feature loss of a fresh fit is flattered by about this much against a head that was trained jointly.
    private const double LeastGain = 0.02;
    private const int Restarts = 2;

    /// <summary>Between rounds: mines neighbours over the whole replay buffer, fits fresh heads to its embeddings, and shows another head if it is clearly better.</summary>
    /// <remarks>Prototype slots keep their meaning: the new head's are matched to the old one's by the samples they share.</remarks>
    public RefitReport Refit()
    {
        using var scope = NewDisposeScope();
        if (_replay.Count < Math.Max(Options.Clusters * LeastPerCluster, Options.NeighbourCount + 1))
        {
            return new RefitReport(false, double.NaN, double.NaN, 0);
        }

        var embeddings = EmbedReplay();
        var neighbours = Mine(embeddings);
        var balance = new ScanObjective.Options().Balance;
        using var generator = Keyed.Generator(Options.Seed, Steps, Purpose.Refit, _device);
        var fresh = HeadRefitter.Fit(embeddings, neighbours, Options.Clusters, Restarts, Options.Scale, balance, generator, Between);
        var joint = HeadRefitter.Losses(embeddings, neighbours, _keyHead.Weight, Options.Scale, balance);
        var fitted = HeadRefitter.Losses(embeddings, neighbours, fresh, Options.Scale, balance);
        var incumbent = joint[_shown];
        var old = Labels(embeddings, _keyHead.Weight.select(0, _shown));
        var (bestJoint, bestFresh) = (Array.IndexOf(joint, joint.Min()), Array.IndexOf(fitted, fitted.Min()));

        // A fresh fit is flattered by having seen nothing but these embeddings; a head trained jointly is not.
        if (bestJoint != _shown && joint[bestJoint] < incumbent)
        {
            return new RefitReport(true, incumbent, joint[bestJoint], Show(bestJoint, old, embeddings));
        }

        if (fitted[bestFresh] < incumbent - LeastGain)
        {
            var worst = Array.IndexOf(joint, joint.Max());
            Overwrite(worst, fresh.select(0, bestFresh));
            return new RefitReport(true, incumbent, fitted[bestFresh], Show(worst, old, embeddings));
        }

        return new RefitReport(false, incumbent, Math.Min(fitted[bestFresh], joint.Where((_, i) => i != _shown).DefaultIfEmpty(double.PositiveInfinity).Min()), 0);
    }

    /// <summary>Evidence for or against publishing, from samples that were never trained on.</summary>
    /// <param name="published">The published version; null when none is.</param>
    public Evidence Judge(Embedder? published)
    {
        var export = Export();
        var finite = AllFinite(export);
        var (pixels, views, count) = EvidenceSamples();
        if (!finite || count < 2)
        {
            return new Evidence(double.NaN, double.NaN, double.NaN, double.NaN, 0, finite);
        }

        using var candidate = new Embedder(export, _device.ToString());
        var mine = Judgement.Of(candidate, pixels, views, count);
        var theirs = published is null ? null : Judgement.Of(published, pixels, views, count);
        return new Evidence(
            mine.Loss,
            theirs?.Loss ?? double.NaN,
            theirs is null ? double.NaN : Judgement.Drift(mine, theirs),
            mine.Spread,
            mine.ClustersInUse,
            finite);
    }

    private (byte[] Pixels, byte[] Views, int Count) EvidenceSamples()
    {
        var held = Math.Min(_heldOut.Count, MostEvidence);
        var borrowed = held >= LeastEvidence ? 0 : Math.Min(LeastEvidence - held, _replay.Count);
        byte[] pixels =
        [
            .. _heldOut.Pixels[..(held * Shape.Size)],
            .. _replay.Pixels[..(borrowed * Shape.Size)],
        ];
        var count = held + borrowed;
        if (count == 0)
        {
            return (pixels, pixels, 0);
        }

        using var scope = NewDisposeScope();

        // Always the same views: two versions are judged by the same pictures.
        using var generator = Keyed.Generator(Options.Seed, 0, Purpose.Judgement, _device);
        var views = _views.Make(TorchTensors.ToUnit(pixels, Shape, _device), generator);
        return (pixels, (views.clamp(0, 1) * 255).round().to_type(ScalarType.Byte).ToArray<byte>(), count);
    }

    private void Mine()
    {
        if (_replay.Count > Options.NeighbourCount)
        {
            using var scope = NewDisposeScope();
            Mine(EmbedReplay());
        }
    }

    // [n, D] -> [n, k].
    private Tensor Mine(Tensor embeddings)
    {
        var neighbours = NeighbourMiner.Mine(embeddings, Options.NeighbourCount, Between);
        _replay.Remember(Array.ConvertAll(neighbours.ToArray<long>(), slot => (int)slot));
        return neighbours;
    }

    // The replay buffer under the key encoder, [n, D].
    private Tensor EmbedReplay()
    {
        const int Chunk = 512;
        using var scope = NewDisposeScope();
        _keyEncoder.eval();
        var parts = new List<Tensor>();
        for (var start = 0; start < _replay.Count; start += Chunk)
        {
            using var chunkScope = NewDisposeScope();
            var pixels = _replay.Pixels.Slice(start * Shape.Size, Math.Min(Chunk, _replay.Count - start) * Shape.Size);
            parts.Add(Embed(pixels).MoveToOuterDisposeScope());
            Between?.Invoke();
        }

        _keyEncoder.train();
        return cat(parts).MoveToOuterDisposeScope();
    }

    // Samples under the key encoder, which is in eval mode, [n, D].
    private Tensor Embed(ReadOnlySpan<byte> pixels)
    {
        using var scope = NewDisposeScope();
        var (mean, deviation) = (tensor(_statistics.Mean, device: _device).view(1, -1, 1, 1), tensor(_statistics.Deviation, device: _device).view(1, -1, 1, 1));
        return Embedder.EmbedTensor(_keyEncoder, TorchTensors.ToUnit(pixels, Shape, _device), mean, deviation).MoveToOuterDisposeScope();
    }

    // Writes fresh prototypes [K, D] over a head.
    private void Overwrite(int head, Tensor prototypes)
    {
        using var noGrad = no_grad();
        _head.Weight.select(0, head).copy_(prototypes);
        _keyHead.Weight.select(0, head).copy_(prototypes);
    }

    // Shows another head, its slots reordered to mean what they meant; returns the share of samples that moved.
    private double Show(int head, long[] old, Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var now = Labels(embeddings, _keyHead.Weight.select(0, head));
        var shared = new double[Options.Clusters, Options.Clusters];
        for (var i = 0; i < old.Length; i++)
        {
            shared[old[i], now[i]]--;
        }

        var order = Hungarian.Assign(shared);
        var rows = tensor(Array.ConvertAll(order, slot => (long)slot), device: _device);
        foreach (var weight in new[] { _head.Weight, _keyHead.Weight })
        {
            var reordered = weight.select(0, head).index_select(0, rows);
            weight.select(0, head).copy_(reordered);
        }

        _optimizer.Forget(_head.Weight);
        _shown = head;
        return 1 - (order.Select((slot, k) => -shared[k, slot]).Sum() / old.Length);
    }

    // The slot of each embedding, [n], under prototypes [K, D].
    private long[] Labels(Tensor embeddings, Tensor prototypes)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return ClusterHead.LogProbabilities(embeddings, prototypes.unsqueeze(0), Options.Scale).argmax(2).flatten().ToArray<long>();
    }
}
