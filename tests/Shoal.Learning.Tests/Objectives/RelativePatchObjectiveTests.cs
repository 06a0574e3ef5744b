using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class RelativePatchObjectiveTests
{
    private static readonly RelativePatchObjective.Options Small = new() { Share = 1, Hidden = 16 };

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new RelativePatchObjective(8, Small);
        var asked = new HashSet<int>();
        for (var seed = 0; seed < 6; seed++)
        {
            var (spy, batch) = Spy.Step(objective, Catalogued.Shape, seed);
            var loss = objective.Compute(batch).Terms["place"].item<float>();
            using var generator = new Generator(1);
            var cells = Spy.Find(Pieces.Standardised(Pieces.Cut(batch.Pixels, PiecesTests.AllCells(6), 1, generator)), spy.Inputs[0]);
            int[] middles = [.. cells.Where((_, i) => i % 2 == 0)], neighbours = [.. cells.Where((_, i) => i % 2 == 1)];
            Assert.All(middles.Zip(neighbours), pair => Assert.Equal((4, pair.First / 9), (pair.First % 9, pair.Second / 9)));
            int[] answers = Array.ConvertAll(neighbours, cell => cell % 9 < 4 ? cell % 9 : (cell % 9) - 1);
            double[][] both = [.. spy.Features[0].Chunk(2).Select(pair => pair[0].Concat(pair[1]).ToArray())];
            Assert.Equal(Spy.CrossEntropy(Doubles.Through(both, objective, "classifier"), answers), loss, 4);
            asked.UnionWith(answers);
        }

        Assert.Equal(8, asked.Count);
    }

    [Fact]
    public void A_classifier_that_knows_nothing_scores_the_logarithm_of_8()
    {
        using var scope = NewDisposeScope();
        using var objective = new RelativePatchObjective(8, Small);
        Doubles.Clear(objective, "classifier");
        Assert.Equal(Math.Log(8), objective.Compute(Making.Batch(1, shape: Catalogued.Shape)).Terms["place"].item<float>(), 5);
    }
}
