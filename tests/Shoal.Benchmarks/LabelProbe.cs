using System.Numerics.Tensors;
using Shoal.Client;
using Shoal.Learning;

namespace Shoal.Benchmarks;

/// <summary>What embeddings tell of labels: those of some samples are known, and those of others are asked for; the same in every run.</summary>
internal sealed class LabelProbe
{
    private const int Known = 5_000;
    private const int Queries = 2_000;

    private readonly byte[][] _queries;
    private readonly int[] _known;
    private readonly int[] _wanted;

    /// <summary>Chooses them.</summary>
    /// <param name="data">The data set.</param>
    public LabelProbe(LabelledData data)
    {
        var random = new Random(1);
        SourceItem[] train = [.. data.Train];
        SourceItem[] test = [.. data.Test];
        random.Shuffle(train);
        random.Shuffle(test);
        SourceItem[] queries = [.. test.Take(Queries)];
        (Samples, _queries) = (BareLearner.Decode(data, train), BareLearner.Decode(data, queries));
        (_known, _wanted) = ([.. train.Take(Known).Select(data.LabelOf)], [.. queries.Select(data.LabelOf)]);
    }

    /// <summary>All samples to train on, in random order: uint8, [C, H, W] each.</summary>
    public byte[][] Samples { get; }

    /// <summary>The shares of queries that nearest neighbours, and a linear probe, are right about.</summary>
    /// <param name="learner">What embeds.</param>
    /// <param name="seed">The probe's.</param>
    public (double Knn, double Linear) Score(BareLearner learner, int seed)
    {
        using Embedder embedder = learner.Embedder();
        (float[] known, float[] queries) = (Embed(embedder, Samples[.._known.Length]), Embed(embedder, _queries));
        return (
            QualitySuite.Share(NearestNeighbours.Predict(known, _known, queries, embedder.Width), _wanted),
            QualitySuite.Share(LinearProbe.Predict(known, _known, queries, embedder.Width, seed), _wanted));
    }

    private static float[] Embed(Embedder embedder, byte[][] samples)
    {
        var halves = new Half[samples.Length * embedder.Width];
        embedder.Embed([.. samples.SelectMany(sample => sample)], samples.Length, halves);
        var floats = new float[halves.Length];
        TensorPrimitives.ConvertToSingle(halves, floats);
        return floats;
    }
}
