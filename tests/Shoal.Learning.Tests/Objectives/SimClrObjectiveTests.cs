using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SimClrObjectiveTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.05)]
    public void It_equals_NT_Xent_in_plain_loops(double temperature)
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new SimClrObjective(8, new SimClrObjective.Options { Temperature = temperature });
        var z = Doubles.Unit(Doubles.Through(Doubles.Rows(batch.Features), objective, "projector"));
        var expected = Enumerable.Range(0, 12).Average(i => Doubles.Choice(
            Doubles.Dot(z[i], z[(i + 6) % 12]) / temperature,
            Enumerable.Range(0, 12).Where(k => k != i).Select(k => Doubles.Dot(z[i], z[k]) / temperature)));
        Assert.Equal(expected, Contrast(objective, batch), 4);
    }

    [Fact]
    public void Which_view_is_A_does_not_matter()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new SimClrObjective(8);
        var turned = batch with { Features = cat([batch.Features.narrow(0, 6, 6), batch.Features.narrow(0, 0, 6)]) };
        Assert.Equal(Contrast(objective, batch), Contrast(objective, turned), 5);
    }

    [Fact]
    public void Without_any_temperature_to_speak_of_all_candidates_are_alike()
    {
        // Hand-computed: τ -> ∞ leaves a choice of one among 2N - 1 = 11.
        using var scope = NewDisposeScope();
        using var hot = new SimClrObjective(8, new SimClrObjective.Options { Temperature = 10 });
        Assert.Equal(Math.Log(11), Contrast(hot, Making.Batch(2)), 0.2);
        Assert.Equal(Math.Log(11), Contrast(hot, Making.Batch(2) with { Features = ones(12, 8), KeyFeatures = ones(12, 8) }), 5);
    }

    [Fact]
    public void Temperature_sharpens_what_is_right_and_punishes_what_is_wrong()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var directions = randn(6, 8);
        var right = Making.Batch(2) with { Features = cat([directions, directions]) };
        var wrong = right with { Features = cat([directions, directions.roll(1, 0)]) };
        float Loss(double temperature, StepBatch batch)
        {
            manual_seed(5);
            using var objective = new SimClrObjective(8, new SimClrObjective.Options { Temperature = temperature });
            return Contrast(objective, batch);
        }

        Assert.True(Loss(0.1, right) < Loss(0.5, right) - 0.1);
        Assert.True(Loss(0.1, wrong) > Loss(0.5, wrong) + 0.1);
    }

    [Fact]
    public void A_sample_that_was_drawn_twice_is_no_negative_of_itself()
    {
        // Hand-computed: of four rows the last two are one sample. Views of the first two choose among 7, of the others among 5.
        using var scope = NewDisposeScope();
        using var objective = new SimClrObjective(8);
        var batch = Making.Batch(2, count: 4) with { Features = ones(8, 8), KeyFeatures = ones(8, 8), Samples = tensor(new long[] { 5, 6, 7, 7 }) };
        Assert.Equal((Math.Log(7) + Math.Log(5)) / 2, Contrast(objective, batch), 5);
    }

    private static float Contrast(SimClrObjective objective, StepBatch batch) => objective.Compute(batch).Terms["contrast"].item<float>();
}
