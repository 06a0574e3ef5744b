using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class MultiCropViewsTests
{
    private static readonly SampleShape Colour = new(3, 32, 32);

    [Fact]
    public void Crops_come_one_of_each_sample_after_another_and_are_the_same_for_the_same_seed()
    {
        using var scope = NewDisposeScope();

        // The red of a sample is what it is told by: nothing that is done to photographs makes the one's the other's.
        var samples = zeros(3, 3, 32, 32);
        samples.select(0, 1).fill_(0.5f);
        samples.select(0, 2).fill_(1);
        var crops = Crops(samples, seed: 4, count: 5);
        Assert.Equal([15L, 3L, 32L, 32L], crops.shape);
        foreach (var row in Enumerable.Range(0, 5))
        {
            float[] light = Making.Floats(crops.narrow(0, 3 * row, 3).mean([1, 2, 3]));
            Assert.Equal(0, light[0], 3);
            Assert.InRange(light[1], 0.1f, 0.999f);
            Assert.True(light[2] > 0.3, $"{light[2]}");
        }

        Assert.Equal(Making.Floats(crops), Making.Floats(Crops(samples, seed: 4, count: 5)));
    }

    [Fact]
    public void A_crop_shows_a_half_of_each_side_at_most()
    {
        using var scope = NewDisposeScope();

        // From black on the left to white on the right, of one channel, whose light alone is changed: by two fifths at most.
        var shape = new SampleShape(1, 32, 32);
        var ramp = (arange(32, ScalarType.Float32) / 31 * 0.7).expand(64, 1, 32, 32).contiguous();
        using var generator = new Generator(3);
        var views = new MultiCropViews(shape, CPU);
        var (crops, whole) = (Widths(views.MakeCrops(ramp, generator)), Widths(views.Make(ramp, generator)));
        Assert.Equal(256, crops.Length);
        Assert.True(crops.Max() <= 0.5 * 0.7 * 1.4, $"a crop shows {crops.Max():F2}");
        Assert.True(crops.Average() < 0.6 * whole.Average(), $"crops show {crops.Average():F2}, views {whole.Average():F2}");

        static float[] Widths(Tensor views) => Making.Floats(views.amax([1, 2, 3]) - views.amin([1, 2, 3]));
    }

    private static Tensor Crops(Tensor samples, ulong seed, int count)
    {
        using var generator = new Generator(seed);
        return new MultiCropViews(Colour, CPU, new MultiCropViews.Options { Count = count }).MakeCrops(samples, generator);
    }
}
