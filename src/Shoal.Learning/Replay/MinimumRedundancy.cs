using System.Numerics.Tensors;

namespace Shoal.Learning;

/// <summary>Knows which kept sample could be missed most easily: the one that another resembles most.</summary>
/// <remarks>
/// The minimum-redundancy buffer of Purushwalkam et al. 2022, "The Challenges of Continuous Self-Supervised Learning",
/// section 4: every new sample is kept, and of those before it the one with the highest cosine to its nearest other gives way.
/// Embeddings are those of the last mining, or of when a sample came.
/// </remarks>
internal sealed class MinimumRedundancy
{
    public const string EmbeddingsName = "redundancy.embeddings";
    public const string NearestName = "redundancy.nearest";

    private readonly int _width;
    private readonly float[] _embeddings;

    // The nearest other of each slot, and its cosine; not known where the slot is -1.
    private readonly int[] _nearest;
    private readonly float[] _cosines;
    private int _count;

    public MinimumRedundancy(int capacity, int width) =>
        (_width, _embeddings, _nearest, _cosines) = (width, new float[(long)capacity * width], new int[capacity], new float[capacity]);

    /// <summary>All kept samples are embedded anew.</summary>
    /// <param name="embeddings">[n, D], L2-normalised, in the order of the slots.</param>
    /// <param name="nearest">The slot of each one's nearest other, [n].</param>
    public void Refresh(ReadOnlySpan<float> embeddings, ReadOnlySpan<int> nearest)
    {
        embeddings.CopyTo(_embeddings);
        nearest.CopyTo(_nearest);
        _count = nearest.Length;
        for (var slot = 0; slot < _count; slot++)
        {
            _cosines[slot] = _nearest[slot] < 0 ? float.NegativeInfinity : Cosine(slot, _nearest[slot]);
        }
    }

    /// <summary>A sample takes a slot: the next one, or that of one which gave way.</summary>
    /// <param name="slot">0 to the number of samples.</param>
    /// <param name="embedding">[D], L2-normalised.</param>
    public void Place(int slot, ReadOnlySpan<float> embedding)
    {
        embedding.CopyTo(_embeddings.AsSpan(slot * _width));
        _count = Math.Max(_count, slot + 1);
        Find(slot);
        for (var other = 0; other < _count; other++)
        {
            if (other == slot)
            {
                continue;
            }

            if (_nearest[other] == slot)
            {
                Find(other);
            }
            else if (Cosine(other, slot) is var cosine && cosine > _cosines[other])
            {
                (_nearest[other], _cosines[other]) = (slot, cosine);
            }
        }
    }

    /// <summary>The index in a list of slots of the most redundant sample.</summary>
    /// <param name="slots">At least one.</param>
    public int Most(IReadOnlyList<int> slots) => Enumerable.Range(0, slots.Count).MaxBy(i => _cosines[slots[i]]);

    /// <summary>Forgets all samples but these, which take the first slots.</summary>
    /// <param name="slots">In rising order.</param>
    public void Keep(IReadOnlyList<int> slots)
    {
        foreach (var (place, slot) in slots.Index())
        {
            _embeddings.AsSpan(slot * _width, _width).CopyTo(_embeddings.AsSpan(place * _width));
        }

        _embeddings.AsSpan(slots.Count * _width, (_count - slots.Count) * _width).Clear();
        _count = slots.Count;
        for (var slot = 0; slot < _count; slot++)
        {
            Find(slot);
        }
    }

    public IReadOnlyList<NamedTensor> Save(string prefix) =>
    [
        NamedTensor.Of<float>(prefix + EmbeddingsName, _embeddings.AsSpan(0, _count * _width), _count, _width),
        NamedTensor.Of<int>(prefix + NearestName, _nearest.AsSpan(0, _count)),
    ];

    public void Load(string prefix, IReadOnlyList<NamedTensor> saved)
    {
        Refresh(saved.Named(prefix + EmbeddingsName).Values<float>(), saved.Named(prefix + NearestName).Values<int>());
    }

    private void Find(int slot)
    {
        (_nearest[slot], _cosines[slot]) = (-1, float.NegativeInfinity);
        for (var other = 0; other < _count; other++)
        {
            if (other != slot && Cosine(slot, other) is var cosine && cosine > _cosines[slot])
            {
                (_nearest[slot], _cosines[slot]) = (other, cosine);
            }
        }
    }

    private float Cosine(int a, int b) => TensorPrimitives.Dot<float>(_embeddings.AsSpan(a * _width, _width), _embeddings.AsSpan(b * _width, _width));
}
