using static TorchSharp.torch;

namespace Shoal.Learning;

// What happens to clusters between steps: mining, refits, judgement.
public sealed partial class Learner
{
    // Evidence from fewer samples than this is taken from rehearsed ones, too: better biased than blind.
    private const int LeastEvidence = 64;
    private const int MostEvidence = 500;

    /// <summary>Between rounds: mines neighbours over the whole replay buffer and settles what the clusters are.</summary>
    /// <remarks>Prototype slots keep their meaning: clusters take the slots of those before that they share most samples with.</remarks>
    /// <param name="pinned">Ids of published clusters that must be shown as long as rehearsed samples are of them; null for none.</param>
    public RefitReport Refit(IReadOnlyCollection<long>? pinned = null)
    {
        using var scope = NewDisposeScope();
        var (embeddings, heldOut) = (Embed(_replay), Embed(_heldOut));
        var report = _replay.Count > Options.NeighbourCount
            ? _clusterer.Refit(embeddings, Mine(embeddings), heldOut, Steps, Between)
            : new RefitReport(0, 0);
        _shown.Settle(_replay.Keys, Halves(embeddings), Halves(heldOut), pinned ?? []);
        return report with { Descent = _shown.Descent };
    }

    /// <summary>The candidate of the last <see cref="Refit"/> was published: what comes after it is told apart from it.</summary>
    /// <param name="clusters">The cluster id of each of its slots.</param>
    public void Publish(IReadOnlyList<long> clusters) => _shown.Publish(clusters);

    /// <summary>Evidence for or against publishing, from samples that were never trained on.</summary>
    /// <param name="published">The published version; null when none is.</param>
    public Evidence Judge(Embedder? published)
    {
        var export = Export();
        var finite = AllFinite(export);
        var (pixels, views, count) = EvidenceSamples();
        if (!finite || count < 2)
        {
            return Evidence.Of(finite);
        }

        using var candidate = new Embedder(export, _device.ToString());
        var mine = Judgement.Of(candidate, pixels, views, count);
        var theirs = published is null ? null : Judgement.Of(published, pixels, views, count);
        return Evidence.Of(finite) with
        {
            HeldOutLoss = mine.Loss,
            PublishedLoss = theirs?.Loss ?? double.NaN,
            Disagreement = mine.Disagreement,
            PublishedDisagreement = theirs?.Disagreement ?? double.NaN,
            Drift = theirs is null ? double.NaN : Judgement.Drift(mine, theirs),
            Spread = mine.Spread,
            ClustersInUse = mine.ClustersInUse,
        };
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
            Mine(Embed(_replay));
        }
    }

    // [n, D] -> [n, k].
    private Tensor Mine(Tensor embeddings)
    {
        var neighbours = NeighbourMiner.Mine(embeddings, Options.NeighbourCount, Between);
        _replay.Remember(Array.ConvertAll(neighbours.ToArray<long>(), slot => (int)slot), embeddings.Values<float>());
        if (Options.Replicas == 1)
        {
            _clusterer.Mined(embeddings, neighbours, Steps, Between);
        }

        return neighbours;
    }

    // A buffer's samples under the key encoder, [n, D].
    private Tensor Embed(ReplayBuffer samples)
    {
        if (samples.Count == 0)
        {
            return empty(0, _encoder.Width, device: _device);
        }

        _keyEncoder.eval();
        var embeddings = TorchTensors.InParts(samples, _device, EmbedUnit, Between);
        _keyEncoder.train();
        return embeddings;
    }

    // Chosen rows of a batch under the key encoder, [n * D].
    private float[] EmbedFresh(SampleBatch fresh, List<int> rows)
    {
        using var scope = NewDisposeScope();
        _keyEncoder.eval();
        var embeddings = rows.Count == 0 ? [] : Embed(Gather(fresh, rows, []).Pixels).ToArray<float>();
        _keyEncoder.train();
        return embeddings;
    }

    // Samples under the key encoder, which is in eval mode, [n, D].
    private Tensor Embed(ReadOnlySpan<byte> pixels) => EmbedUnit(TorchTensors.ToUnit(pixels, Shape, _device));

    // The same of samples from 0 to 1. Not one more Embed: libtorch takes an array of bytes for a tensor.
    private Tensor EmbedUnit(Tensor samples)
    {
        using var scope = NewDisposeScope();
        var (mean, deviation) = (tensor(_statistics.Mean, device: _device).view(1, -1, 1, 1), tensor(_statistics.Deviation, device: _device).view(1, -1, 1, 1));
        return Embedder.EmbedTensor(_keyEncoder, samples, mean, deviation).MoveToOuterDisposeScope();
    }

    private static Half[] Halves(Tensor embeddings)
    {
        var halves = new Half[embeddings.numel()];
        System.Numerics.Tensors.TensorPrimitives.ConvertToHalf(embeddings.Values<float>(), halves);
        return halves;
    }
}
