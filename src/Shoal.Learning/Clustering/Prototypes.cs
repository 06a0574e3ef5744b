using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>Assigns stored embeddings to clusters without libtorch: cheap enough for a grain's turn.</summary>
public sealed class Prototypes
{
    // Those in use, [P, D], normalised, and the cluster slot of each.
    private readonly float[] _rows;
    private readonly int[] _clusters;
    private readonly float _scale;

    // [M, D], normalised.
    private readonly float[] _landmarks;

    /// <summary>The reach that nothing lies beyond: opposite directions are this far apart.</summary>
    public const float Everything = 2;

    private Prototypes(float[] rows, long[] clusters, float scale, Half[] landmarks, float reach)
    {
        (Width, Reach, _scale, _landmarks) = (rows.Length / clusters.Length, reach, scale, new float[landmarks.Length]);
        TensorPrimitives.ConvertToSingle(landmarks, _landmarks);

        // Rows of zeros are not in use. A model without any has one cluster, that of a direction which nothing is near.
        int[] used = [.. Enumerable.Range(0, clusters.Length).Where(row => rows.AsSpan(row * Width, Width).IndexOfAnyExcept(0f) >= 0).DefaultIfEmpty(0)];
        _clusters = Array.ConvertAll(used, row => (int)clusters[row]);
        _rows = [.. used.SelectMany(row => rows[(row * Width)..((row + 1) * Width)])];
        Count = _clusters.Max() + 1;
        for (var prototype = 0; prototype < used.Length; prototype++)
        {
            Normalise(Row(prototype));
        }
    }

    /// <summary>How many slots for clusters, K; one without a prototype has none, and nothing is assigned to it.</summary>
    public int Count { get; }

    /// <summary>The embedding's width, D.</summary>
    public int Width { get; }

    /// <summary>Reads the prototypes of a model version.</summary>
    /// <param name="model">What <see cref="Learner.Export"/> gave.</param>
    /// <exception cref="InvalidDataException">There are none.</exception>
    public static Prototypes Read(IReadOnlyList<NamedTensor> model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new Prototypes(
            model.Named(ModelFormat.Prototypes).Values<float>(),
            model.Named(ModelFormat.PrototypeClusters).Values<long>(),
            model.Named(ModelFormat.Scale).Values<float>()[0],
            model.Named(ModelFormat.Landmarks).Values<Half>(),
            model.Named(ModelFormat.Reach).Values<float>()[0]);
    }

    /// <summary>Whether a slot has a prototype.</summary>
    /// <param name="slot">0 to K-1.</param>
    public bool HasCluster(int slot) => _clusters.Contains(slot);

    /// <summary>The distance to the nearest landmark (1 - cosine, 0 to 2) beyond which an embedding fits no cluster.</summary>
    public float Reach { get; }

    /// <summary>The cluster of an embedding, and whether it fits.</summary>
    /// <param name="embedding">[D], as <see cref="Embedder.Embed"/> gave it.</param>
    /// <exception cref="ArgumentException">Another width.</exception>
    public Placement Assign(ReadOnlySpan<Half> embedding)
    {
        Span<float> query = Width <= 1024 ? stackalloc float[Width] : new float[Width];
        Widen(embedding, query);
        var (slot, confidence) = MostProbable(query);
        var distance = Distance(query);
        return new Placement(slot, confidence, distance, distance > Reach);
    }

    /// <summary>The slot of an embedding's most probable cluster, whether it fits or not.</summary>
    /// <param name="embedding">[D], as <see cref="Embedder.Embed"/> gave it.</param>
    /// <exception cref="ArgumentException">Another width.</exception>
    public int SlotOf(ReadOnlySpan<Half> embedding)
    {
        Span<float> query = Width <= 1024 ? stackalloc float[Width] : new float[Width];
        Widen(embedding, query);
        return MostProbable(query).Slot;
    }

