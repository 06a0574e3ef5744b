using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class JigsawObjectiveTests
{
    private static readonly JigsawObjective.Options Small = new() { Share = 1, Width = 8, Hidden = 16, Orders = 20 };

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new JigsawObjective(8, Small);
        var (spy, batch) = Spy.Step(objective, Catalogued.Shape);
        var loss = objective.Compute(batch).Terms["order"].item<float>();

        // The orders that were drawn, seen from what was encoded: which cell of which sample each piece is.
        using var generator = new Generator(1);
        var cells = Spy.Find(Pieces.Standardised(Pieces.Cut(batch.Pixels, PiecesTests.AllCells(6), 1, generator)), spy.Inputs[0]);
        Assert.Equal(6, cells.Chunk(9).Select(sample => sample[0] / 9).Distinct().Count());
        Assert.All(cells.Chunk(9), sample => Assert.Single(sample.Select(cell => cell / 9).Distinct()));
        int[] answers =
        [
            .. cells.Chunk(9).Select(sample => Array.FindIndex(Permutations.Of(Small.Orders), order => order.SequenceEqual(sample.Select(cell => (byte)(cell % 9))))),
        ];
        double[][] together = [.. Doubles.Through(spy.Features[0], objective, "piece").Chunk(9).Select(sample => sample.SelectMany(piece => piece).ToArray())];
        Assert.Equal(Spy.CrossEntropy(Doubles.Through(together, objective, "classifier"), answers), loss, 4);
    }

    [Fact]
    public void A_classifier_that_knows_nothing_scores_the_logarithm_of_the_number_of_orders()
    {
        using var scope = NewDisposeScope();
        using var objective = new JigsawObjective(8, Small);
        Doubles.Clear(objective, "classifier");
        Assert.Equal(Math.Log(20), objective.Compute(Making.Batch(1, shape: Catalogued.Shape)).Terms["order"].item<float>(), 5);
    }

    [Fact]
    public void Orders_are_chosen_as_the_papers_algorithm_does_in_plain_loops()
    {
        byte[][] all = Permutations.All(4);
        Assert.Equal(24, all.Select(Convert.ToHexString).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(["0123", "0132", "0213"], all[..3].Select(order => string.Concat(order)));
        var chosen = new List<byte[]> { all[0] };
        while (chosen.Count < 10)
        {
            chosen.Add(all.Where(order => !chosen.Contains(order)).MaxBy(order => chosen.Sum(other => order.Zip(other).Count(pair => pair.First != pair.Second)))!);
        }

        Assert.Equal(chosen, Permutations.Choose(all, 10));
    }

    [Fact]
    public void The_first_nine_orders_of_nine_pieces_have_no_piece_in_the_same_place()
    {
        // A Latin square: the largest sum of distances that nine orders can have.
        byte[][] nine = Permutations.Of(9);
        Assert.All(Enumerable.Range(0, 9), place => Assert.Equal(9, nine.Select(order => order[place]).Distinct().Count()));
        Assert.Equal(Permutations.Most, Permutations.Of(Permutations.Most).Select(Convert.ToHexString).Distinct(StringComparer.Ordinal).Count());
    }
}
