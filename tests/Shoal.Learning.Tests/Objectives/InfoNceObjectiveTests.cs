using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class InfoNceObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new InfoNceObjective(8);
        var (a, b) = Doubles.Views(batch.Features);
        var expected = Doubles.Contrast(Doubles.Through(a, objective, "predictor"), Doubles.Through(b, objective, "latent"), 1);
        Assert.Equal(expected, objective.Compute(batch).Terms["contrast"].item<float>(), 4);
    }

    [Fact]
    public void View_A_predicts_view_B_and_not_the_other_way_about()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new InfoNceObjective(8);
        var turned = batch with { Features = cat([batch.Features.narrow(0, 6, 6), batch.Features.narrow(0, 0, 6)]) };
        Assert.NotEqual(objective.Compute(batch).Terms["contrast"].item<float>(), objective.Compute(turned).Terms["contrast"].item<float>(), 0.01f);
    }

    [Fact]
    public void Four_samples_that_nothing_tells_apart_score_log_4()
    {
        // Hand-computed: all scores alike, one of four is right.
        using var scope = NewDisposeScope();
        using var objective = new InfoNceObjective(8);
        var batch = Making.Batch(2, count: 4) with { Features = ones(8, 8), KeyFeatures = ones(8, 8) };
        Assert.Equal(Math.Log(4), objective.Compute(batch).Terms["contrast"].item<float>(), 5);
    }

    [Fact]
    public void A_sample_that_was_drawn_twice_is_no_negative_of_itself()
    {
        // Hand-computed: the third and fourth row are one sample; each row has the candidates 4, 4, 3, 3.
        using var scope = NewDisposeScope();
        using var objective = new InfoNceObjective(8);
        var batch = Making.Batch(2, count: 4) with { Features = ones(8, 8), KeyFeatures = ones(8, 8), Samples = tensor(new long[] { 5, 6, 7, 7 }) };
        Assert.Equal((Math.Log(4) + Math.Log(3)) / 2, objective.Compute(batch).Terms["contrast"].item<float>(), 5);
    }
}
