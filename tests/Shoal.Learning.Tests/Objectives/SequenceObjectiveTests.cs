using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>Objectives that read a sample from left to right: how it is cut, and each in plain loops.</summary>
public sealed class SequenceObjectiveTests
{
    private static readonly SampleShape Shape = Catalogued.Shape;

    [Fact]
    public void Slices_in_order_are_widened_as_plain_loops_interpolate_them()
    {
        using var scope = NewDisposeScope();
        var pixels = rand(2, 1, 16, 24);
        var (whole, slices) = (Making.Floats(pixels), Making.Floats(Slices.InOrder(pixels, 5, 0.25)));
        Assert.Equal(2 * 5 * 16 * 24, slices.Length);
        for (var at = 0; at < slices.Length; at++)
        {
            // A quarter of 24 columns, from column 4.5·t on.
            var (slice, y, x) = (at / (16 * 24), at / 24 % 16, at % 24);
            var column = (slice % 5 * 4.5) + ((x + 0.5) / 4) - 0.5;
            var (left, right) = ((int)Math.Floor(column), column - Math.Floor(column));
            double Pixel(int place) => whole[(slice / 5 * 16 * 24) + (y * 24) + Math.Clamp(place, 0, 23)];
            Assert.Equal(((1 - right) * Pixel(left)) + (right * Pixel(left + 1)), slices[at], 1e-4);
        }
    }

