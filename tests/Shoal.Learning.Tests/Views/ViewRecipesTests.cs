using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ViewRecipesTests
{
    private static readonly SampleShape Colour = new(3, 16, 16);
    private static readonly SampleShape Spectrogram = new(1, 32, 32);

    [Theory]
    [InlineData(SampleKind.Image, "drawing, multicrop, photograph, randaugment")]
    [InlineData(SampleKind.Sound, "byol-a, speech, timbre")]
    [InlineData(SampleKind.Waveform, "")]
    public void Each_kind_of_samples_has_its_own_and_is_told_them(SampleKind kind, string own)
    {
        string[] names = ["auto", .. own.Split(", ", StringSplitOptions.RemoveEmptyEntries)];
        Assert.Equal(names, ViewRecipes.Names.Where(name => ViewRecipes.Misfit(name, kind) is null));
        foreach (var other in ViewRecipes.Names.Except(names, StringComparer.Ordinal).Append("simple"))
        {
            Assert.EndsWith($"there are: {string.Join(", ", names)}.", ViewRecipes.Misfit(other, kind)!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_learner_refuses_those_of_others()
    {
        Assert.Contains("Views 'x' are unknown", string.Join(' ', new LearnerOptions { Views = "x" }.Problems()), StringComparison.Ordinal);
        Assert.Contains("Views 'timbre' are not of samples that are images", string.Join(' ', new LearnerOptions { Views = "timbre" }.Problems()), StringComparison.Ordinal);
        Assert.Empty((LearnerOptions.Of(SampleKind.Sound) with { Views = "timbre" }).Problems());
    }

    [Fact]
    public void Names_choose_views()
    {
        Assert.IsType<RandAugmentViews>(ViewRecipes.Create("randaugment", SampleKind.Image, Colour, CPU));
        using var scope = NewDisposeScope();
        var samples = rand(256, 1, 32, 32);
        Assert.Equal(Made("speech", samples), Made("auto", samples));

        // How far a view is from its sample, by the strengths that names stand for.
        double Moved(string name) => Made(name, samples).Zip(Making.Floats(samples), (view, sample) => Math.Abs(view - sample)).Average();
        Assert.True(Moved("timbre") < Moved("speech"), $"{Moved("timbre")}, {Moved("speech")}");

        // BYOL-A's have neither masks nor silence behind a shift.
        Assert.All(Made("byol-a", samples), cell => Assert.True(cell > 0));
        Assert.Contains(0, Made("timbre", samples));
    }

    private static float[] Made(string name, Tensor samples)
    {
        using var generator = new Generator(5);
        return Making.Floats(ViewRecipes.Create(name, SampleKind.Sound, Spectrogram, CPU).Make(samples, generator));
    }
}
