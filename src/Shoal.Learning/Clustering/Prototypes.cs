using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>Assigns stored embeddings to clusters without libtorch: cheap enough for a grain's turn.</summary>
public sealed class Prototypes
{
    // [P, D], normalised; zeros where a prototype is not in use.
    private readonly float[] _rows;
    private readonly int[] _clusters;
    private readonly float _scale;

    // [M, D], normalised.
    private readonly float[] _landmarks;

    /// <summary>The reach that nothing lies beyond: opposite directions are this far apart.</summary>
    public const float Everything = 2;

    private Prototypes(float[] rows, long[] clusters, float scale, Half[] landmarks, float reach)
    {
        _landmarks = new float[landmarks.Length];
        TensorPrimitives.ConvertToSingle(landmarks, _landmarks);
        (_rows, _clusters, _scale, Width) = (rows, Array.ConvertAll(clusters, cluster => (int)cluster), scale, rows.Length / clusters.Length);
        Reach = reach;
        for (var prototype = 0; prototype < clusters.Length; prototype++)
        {
            Normalise(Row(prototype));
            Count = Math.Max(Count, IsUsed(prototype) ? _clusters[prototype] + 1 : 1);
        }
    }

    /// <summary>How many slots for clusters, K; one without a prototype has none, and nothing is assigned to it.</summary>
    public int Count { get; }

    /// <summary>How many prototypes there is room for, P; a cluster may have several.</summary>
    public int Room => _clusters.Length;

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
    public bool HasCluster(int slot) => Enumerable.Range(0, Room).Any(prototype => _clusters[prototype] == slot && IsUsed(prototype));

    /// <summary>The distance to the nearest landmark (1 - cosine, 0 to 2) beyond which an embedding fits no cluster.</summary>
    public float Reach { get; }

    /// <summary>The cluster of an embedding.</summary>
    /// <param name="embedding">[D], as <see cref="Embedder.Embed"/> gave it.</param>
    /// <exception cref="ArgumentException">Another width.</exception>
    public Placement Assign(ReadOnlySpan<Half> embedding)
    {
        Span<float> probabilities = Count <= 1024 ? stackalloc float[Count] : new float[Count];
        Probabilities(embedding, probabilities);
        var best = TensorPrimitives.IndexOfMax(probabilities);
        var distance = Distance(embedding);
        return new Placement(best, probabilities[best], distance, distance > Reach);
    }

    /// <summary>The probability of each cluster: that of its prototypes together.</summary>
    /// <param name="embedding">[D], as <see cref="Embedder.Embed"/> gave it.</param>
    /// <param name="probabilities">Receives [K].</param>
    /// <exception cref="ArgumentException">Another width.</exception>
    public void Probabilities(ReadOnlySpan<Half> embedding, Span<float> probabilities)
    {
        if (embedding.Length != Width || probabilities.Length != Count)
        {
            throw new ArgumentException(
                $"The embedding is {embedding.Length} wide and {probabilities.Length} probabilities are asked for; prototypes are [{Room}, {Width}] of {Count} clusters.", nameof(embedding));
        }

        Span<float> query = Width <= 1024 ? stackalloc float[Width] : new float[Width];
        Widen(embedding, query);
        Span<float> shares = Room <= 1024 ? stackalloc float[Room] : new float[Room];
        for (var prototype = 0; prototype < Room; prototype++)
        {
            shares[prototype] = IsUsed(prototype) ? _scale * TensorPrimitives.Dot(query, Row(prototype)) : float.NegativeInfinity;
        }

        // Its exponentials overflow above 88.
        TensorPrimitives.Subtract(shares, TensorPrimitives.Max<float>(shares), shares);
        TensorPrimitives.SoftMax(shares, shares);
        probabilities.Clear();
        for (var prototype = 0; prototype < Room; prototype++)
        {
            if (shares[prototype] > 0)
            {
                probabilities[_clusters[prototype]] += shares[prototype];
            }
        }
    }

    // To the nearest landmark; nothing is far where there are none.
    private float Distance(ReadOnlySpan<Half> embedding)
    {
        Span<float> query = Width <= 1024 ? stackalloc float[Width] : new float[Width];
        Widen(embedding, query);
        var nearest = _landmarks.Length == 0 ? 1f : float.NegativeInfinity;
        for (var start = 0; start < _landmarks.Length; start += Width)
        {
            nearest = Math.Max(nearest, TensorPrimitives.Dot<float>(query, _landmarks.AsSpan(start, Width)));
        }

        return Math.Clamp(1 - nearest, 0, Everything);
    }

    private static void Widen(ReadOnlySpan<Half> embedding, Span<float> query)
    {
        TensorPrimitives.ConvertToSingle(embedding, query);

        // Rounding to fp16 moved the length off 1.
        Normalise(query);
    }

    private Span<float> Row(int prototype) => _rows.AsSpan(prototype * Width, Width);

    private bool IsUsed(int prototype) => Row(prototype).IndexOfAnyExcept(0f) >= 0;

    private static void Normalise(Span<float> row)
        => TensorPrimitives.Divide(row, Math.Max(TensorPrimitives.Norm(row), 1e-12f), row);
}

/// <summary>Where an embedding belongs.</summary>
/// <param name="Slot">The most probable cluster's slot, 0 to K-1.</param>
/// <param name="Confidence">Its probability.</param>
/// <param name="Distance">To the nearest landmark, a sample that the version learned: 1 - cosine, 0 to 2.</param>
/// <param name="IsOutlier">Whether that is beyond what any cluster reaches.</param>
public readonly record struct Placement(int Slot, float Confidence, float Distance, bool IsOutlier);
