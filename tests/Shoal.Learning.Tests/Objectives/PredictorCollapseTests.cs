namespace Shoal.Learning.Tests;

/// <summary>Objectives that are minimal where all is alike, and that a predictor and a stopped gradient keep from there.</summary>
public sealed class PredictorCollapseTests
{
    // High: what can collapse does so soon.
    private const double Rate = 0.03;

    [Theory]
    [InlineData("byol")]
    [InlineData("simsiam")]
    public void Three_hundred_steps_do_not_collapse(string name)
    {
        using var trial = new CollapseTrial();
        using var objective = ObjectiveCatalogue.Create(name, CollapseTrial.Width, Making.Grey);
        var (features, projections) = trial.Run(objective, "projector", Rate);
        Assert.True(features > 0.7 && projections > 0.7, $"features {features:F3}, projections {projections:F3}");
    }

    [Theory]
    [InlineData("byol", false, true)]
    [InlineData("byol", true, false)]
    [InlineData("byol", false, false)]
    [InlineData("simsiam", false, true)]
    [InlineData("simsiam", true, false)]
    [InlineData("simsiam", false, false)]
    public void Without_predictor_or_stopped_gradient_they_do(string name, bool predicts, bool stops)
    {
        using var trial = new CollapseTrial();
        using var objective = ObjectiveCatalogue.Create(name, CollapseTrial.Width, Making.Grey);
        var (_, projections) = trial.Run(objective, "projector", Rate, batch => CollapseTrial.Agreement(objective, batch, predicts, stops));
        Assert.InRange(projections, 0, 0.3);
    }
}
