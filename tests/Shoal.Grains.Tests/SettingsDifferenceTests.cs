using Shoal.Contracts;
using Shoal.Grains.Datasets;

namespace Shoal.Grains.Tests;

public sealed class SettingsDifferenceTests
{
    private static readonly DatasetSettings Known = new();

    [Fact]
    public void What_differs_is_told_with_both_values()
    {
        DatasetSettings asked = Known with { Height = 64, StartFrom = "birds", Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["scan"] = 0.5, ["moco"] = 1 } };
        Assert.Equal(
            ["Height is 32, not 64", "Objectives is not set, not moco=1 + scan=0.5", "StartFrom is not set, not birds"],
            SettingsDifference.Of(Known, asked).Order(StringComparer.Ordinal));
        Assert.Equal(["Height is 64, not 28"], SettingsDifference.Of(asked, asked with { Height = 28 }));
    }

    [Fact]
    public void Objectives_are_the_same_in_any_order()
    {
        Dictionary<string, double> one = new(StringComparer.Ordinal) { ["moco"] = 1, ["scan"] = 0.3 };
        Dictionary<string, double> other = new(StringComparer.Ordinal) { ["scan"] = 0.3, ["moco"] = 1 };
        Assert.Empty(SettingsDifference.Of(Known with { Objectives = one }, Known with { Objectives = other }));
        Assert.Empty(SettingsDifference.Of(Known, Known with { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) }));
        Assert.NotEmpty(SettingsDifference.Of(Known with { Objectives = one }, Known with { Objectives = null }));
    }

    [Fact]
    public void What_may_change_tells_no_two_datasets_apart()
        => Assert.Empty(SettingsDifference.Of(
            Known,
            Known with { Paused = true, RoundSeconds = 3, IdleRehearsalSteps = 1, RetainDays = 2, RetainBytes = 5, MaxLag = 7, OuterMomentum = 0 }));
}
