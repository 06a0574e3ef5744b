using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Shoal.Contracts;

namespace Shoal.Pages.Mapping;

/// <summary>Embeddings that can be compared with each other, one a row.</summary>
internal sealed class EmbeddingTable
{
    private readonly float[] _values;

    private EmbeddingTable(string[] ids, float[] values, int width)
    {
        Ids = ids;
        Width = width;
        _values = values;
    }

    /// <summary>The items' ids, [N].</summary>
    public string[] Ids { get; }

    /// <summary>Values an embedding, D.</summary>
    public int Width { get; }

    /// <summary>One embedding, [D], L2-normalised.</summary>
    /// <param name="row">Which.</param>
    public ReadOnlySpan<float> this[int row] => _values.AsSpan(row * Width, Width);

    /// <summary>Makes a table of what was read. Items that stand in it twice are taken once.</summary>
    /// <param name="slices">What was read.</param>
    /// <param name="oldest">The oldest version whose embeddings are taken.</param>
    /// <param name="before">The first version after it whose embeddings cannot be compared with those.</param>
    public static EmbeddingTable Of(EmbeddingSlice[] slices, int oldest, int before = int.MaxValue)
    {
        // While a version with another width is taken up, the newer width is the one that stays.
        int width = slices.Where(slice => slice.Versions.Any(version => version >= oldest && version < before)).Select(slice => slice.Width).LastOrDefault();
        var ids = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        var values = new List<float[]>();
        foreach (EmbeddingSlice slice in slices.Where(slice => slice.Width == width))
        {
            ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(slice.Embeddings);
            for (int i = 0; i < slice.Ids.Length; i++)
            {
                if (slice.Versions[i] < oldest || slice.Versions[i] >= before || !known.Add(slice.Ids[i]))
                {
                    continue;
                }

                float[] row = new float[width];
                TensorPrimitives.ConvertToSingle(halves.Slice(i * width, width), row);
                ids.Add(slice.Ids[i]);
                values.Add(row);
            }
        }

        return new EmbeddingTable([.. ids], [.. values.SelectMany(row => row)], width);
    }
}
