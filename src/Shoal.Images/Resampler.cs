using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Shoal.Media;

/// <summary>
/// Scales pixels by area: an output pixel is the mean of what it covers, fractions included, which is the exact answer
/// for shrinking and can be computed by hand; where the source is smaller than the target, neighbours are blended linearly.
/// Values are averaged as stored (gamma-encoded), as the image libraries do that learners are usually fed by.
/// </summary>
internal static class Resampler
{
    /// <summary>Scales a rectangle of a picture.</summary>
    /// <param name="source">Premultiplied RGBA rows without padding, [sourceHeight, sourceWidth, 4].</param>
    /// <param name="sourceWidth">Width of the picture.</param>
    /// <param name="x">The rectangle's columns.</param>
    /// <param name="y">The rectangle's rows.</param>
    /// <returns>Premultiplied RGBA, [y.Target, x.Target], one vector a pixel.</returns>
    public static Vector128<float>[] Scale(ReadOnlySpan<byte> source, int sourceWidth, Axis x, Axis y)
    {
        var columns = x.Taps();
        var rows = y.Taps();
        var result = new Vector128<float>[x.Target * y.Target];
        var line = new Vector128<float>[x.Target];
        var pixels = MemoryMarshal.Cast<byte, uint>(source);

        // Row by row, so that a photograph needs one scaled line and not a scaled copy of its full height.
        // Windows of neighbouring output rows overlap and move downwards: [first, end) are those that may need this row.
        for (int row = rows[0].Start, first = 0; row < rows[^1].End; row++)
        {
            while (first < rows.Length && rows[first].End <= row)
            {
                first++;
            }

            ScaleLine(pixels.Slice(row * sourceWidth, sourceWidth), columns, line);
            for (var target = first; target < rows.Length && rows[target].Start <= row; target++)
            {
                if (row >= rows[target].End)
                {
                    continue;
                }

                var weight = Vector128.Create(rows[target].Weights[row - rows[target].Start]);
                var to = result.AsSpan(target * x.Target, x.Target);
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] += line[i] * weight;
                }
            }
        }

        return result;
    }

    private static void ScaleLine(ReadOnlySpan<uint> pixels, Tap[] columns, Span<Vector128<float>> line)
    {
        for (var i = 0; i < columns.Length; i++)
        {
            var tap = columns[i];
            var sum = Vector128<float>.Zero;
            for (var j = 0; j < tap.Weights.Length; j++)
            {
                var bytes = Vector128.CreateScalar(pixels[tap.Start + j]).AsByte();
                var channels = Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32();
                sum += Vector128.ConvertToSingle(channels) * Vector128.Create(tap.Weights[j]);
            }

            line[i] = sum;
        }
    }

    /// <summary>One direction of a rectangle and what it becomes.</summary>
    /// <param name="Length">Pixels of the whole picture.</param>
    /// <param name="Offset">Where the rectangle begins, in pixels.</param>
    /// <param name="Extent">How long it is, in pixels.</param>
    /// <param name="Target">Pixels that it becomes.</param>
    internal readonly record struct Axis(int Length, double Offset, double Extent, int Target)
    {
        /// <summary>Source pixels and weights of every output pixel; weights sum to 1.</summary>
        public Tap[] Taps()
        {
            var step = Extent / Target;
            var taps = new Tap[Target];
            for (var i = 0; i < Target; i++)
            {
                taps[i] = step >= 1 ? Mean(Offset + (i * step), step) : Blend(Offset + ((i + 0.5) * step) - 0.5);
            }

            return taps;
        }

        private Tap Mean(double from, double step)
        {
            // A rounding error of the division must not draw in a neighbour with a weight of nothing.
            const double Nothing = 1e-9;
            var start = Math.Clamp((int)Math.Floor(from + Nothing), 0, Length - 1);
            var end = Math.Clamp((int)Math.Ceiling(from + step - Nothing), start + 1, Length);
            var weights = new float[end - start];
            for (var i = start; i < end; i++)
            {
                weights[i - start] = (float)((Math.Min(i + 1, from + step) - Math.Max(i, from)) / step);
            }

            return new Tap(start, weights);
        }

        private Tap Blend(double centre)
        {
            var at = Math.Clamp(centre, 0, Length - 1);
            var start = Math.Min((int)at, Length - 1);
            var rest = (float)(at - start);
            return rest == 0 ? new Tap(start, [1]) : new Tap(start, [1 - rest, rest]);
        }
    }

    /// <summary>The source pixels of one output pixel.</summary>
    /// <param name="Start">The first.</param>
    /// <param name="Weights">One weight each.</param>
    internal readonly record struct Tap(int Start, float[] Weights)
    {
        /// <summary>One past the last.</summary>
        public int End => Start + Weights.Length;
    }
}
