using Shoal.Contracts;
using Shoal.Pages.Models;

namespace Shoal.Pages.Tests;

/// <summary>What the page of learning says where it has nothing to draw.</summary>
public sealed class LearningTextTests
{
    [Fact]
    public void Before_the_first_step_nothing_was_trained()
    {
        LearningModel model = Model(progress: null);
        Assert.Equal("Nothing was trained yet.", model.WithoutLosses);
        Assert.Equal("Nothing was trained yet.", model.Pace);
    }

    [Fact]
    public void An_encoder_that_learns_without_gradients_has_no_losses_however_long_it_trains()
    {
        LearningModel model = Model(Progress(steps: 84, passes: 0, rate: 0));
        Assert.Equal("There are none: this dataset's encoder learns without gradients, from 84 steps so far.", model.WithoutLosses);
        Assert.Equal("0/s in the last round: nothing new came. It is rehearsing now.", model.Pace);
    }

    [Fact]
    public void A_deal_that_has_not_stepped_yet_has_no_losses_either()
    {
        LearningModel model = Model(Progress(steps: 84, passes: 9_000, rate: 22.9));
        Assert.Equal("No step was taken since training was dealt anew.", model.WithoutLosses);
        Assert.Equal("23/s in the last round. It is rehearsing now.", model.Pace);
    }

    private static SeatProgress Progress(long steps, long passes, double rate) => new()
    {
        Steps = steps,
        BackwardPasses = passes,
        SamplesPerSecond = rate,
        Losses = [],
    };

    private static LearningModel Model(SeatProgress? progress)
    {
        DatasetStatus status = FakeSource.Status("digits");
        status = status with
        {
            Training = status.Training with
            {
                Activity = "rehearsing",
                Progress = progress,
            },
        };
        return new LearningModel
        {
            Status = status,
            Totals = DatasetTotals.Of(status),
            Losses = [],
            Throughput = new Curve("fresh samples a second", []),
            Drifts = [],
            Verdicts = [],
            Seats = [],
        };
    }
}