    [Fact]
    public void Slices_anywhere_reach_from_edge_to_edge_and_never_beyond()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var across = arange(24, ScalarType.Float32).view(1, 1, 1, 24).expand(300, 1, 16, 24);
        float[][] slices = [.. Making.Floats(Slices.Anywhere(across, 2, 0.5, generator)).Chunk(16 * 24)];
        Assert.All(slices, slice => Assert.Equal(11.5, slice[23] - slice[0], 0.3));
        Assert.True(slices.Min(slice => slice[0]) < 0.5 && slices.Max(slice => slice[23]) > 22.5);
    }

    [Fact]
    public void A_recurrence_equals_plain_loops()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        using var recurrence = new Recurrence(3, 5);
        var input = randn(2, 4, 3);
        var weights = recurrence.named_parameters().ToDictionary(p => p.name.Split('.')[^1], p => p.parameter, StringComparer.Ordinal);
        double[][] Gates(double[] row, string kind) => [.. Doubles.Rows(weights[$"weight_{kind}_l0"]).Select((weight, i) => Doubles.Dot(weight, row) + Making.Floats(weights[$"bias_{kind}_l0"])[i]).Chunk(5)];
        static double Sigmoid(double value) => 1 / (1 + Math.Exp(-value));
        double[][] rows = Doubles.Rows(input.flatten(0, 1));
        var expected = new List<double>();
        for (var sample = 0; sample < 2; sample++)
        {
            var hidden = new double[5];
            for (var time = 0; time < 4; time++)
            {
                var (x, h) = (Gates(rows[(sample * 4) + time], "ih"), Gates(hidden, "hh"));
                hidden = [.. Enumerable.Range(0, 5).Select(i =>
                {
                    var (reset, update) = (Sigmoid(x[0][i] + h[0][i]), Sigmoid(x[1][i] + h[1][i]));
                    return ((1 - update) * Math.Tanh(x[2][i] + (reset * h[2][i]))) + (update * hidden[i]);
                })];
                expected.AddRange(hidden);
            }
        }

        Assert.All(expected.Zip(Making.Floats(recurrence.forward(input))), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Cpc_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new CpcObjective(8, new CpcObjective.Options { Slices = 5, Ahead = 2, Width = 8 });
        var (spy, batch) = Spy.Step(objective, Shape);
        var loss = objective.Compute(batch).Terms["contrast"].item<float>();
        var context = (nn.Module<Tensor, Tensor>)objective.Own.named_children().Single(child => child.name is "context").module;
        double[][][] latents = [.. spy.Features[0].Chunk(5)];
        double[][][] contexts = [.. Doubles.Rows(context.forward(Plain(spy.Features[0]).view(6, 5, 8)).flatten(0, 1)).Chunk(5)];
        var losses = new List<double>();
        foreach (var ahead in new[] { 1, 2 })
        {
            for (var time = 0; time + ahead < 5; time++)
            {
                double[][] foretold = Doubles.Through([.. contexts.Select(sample => sample[time])], objective, $"predictor{ahead}");
                losses.Add(Doubles.Contrast(foretold, [.. latents.Select(sample => sample[time + ahead])], 1));
            }
        }

        Assert.Equal(7, losses.Count);
        Assert.Equal(losses.Average(), loss, 4);
    }

    [Fact]
    public void Next_frame_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new NextFrameObjective(8, Shape, new NextFrameObjective.Options { Slices = 4, Width = 8 });
        var (spy, batch) = Spy.Step(objective, Shape);
        var loss = objective.Compute(batch).Terms["frame"].item<float>();
        var networks = objective.Own.named_children().ToDictionary(child => child.name, child => (nn.Module<Tensor, Tensor>)child.module, StringComparer.Ordinal);
        double[][] made = Doubles.Rows(networks["decoder"].forward(networks["context"].forward(Plain(spy.Features[0]).view(6, 3, 8)).flatten(0, 1)).flatten(1));

        // Six columns, widened to 24: the first pixel of each row of a slice, and the last, are those of the sample, whatever lies beside them.
        double[][] whole = Doubles.Rows(batch.Pixels.flatten(1)), shown = Doubles.Rows(spy.Inputs[0].flatten(1));
        var (sum, count) = (0.0, 0);
        for (var index = 0; index < shown.Length; index++)
        {
            var (time, row) = (index % 3, Array.FindIndex(whole, sample => Enumerable.Range(0, 72).All(line =>
                Math.Abs(shown[index][line * 24] - sample[(line * 24) + (index % 3 * 6)]) < 1e-6 && Math.Abs(shown[index][(line * 24) + 23] - sample[(line * 24) + (index % 3 * 6) + 5]) < 1e-6)));
            Assert.True(row >= 0);
            for (var place = 0; place < 3 * 24 * 6; place++)
            {
                sum += Math.Pow(whole[row][(place / 6 * 24) + ((time + 1) * 6) + (place % 6)] - made[index][place], 2);
                count++;
            }
        }

        Assert.Equal(sum / count, loss, 5);
    }

    [Fact]
    public void Cola_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new ColaObjective(8, new ColaObjective.Options { Width = 8 });
        var (spy, batch) = Spy.Step(objective, Shape);
        var loss = objective.Compute(batch).Terms["contrast"].item<float>();
        var linear = objective.Own.named_modules().Single(entry => entry.name is "projector.0").module;
        double[][] projected = Array.ConvertAll(Doubles.Layer(spy.Features[0], linear), row =>
        {
            var mean = row.Average();
            var deviation = Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + 1e-5);
            return Array.ConvertAll(row, value => Math.Tanh((value - mean) / deviation));
        });
        double[][] anchors = [.. projected.Where((_, i) => i % 2 == 0)];
        double[][] positives = Doubles.Through([.. projected.Where((_, i) => i % 2 == 1)], objective, "similarity");
        Assert.Equal(Doubles.Contrast(anchors, positives, 1), loss, 4);
    }

    [Theory]
    [InlineData("cpc", "predictor")]
    [InlineData("cola", "similarity")]
    public void Where_nothing_is_foretold_it_scores_the_logarithm_of_the_number_of_samples(string name, string network)
    {
        using var scope = NewDisposeScope();
        using var objective = Catalogued.Create(name);
        Doubles.Clear(objective, network);
        Assert.Equal(Math.Log(6), objective.Compute(Making.Batch(1, shape: Shape)).Terms["contrast"].item<float>(), 5);
    }

    [Fact]
    public void A_decoder_that_knows_nothing_scores_the_mean_square_of_the_frames()
    {
        using var scope = NewDisposeScope();
        using var objective = Catalogued.Create("nextframe");
        Doubles.Clear(objective, "decoder");
        Assert.Equal(0.16, objective.Compute(Making.Batch(1, shape: Shape) with { Pixels = full([6, 3, 24, 24], 0.4f) }).Terms["frame"].item<float>(), 5);
    }

    private static Tensor Plain(double[][] rows) => tensor(rows.SelectMany(row => row, (_, value) => (float)value).ToArray()).view(rows.Length, -1);
}
