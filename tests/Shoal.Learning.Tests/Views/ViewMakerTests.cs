using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ViewMakerTests
{
    private static readonly SampleShape Shape = new(1, 16, 16);
    private static readonly SampleShape Colour = new(3, 16, 16);

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
    public void A_blur_is_a_Gaussian_of_each_view_and_only_of_chosen_ones()
    {
        using var scope = NewDisposeScope();
        var still = new ViewMaker.Options { Rotation = 0, Window = (1, 1), Stretch = 0, Shear = 0, Shift = 0, Light = 0, Noise = 0, EraseChance = 0, BlurChance = 0.5, Blur = (0.05, 0.05) };
        var samples = zeros(40, 1, 16, 16);
        samples[TensorIndex.Colon, 0, 8, 8] = 1;
        using var generator = new Generator(2);
        float[][] views = [.. Making.Floats(new ViewMaker(Shape, CPU, still).Make(samples, generator)).Chunk(256)];
        Assert.InRange(views.Count(view => view[(8 * 16) + 8] > 0.999), 10, 30);

        // Of deviation 0.8 pixels, cut off two deviations away.
        double[] weights = [.. Enumerable.Range(-2, 5).Select(i => Math.Exp(-i * i / (2 * 0.8 * 0.8)))];
        foreach (var view in views.Where(view => view[(8 * 16) + 8] < 0.999))
        {
            for (var i = 0; i < 25; i++)
            {
                Assert.Equal(weights[i / 5] * weights[i % 5] / Math.Pow(weights.Sum(), 2), view[((6 + (i / 5)) * 16) + 6 + (i % 5)], 4);
            }
        }
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

    [Fact]
    public void Views_of_colour_are_seeded_and_stay_between_black_and_white()
    {
        using var scope = NewDisposeScope();
        var samples = rand(64, 3, 16, 16);
        var views = Views(samples, 3);
        Assert.Equal(views, Views(samples, 3));
        Assert.NotEqual(views, Views(samples, 4));
        Assert.All(views, value => Assert.InRange(value, 0, 1));
    }

    [Fact]
    public void Hue_and_saturation_leave_grey_grey()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var views = new ViewMaker(Colour, CPU).Make(rand(64, 1, 16, 16).expand(64, 3, 16, 16), generator);
        Assert.True((views - views.mean([1], keepdim: true)).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void Hue_alone_keeps_the_sum_of_the_channels()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var hue = new ViewMaker.Options { Rotation = 0, Window = (1, 1), Stretch = 0, Shear = 0, Shift = 0, Light = 0, Noise = 0, EraseChance = 0, Hue = 0.5 };

        // Far from black and white, where nothing is cut off.
        var samples = (rand(16, 3, 16, 16) * 0.2) + 0.4;
        var views = new ViewMaker(Colour, CPU, hue).Make(samples, generator);
        Assert.True((views.sum(1) - samples.sum(1)).abs().max().item<float>() < 1e-4);
        Assert.True((views - samples).abs().max().item<float>() > 0.05);
    }

    [Fact]
    public void A_crop_shows_nothing_from_outside()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var crop = ViewMaker.Options.Colour with { Light = 0, Saturation = 0, Hue = 0, GreyChance = 0, MirrorChance = 0 };

        // A ramp from left to right: a crop is a ramp, too, never flat at its sides.
        var ramp = arange(16, ScalarType.Float32).div(16).view(1, 1, 1, 16).expand(64, 3, 16, 16);
        var views = new ViewMaker(Colour, CPU, crop).Make(ramp, generator);
        var inner = views.slice(3, 1, 15, 1);
        Assert.True((inner.slice(3, 1, 14, 1) - inner.slice(3, 0, 13, 1)).min().item<float>() > 0.01);
    }

    private static float[] Views(Tensor samples, ulong seed)
    {
        using var generator = new Generator(seed);
        return Making.Floats(new ViewMaker(samples.shape[1] == 3 ? Colour : Shape, CPU).Make(samples, generator));
    }
}
