using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class DenoisingObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new DenoisingObjective(8, Catalogued.Shape, new DenoisingObjective.Options { Destroyed = 0.4 });
        var (spy, batch) = Spy.Step(objective, Catalogued.Shape);
        var loss = objective.Compute(batch).Terms["reconstruction"].item<float>();
        var decoder = (nn.Module<Tensor, Tensor>)objective.Own.named_children().Single().module;
        var made = Doubles.Rows(decoder.forward(tensor(spy.Features[0].SelectMany(row => row, (_, value) => (float)value).ToArray()).view(6, 8)).flatten(1));
        var (damaged, whole) = (Doubles.Rows(spy.Inputs[0].flatten(1)), Doubles.Rows(batch.Pixels.flatten(1)));
        var places = Catalogued.Shape.Height * Catalogued.Shape.Width;
        var (sum, masks) = (0.0, new HashSet<string>(StringComparer.Ordinal));
        for (var i = 0; i < 6; i++)
        {
            // Pixels are above 0.1, so 0 is one that was destroyed: the same in all three channels, and of each sample as many.
            bool[] destroyed = [.. Enumerable.Range(0, places).Select(place => damaged[i][place] < 0.05)];
            Assert.Equal((int)Math.Round(places * 0.4), destroyed.Count(gone => gone));
            masks.Add(string.Concat(destroyed.Select(gone => gone ? '1' : '0')));
            double[] original = whole.Single(row => row.Zip(damaged[i]).Where((_, at) => !destroyed[at % places]).All(pair => Math.Abs(pair.First - pair.Second) < 1e-7));
            for (var at = 0; at < original.Length; at++)
            {
                Assert.Equal(destroyed[at % places] ? 0 : original[at], damaged[i][at], 1e-6);
                sum += Math.Pow(original[at] - made[i][at], 2);
            }
        }

        Assert.Equal(6, masks.Count);
        Assert.Equal(sum / 6 / 3 / places, loss, 4);
    }

    [Fact]
    public void Of_black_everywhere_it_costs_the_mean_square_of_the_samples()
    {
        using var scope = NewDisposeScope();
        using var objective = new DenoisingObjective(8, Making.Grey);
        Doubles.Clear(objective, "decoder");
        Assert.Equal(0.36, objective.Compute(Making.Batch(1) with { Pixels = full([6, 1, 12, 12], 0.6f) }).Terms["reconstruction"].item<float>(), 5);
    }
}
