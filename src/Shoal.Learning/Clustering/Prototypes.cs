using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>Assigns stored embeddings to clusters without libtorch: cheap enough for a grain's turn.</summary>
public sealed class Prototypes
{
    private readonly float[] _rows;
    private readonly float _scale;

    private Prototypes(float[] rows, int count, float scale)
    {
        (_rows, Count, Width, _scale) = (rows, count, rows.Length / count, scale);
        for (var slot = 0; slot < Count; slot++)
        {
            Normalise(_rows.AsSpan(slot * Width, Width));
        }
    }

    /// <summary>How many slots for clusters, K; one whose prototype is all zeros has none, and nothing is assigned to it.</summary>
    public int Count { get; }

    /// <summary>The embedding's width, D.</summary>
    public int Width { get; }

    /// <summary>Reads the prototypes of a model version.</summary>
    /// <param name="model">What <see cref="Learner.Export"/> gave.</param>
    /// <exception cref="InvalidDataException">There are none.</exception>
    public static Prototypes Read(IReadOnlyList<NamedTensor> model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var prototypes = model.Named(ModelFormat.Prototypes);
        return new Prototypes(prototypes.Values<float>(), (int)prototypes.Shape[0], model.Named(ModelFormat.Scale).Values<float>()[0]);
    }

    /// <summary>The cluster of an embedding.</summary>
    /// <param name="embedding">[D], as <see cref="Embedder.Embed"/> gave it.</param>
    /// <returns>The prototype's slot, 0 to K-1, and its softmax probability.</returns>
    /// <exception cref="ArgumentException">Another width.</exception>
    public (int Slot, float Confidence) Assign(ReadOnlySpan<Half> embedding)
    {
        Span<float> probabilities = Count <= 1024 ? stackalloc float[Count] : new float[Count];
        Probabilities(embedding, probabilities);
        var best = TensorPrimitives.IndexOfMax(probabilities);
        return (best, probabilities[best]);
    }

    /// <summary>The probability of each cluster.</summary>
    /// <param name="embedding">[D], as <see cref="Embedder.Embed"/> gave it.</param>
    /// <param name="probabilities">Receives [K].</param>
    /// <exception cref="ArgumentException">Another width.</exception>
    public void Probabilities(ReadOnlySpan<Half> embedding, Span<float> probabilities)
    {
        if (embedding.Length != Width || probabilities.Length != Count)
        {
            throw new ArgumentException(
                $"The embedding is {embedding.Length} wide and {probabilities.Length} probabilities are asked for; prototypes are [{Count}, {Width}].", nameof(embedding));
        }

        Span<float> query = Width <= 1024 ? stackalloc float[Width] : new float[Width];
        TensorPrimitives.ConvertToSingle(embedding, query);

        // Rounding to fp16 moved the length off 1.
        Normalise(query);
        for (var slot = 0; slot < Count; slot++)
        {
            ReadOnlySpan<float> row = _rows.AsSpan(slot * Width, Width);
            probabilities[slot] = row.IndexOfAnyExcept(0f) >= 0 ? _scale * TensorPrimitives.Dot(query, row) : float.NegativeInfinity;
        }

        TensorPrimitives.SoftMax(probabilities, probabilities);
    }

    private static void Normalise(Span<float> row)
        => TensorPrimitives.Divide(row, Math.Max(TensorPrimitives.Norm(row), 1e-12f), row);
}
