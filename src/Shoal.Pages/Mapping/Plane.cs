using System.Numerics.Tensors;

namespace Shoal.Pages.Mapping;

/// <summary>The plane through embeddings in which they are spread widest: their first two principal axes, by subspace iteration.</summary>
/// <remarks>G. H. Golub and C. F. Van Loan, Matrix Computations, section 8.2: the power method on two orthonormal vectors at once, here on the covariance without making it.</remarks>
internal sealed class Plane
{
    /// <summary>More rows do not move the axes: the mean of so many is exact to two digits.</summary>
    private const int MostRows = 2_000;

    private const int MostSteps = 60;

    /// <summary>An axis has settled when a step turns it by less than 1.4e-3 rad: a pixel on a picture of 700.</summary>
    private const float Settled = 1 - 1e-6f;

    private readonly float[] _mean;
    private readonly float[] _first;
    private readonly float[] _second;

    private Plane(float[] mean, float[] first, float[] second) => (_mean, _first, _second) = (mean, first, second);

    /// <summary>Values an embedding.</summary>
    public int Width => _mean.Length;

    /// <summary>Fits the plane.</summary>
    /// <param name="table">The embeddings; at least two values wide.</param>
    public static Plane Fit(EmbeddingTable table)
    {
        int[] rows = Rows(table.Ids.Length);
        float[] mean = new float[table.Width];
        foreach (int row in rows)
        {
            TensorPrimitives.Add<float>(mean, table[row], mean);
        }

        TensorPrimitives.Divide<float>(mean, Math.Max(1, rows.Length), mean);
        (float[] first, float[] second) = (Begin(table.Width, seed: 1), Begin(table.Width, seed: 2));
        Orthonormalise(first, second);
        for (int step = 0; step < MostSteps; step++)
        {
            (float[] nextFirst, float[] nextSecond) = (Multiply(table, rows, mean, first), Multiply(table, rows, mean, second));
            Orthonormalise(nextFirst, nextSecond);
            bool settled = MathF.Abs(TensorPrimitives.Dot<float>(first, nextFirst)) > Settled && MathF.Abs(TensorPrimitives.Dot<float>(second, nextSecond)) > Settled;
            (first, second) = (nextFirst, nextSecond);
            if (settled)
            {
                break;
            }
        }

        return new Plane(mean, first, second);
    }

    /// <summary>Where an embedding lies on the plane.</summary>
    /// <param name="embedding">The embedding, [D].</param>
    public Point Project(ReadOnlySpan<float> embedding) =>
        new(TensorPrimitives.Dot<float>(embedding, _first) - TensorPrimitives.Dot<float>(_mean, _first), TensorPrimitives.Dot<float>(embedding, _second) - TensorPrimitives.Dot<float>(_mean, _second));

    // Rows at even distances: they come shard by shard.
    private static int[] Rows(int count)
    {
        int taken = Math.Min(count, MostRows);
        int[] rows = new int[taken];
        for (int i = 0; i < taken; i++)
        {
            rows[i] = (int)((long)i * count / taken);
        }

        return rows;
    }

    private static float[] Begin(int width, int seed)
    {
        var random = new Random(seed);
        float[] axis = new float[width];
        for (int i = 0; i < width; i++)
        {
            axis[i] = random.NextSingle() - 0.5f;
        }

        return axis;
    }

    // The covariance times a vector, times the number of rows.
    private static float[] Multiply(EmbeddingTable table, int[] rows, float[] mean, float[] axis)
    {
        float[] product = new float[axis.Length];
        float[] centred = new float[axis.Length];
        foreach (int row in rows)
        {
            TensorPrimitives.Subtract<float>(table[row], mean, centred);
            TensorPrimitives.MultiplyAdd<float>(centred, TensorPrimitives.Dot<float>(centred, axis), product, product);
        }

        return product;
    }

    // Gram-Schmidt. Where the embeddings do not spread in a direction, a unit vector stands in.
    private static void Orthonormalise(float[] first, float[] second)
    {
        Normalise(first, 0);
        TensorPrimitives.MultiplyAdd<float>(first, -TensorPrimitives.Dot<float>(first, second), second, second);
        float length = TensorPrimitives.Norm<float>(second);
        Normalise(second, 1);
        if (length <= float.Epsilon)
        {
            TensorPrimitives.MultiplyAdd<float>(first, -TensorPrimitives.Dot<float>(first, second), second, second);
            Normalise(second, 0);
        }
    }

    private static void Normalise(float[] axis, int unit)
    {
        float length = TensorPrimitives.Norm<float>(axis);
        if (length > float.Epsilon)
        {
            TensorPrimitives.Divide<float>(axis, length, axis);
            return;
        }

        Array.Clear(axis);
        axis[unit] = 1;
    }
}
