using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class DecoderTests
{
    [Fact]
    public void It_equals_plain_loops()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var decoder = new Decoder(3, 2, 7, 5);
        var features = randn(4, 3);
        var layers = decoder.named_modules().Select(entry => entry.module).ToArray();
        var (linear, convolutions) = (layers.OfType<Linear>().Single(), layers.OfType<Conv2d>().ToArray());
        Assert.Equal(2, convolutions.Length);
        var places = Array.ConvertAll(Doubles.Layer(Doubles.Rows(features), linear), row => Array.ConvertAll(row, value => Math.Max(value, 0)));

        // [sample][channel, y, x], flat: 4x4 becomes 8x8, which is cut.
        var doubled = Array.ConvertAll(places, row => Convolved(Doubled(row, 64, 4), convolutions[0], 64, 8));
        var pictures = Array.ConvertAll(Normed(doubled, 32), row => Convolved(row, convolutions[1], 32, 8));
        var expected = pictures.SelectMany(row => from c in Enumerable.Range(0, 2) from y in Enumerable.Range(0, 7) from x in Enumerable.Range(0, 5) select row[(c * 64) + (y * 8) + x]);
        var made = decoder.forward(features);
        Assert.Equal([4L, 2, 7, 5], made.shape);
        Assert.All(expected.Zip(Making.Floats(made)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(28, 28)]
    [InlineData(40, 9)]
    public void Pictures_are_as_large_as_asked_for(int height, int width)
    {
        using var scope = NewDisposeScope();
        using var decoder = new Decoder(6, 1, height, width);
        Assert.Equal([2L, 1, height, width], decoder.forward(randn(2, 6)).shape);
    }

    private static double[] Doubled(double[] row, int channels, int side) =>
    [
        .. from c in Enumerable.Range(0, channels) from y in Enumerable.Range(0, 2 * side) from x in Enumerable.Range(0, 2 * side) select row[(c * side * side) + (y / 2 * side) + (x / 2)],
    ];

    private static double[] Convolved(double[] row, Conv2d layer, int channels, int side)
    {
        var weights = Making.Floats(layer.weight);
        var bias = layer.bias is { } given ? Making.Floats(given) : null;
        var outputs = (int)layer.weight.shape[0];
        var result = new double[outputs * side * side];
        for (var place = 0; place < result.Length; place++)
        {
            var (o, y, x) = (place / side / side, place / side % side, place % side);
            result[place] = bias?[o] ?? 0;
            for (var tap = 0; tap < channels * 9; tap++)
            {
                var (fromY, fromX) = (y + (tap / 3 % 3) - 1, x + (tap % 3) - 1);
                if (fromY >= 0 && fromY < side && fromX >= 0 && fromX < side)
                {
                    result[place] += weights[(o * channels * 9) + tap] * row[(tap / 9 * side * side) + (fromY * side) + fromX];
                }
            }
        }

        return result;
    }

    // Each channel over the batch and all places, and ReLU; scale 1 and shift 0, as they begin.
    private static double[][] Normed(double[][] rows, int channels)
    {
        var places = rows[0].Length / channels;
        var result = Array.ConvertAll(rows, row => new double[row.Length]);
        for (var c = 0; c < channels; c++)
        {
            double[] values = [.. rows.SelectMany(row => row[(c * places)..((c + 1) * places)])];
            var mean = values.Average();
            var deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)) + 1e-5);
            for (var place = c * places; place < (c + 1) * places; place++)
            {
                for (var i = 0; i < rows.Length; i++)
                {
                    result[i][place] = Math.Max((rows[i][place] - mean) / deviation, 0);
                }
            }
        }

        return result;
    }
}
