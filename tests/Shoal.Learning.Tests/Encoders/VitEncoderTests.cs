using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class VitEncoderTests
{
    [Fact]
    public void Samples_are_cut_as_plain_loops_cut_them_and_what_is_missing_continues_the_border()
    {
        // 10 pixels in patches of 2, 7 in four of 2: the last column is repeated.
        using var scope = NewDisposeScope();
        var shape = new SampleShape(3, 10, 7);
        var grid = PatchGrid.Of(shape);
        Assert.Equal(new PatchGrid(2, 5, 4, 3), grid);
        var (pixels, patches) = (rand(2, 3, 10, 7), default(float[]));
        patches = Making.Floats(grid.Split(pixels));
        var whole = Making.Floats(pixels);
        var at = 0;
        foreach (var (n, patch, c, row, column) in from n in Enumerable.Range(0, 2) from patch in Enumerable.Range(0, 20) from c in Enumerable.Range(0, 3) from row in Enumerable.Range(0, 2) from column in Enumerable.Range(0, 2) select (n, patch, c, row, column))
        {
            var (y, x) = ((patch / 4 * 2) + row, Math.Min((patch % 4 * 2) + column, 6));
            Assert.Equal(whole[(((n * 3) + c) * 70) + (y * 7) + x], patches[at++]);
        }

        Assert.Equal(at, patches.Length);
    }

    [Fact]
    public void Every_place_has_a_position_of_its_own()
    {
        using var scope = NewDisposeScope();
        double[][] positions = Doubles.Rows(new PatchGrid(4, 7, 8, 1).Positions(16));
        Assert.Equal(56, positions.Select(row => string.Join(' ', row.Select(value => value.ToString("F4")))).Distinct(StringComparer.Ordinal).Count());

        // Row 2, column 3, at the first frequency, 1, and at the last, 10,000^(-3/4).
        var place = positions[19];
        Assert.Equal([Math.Sin(2), Math.Cos(2), Math.Sin(3), Math.Cos(3)], new[] { place[0], place[4], place[8], place[12] }, (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(Math.Sin(3 * Math.Pow(10, -3)), place[11], 1e-5);
    }

    [Fact]
    public void A_block_equals_plain_loops()
    {
        const int Tokens = 5;
        const int Width = 8;
        const int Heads = 2;
        using var scope = NewDisposeScope();
        manual_seed(2);
        using var block = new TransformerBlock(Width, Heads);
        var layers = block.named_modules().ToDictionary(entry => entry.name, entry => entry.module, StringComparer.Ordinal);
        double[][] Linear(double[][] rows, string name) => Doubles.Layer(rows, layers[name]);
        var input = randn(1, Tokens, Width);
        double[][] rows = Doubles.Rows(input.squeeze(0));
        double[][] projected = Linear(Normed(rows), "_projections");
        var attended = Array.ConvertAll(rows, _ => new double[Width]);
        for (var head = 0; head < Heads; head++)
        {
            double[] Part(int token, int which) => projected[token][((which * Width) + (head * Width / Heads))..((which * Width) + ((head + 1) * Width / Heads))];
            for (var token = 0; token < Tokens; token++)
            {
                double[] scores = [.. Enumerable.Range(0, Tokens).Select(other => Math.Exp(Doubles.Dot(Part(token, 0), Part(other, 1)) / Math.Sqrt(Width / Heads)))];
                for (var d = 0; d < Width / Heads; d++)
                {
                    attended[token][(head * Width / Heads) + d] = Enumerable.Range(0, Tokens).Sum(other => scores[other] / scores.Sum() * Part(other, 2)[d]);
                }
            }
        }

        double[][] through = Added(rows, Linear(attended, "_joined"));
        double[][] neurons = Linear(Doubles.Layer(Linear(Normed(through), "_neurons.1"), layers["_neurons.2"]), "_neurons.3");
        Assert.All(Added(through, neurons).SelectMany(row => row).Zip(Making.Floats(block.forward(input))), pair => Assert.Equal(pair.First, pair.Second, 1e-4));

        static double[][] Added(double[][] one, double[][] other) => [.. one.Zip(other, (a, b) => a.Zip(b, (x, y) => x + y).ToArray())];
    }

    [Fact]
    public void Shown_all_patches_it_sees_the_whole()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var encoder = new VitEncoder(Catalogued.Shape);
        var input = randn(4, 3, 24, 24);
        var all = arange(64, ScalarType.Int64).unsqueeze(0).expand(4, 64);
        var (whole, tokens) = (encoder.forward(input), encoder.EncodeVisible(input, all));
        Assert.Equal([4L, 64, 128], tokens.shape);
        Assert.All(Making.Floats(whole).Zip(Making.Floats(tokens.mean([1]))), pair => Assert.Equal(pair.First, pair.Second, 1e-5));

        // What is not visible does not matter; what is, does.
        var visible = arange(16, ScalarType.Int64).unsqueeze(0).expand(4, 16);
        var changed = input.clone();
        changed.narrow(2, 12, 12).zero_();
        Assert.Equal(Making.Floats(encoder.EncodeVisible(input, visible)), Making.Floats(encoder.EncodeVisible(changed, visible)));
        changed.narrow(2, 0, 3).zero_();
        Assert.NotEqual(Making.Floats(encoder.EncodeVisible(input, visible)), Making.Floats(encoder.EncodeVisible(changed, visible)));
    }

    // LayerNorm with scale 1 and shift 0, as it begins.
    private static double[][] Normed(double[][] rows) => Array.ConvertAll(rows, row =>
    {
        var mean = row.Average();
        var deviation = Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + 1e-5);
        return Array.ConvertAll(row, value => (value - mean) / deviation);
    });
}
