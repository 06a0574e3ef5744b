using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class CorruptionObjectiveTests
{
    private const int Cells = 3;
    private const int CellSide = 4;

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new CorruptionObjective(8, Making.Grey, new CorruptionObjective.Options { Cells = Cells, Reconstruction = 3 });
        var (spy, batch) = Spy.Step(objective, Making.Grey, count: 40);
        var terms = objective.Compute(batch).Terms;
        var decoder = (nn.Module<Tensor, Tensor>)objective.Own.named_children().Single(child => child.name is "decoder").module;
        var made = Doubles.Rows(decoder.forward(tensor(spy.Features[0].SelectMany(row => row, (_, value) => (float)value).ToArray()).view(40, 8)).flatten(1));
        var scores = Doubles.Through(spy.Features[0], objective, "detector");
        var (damaged, whole) = (Doubles.Rows(spy.Inputs[0].flatten(1)), Doubles.Rows(batch.Pixels.flatten(1)));
        var (detection, reconstruction, swapped) = (0.0, 0.0, 0);
        var donors = new HashSet<int>();
        for (var i = 0; i < 40; i++)
        {
            // The sample of which most cells are.
            int[] from = [.. Enumerable.Range(0, Cells * Cells).Select(cell => Array.FindIndex(whole, row => Cell(row, cell).Zip(Cell(damaged[i], cell)).All(pair => Math.Abs(pair.First - pair.Second) < 1e-7)))];
            Assert.DoesNotContain(-1, from);
            var own = from.GroupBy(row => row).MaxBy(group => group.Count())!.Key;
            for (var cell = 0; cell < Cells * Cells; cell++)
            {
                var probability = 1 / (1 + Math.Exp(-scores[i][cell]));
                detection -= Math.Log(from[cell] == own ? 1 - probability : probability);
                swapped += from[cell] == own ? 0 : 1;
                donors.Add(from[cell]);
            }

            reconstruction += whole[own].Zip(made[i], (x, z) => (x - z) * (x - z)).Sum();
        }

        Assert.InRange(swapped / 40.0 / Cells / Cells, 0.2, 0.4);
        Assert.True(donors.Count > 20);
        Assert.Equal(detection / 40 / Cells / Cells, terms["detection"].item<float>(), 4);
        Assert.Equal(3 * reconstruction / 40 / 144, terms["reconstruction"].item<float>(), 4);
    }

    [Fact]
    public void Networks_that_know_nothing_score_the_logarithm_of_2_and_the_mean_square()
    {
        using var scope = NewDisposeScope();
        using var objective = new CorruptionObjective(8, Making.Grey);
        Doubles.Clear(objective, "d");
        var terms = objective.Compute(Making.Batch(1) with { Pixels = full([6, 1, 12, 12], 0.5f) }).Terms;
        Assert.Equal(Math.Log(2), terms["detection"].item<float>(), 5);
        Assert.Equal(2 * 0.25, terms["reconstruction"].item<float>(), 5);
    }

    private static double[] Cell(double[] row, int cell) =>
        [.. from y in Enumerable.Range(0, CellSide) from x in Enumerable.Range(0, CellSide) select row[(((cell / Cells * CellSide) + y) * Cells * CellSide) + (cell % Cells * CellSide) + x]];
}