    /// <summary>The distance of an embedding to the nearest landmark: 1 - cosine, 0 to 2; 0 where there are no landmarks.</summary>
    /// <param name="embedding">[D], as <see cref="Embedder.Embed"/> gave it.</param>
    /// <exception cref="ArgumentException">Another width.</exception>
    public float Distance(ReadOnlySpan<Half> embedding)
    {
        Span<float> query = Width <= 1024 ? stackalloc float[Width] : new float[Width];
        Widen(embedding, query);
        return Distance(query);
    }

    /// <summary>The probability of each cluster: that of its prototypes together.</summary>
    /// <param name="embedding">[D], as <see cref="Embedder.Embed"/> gave it.</param>
    /// <param name="probabilities">Receives [K].</param>
    /// <exception cref="ArgumentException">Another width.</exception>
    public void Probabilities(ReadOnlySpan<Half> embedding, Span<float> probabilities)
    {
        if (probabilities.Length != Count)
        {
            throw new ArgumentException($"{probabilities.Length} probabilities are asked for of {Count} clusters.", nameof(probabilities));
        }

        Span<float> query = Width <= 1024 ? stackalloc float[Width] : new float[Width];
        Widen(embedding, query);
        Probabilities(query, probabilities);
    }

    private (int Slot, float Confidence) MostProbable(ReadOnlySpan<float> query)
    {
        Span<float> probabilities = Count <= 1024 ? stackalloc float[Count] : new float[Count];
        Probabilities(query, probabilities);
        var best = TensorPrimitives.IndexOfMax(probabilities);
        return (best, probabilities[best]);
    }

    private void Probabilities(ReadOnlySpan<float> query, Span<float> probabilities)
    {
        Span<float> shares = _clusters.Length <= 1024 ? stackalloc float[_clusters.Length] : new float[_clusters.Length];
        for (var prototype = 0; prototype < shares.Length; prototype++)
        {
            shares[prototype] = _scale * TensorPrimitives.Dot(query, Row(prototype));
        }

        // Its exponentials overflow above 88.
        TensorPrimitives.Subtract(shares, TensorPrimitives.Max<float>(shares), shares);
        TensorPrimitives.SoftMax(shares, shares);
        probabilities.Clear();
        for (var prototype = 0; prototype < shares.Length; prototype++)
        {
            probabilities[_clusters[prototype]] += shares[prototype];
        }
    }

    private float Distance(ReadOnlySpan<float> query)
    {
        var nearest = _landmarks.Length == 0 ? 1f : float.NegativeInfinity;
        for (var start = 0; start < _landmarks.Length; start += Width)
        {
            nearest = Math.Max(nearest, TensorPrimitives.Dot(query, _landmarks.AsSpan(start, Width)));
        }

        return Math.Clamp(1 - nearest, 0, Everything);
    }

    private void Widen(ReadOnlySpan<Half> embedding, Span<float> query)
    {
        if (embedding.Length != Width)
        {
            throw new ArgumentException($"The embedding is {embedding.Length} wide; prototypes are [{_clusters.Length}, {Width}] of {Count} clusters.", nameof(embedding));
        }

        TensorPrimitives.ConvertToSingle(embedding, query);

        // Rounding to fp16 moved the length off 1.
        Normalise(query);
    }

    private Span<float> Row(int prototype) => _rows.AsSpan(prototype * Width, Width);

    private static void Normalise(Span<float> row)
        => TensorPrimitives.Divide(row, Math.Max(TensorPrimitives.Norm(row), 1e-12f), row);
}

/// <summary>Where an embedding belongs.</summary>
/// <param name="Slot">The most probable cluster's slot, 0 to K-1.</param>
/// <param name="Confidence">Its probability.</param>
/// <param name="Distance">To the nearest landmark, a sample that the version learned: 1 - cosine, 0 to 2.</param>
/// <param name="IsOutlier">Whether that is beyond what any cluster reaches.</param>
public readonly record struct Placement(int Slot, float Confidence, float Distance, bool IsOutlier);
