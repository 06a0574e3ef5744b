using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class RotationObjectiveTests
{
    [Fact]
    public void It_turns_by_quarters_counter_clockwise()
    {
        using var scope = NewDisposeScope();
        var pixels = rand(2, 3, 5, 5);
        var (before, after) = (Making.Floats(pixels), Making.Floats(RotationObjective.Turned(pixels)));
        for (var plane = 0; plane < 6; plane++)
        {
            for (var (y, x) = (0, 0); y < 5; (y, x) = x < 4 ? (y, x + 1) : (y + 1, 0))
            {
                float At(int row, int column) => before[(plane * 25) + (row * 5) + column];
                float Turned(int quarters) => after[(quarters * 150) + (plane * 25) + (y * 5) + x];
                Assert.Equal([At(y, x), At(x, 4 - y), At(4 - y, 4 - x), At(4 - x, y)], [Turned(0), Turned(1), Turned(2), Turned(3)]);
            }
        }
    }

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new RotationObjective(8);
        var (spy, batch) = Spy.Step(objective, Making.Grey);
        var loss = objective.Compute(batch).Terms["turn"].item<float>();
        var scores = Doubles.Through(spy.Features[0], objective, "classifier");
        Assert.Equal(24, scores.Length);
        Assert.Equal(Spy.CrossEntropy(scores, [.. Enumerable.Range(0, 24).Select(row => row / 6)]), loss, 5);
    }

    [Fact]
    public void A_classifier_that_knows_nothing_scores_the_logarithm_of_4()
    {
        using var scope = NewDisposeScope();
        using var objective = new RotationObjective(8);
        Doubles.Clear(objective, "classifier");
        Assert.Equal(Math.Log(4), objective.Compute(Making.Batch(1)).Terms["turn"].item<float>(), 5);
    }

    [Fact]
    public void What_looks_the_same_in_every_turn_cannot_be_told()
    {
        // Whatever the classifier, Jensen's inequality leaves ln 4 where the four have the same features.
        using var scope = NewDisposeScope();
        using var objective = new RotationObjective(8);
        var batch = Making.Batch(1);
        var ring = full_like(batch.Pixels, 0.2f);
        ring.narrow(2, 3, 6).narrow(3, 3, 6).fill_(0.9f);
        Assert.True(objective.Compute(batch with { Pixels = ring }).Terms["turn"].item<float>() >= Math.Log(4) - 1e-5);
    }

    [Fact]
    public void Samples_that_are_not_square_are_refused_with_the_reason()
    {
        var error = Assert.Throws<ArgumentException>(() => ObjectiveCatalogue.Create("rotation", 8, new SampleShape(1, 12, 16)));
        Assert.Contains("must be as high as wide, and are 12x16", error.Message, StringComparison.Ordinal);
    }
}
