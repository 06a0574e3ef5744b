using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ViewMakerTests
{
    private static readonly SampleShape Shape = new(1, 16, 16);

    [Fact]
    public void The_same_seed_makes_the_same_views_and_another_does_not()
    {
        using var scope = NewDisposeScope();
        var samples = rand(4, 1, 16, 16);
        Assert.Equal(Views(samples, 3), Views(samples, 3));
        Assert.NotEqual(Views(samples, 3), Views(samples, 4));
    }

    [Fact]
    public void Strength_zero_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var still = new ViewMaker.Options { Rotation = 0, Window = (1, 1), Stretch = 0, Shear = 0, Shift = 0, Light = 0, Noise = 0, EraseChance = 0 };
        var samples = rand(4, 1, 16, 16);
        using var generator = new Generator(1);
        var views = new ViewMaker(Shape, CPU, still).Make(samples, generator);
        Assert.True((views - samples).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void Samples_stay_as_they_are_and_each_gets_a_view_of_its_own()
    {
        using var scope = NewDisposeScope();
        var samples = rand(1, 1, 16, 16).expand(2, 1, 16, 16).clone();
        var before = Making.Floats(samples);
        var views = Views(samples, 5);
        Assert.Equal(before, Making.Floats(samples));
        Assert.NotEqual(views[..256], views[256..]);
    }

    [Fact]
    public void Another_shape_is_named()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var error = Assert.Throws<ArgumentException>(() => new ViewMaker(Shape, CPU).Make(rand(2, 3, 16, 16), generator));
        Assert.Contains("[2, 3, 16, 16]; expected [N, 1, 16, 16]", error.Message, StringComparison.Ordinal);
    }

    private static float[] Views(Tensor samples, ulong seed)
    {
        using var generator = new Generator(seed);
        return Making.Floats(new ViewMaker(Shape, CPU).Make(samples, generator));
    }
}
