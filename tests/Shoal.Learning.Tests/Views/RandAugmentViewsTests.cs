using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class RandAugmentViewsTests
{
    private static readonly SampleShape Colour = new(3, 16, 16);

    [Fact]
    public void Views_are_seeded_stay_in_range_and_leave_samples_as_they_are()
    {
        using var scope = NewDisposeScope();
        var samples = rand(64, 3, 16, 16);
        var before = Making.Floats(samples);
        Assert.Equal(Views(samples, 3), Views(samples, 3));
        Assert.NotEqual(Views(samples, 3), Views(samples, 4));
        Assert.All(Views(samples, 5), value => Assert.InRange(value, 0, 1));
        Assert.Equal(before, Making.Floats(samples));
    }

    [Fact]
    public void Each_sample_draws_its_own_changes_and_a_stronger_setting_changes_more()
    {
        using var scope = NewDisposeScope();
        var samples = rand(1, 3, 16, 16).expand(200, 3, 16, 16).clone();
        Assert.True(Views(samples, 1).Chunk(Colour.Size).Select(view => string.Join(',', view)).Distinct(StringComparer.Ordinal).Count() > 60);
        double Moved(double strength) => Views(samples, 1, strength).Zip(Making.Floats(samples), (a, b) => Math.Abs(a - b)).Average();
        Assert.True(Moved(0.9) > 1.5 * Moved(0.1), $"{Moved(0.1)}, {Moved(0.9)}");
    }

    [Fact]
    public void Grey_samples_have_no_change_of_colour()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var grey = new RandAugmentViews(new SampleShape(1, 16, 16), CPU).Make(rand(50, 1, 16, 16), generator);
        Assert.Equal([50, 1, 16, 16], grey.shape);
        Assert.Equal(["color"], RandAugmentViews.Changes.Where(change => change.NeedsColour).Select(change => change.Name));
    }

    [Theory]
    [InlineData("identity", 0.5)]
    [InlineData("autocontrast", 0.5)]
    [InlineData("equalize", 0.5)]
    [InlineData("solarize", 0.4)]
    [InlineData("color", -0.6)]
    [InlineData("posterize", 0.5)]
    [InlineData("contrast", 0.7)]
    [InlineData("brightness", -0.7)]
    [InlineData("sharpness", 0.8)]
    public void A_change_of_values_is_what_plain_loops_make(string name, double by)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        // Whole levels, as samples have, and no full range; where pixels of each are counted, few of them, of many pixels.
        var (side, levels) = name is "equalize" ? (32, 3) : (8, 180);
        var samples = ((rand(2, 3, side, side) * levels).round() + 20) / 255;
        var changed = Making.Floats(Change(name).Apply(samples, full([2], (float)by)).clamp(0, 1));
        var pixels = Making.Floats(samples);
        for (var sample = 0; sample < 2; sample++)
        {
            var first = sample * 3 * side * side;
            float[][] planes = [.. pixels[first..(first + (3 * side * side))].Chunk(side * side)];
            for (var i = 0; i < 3 * side * side; i++)
            {
                var expected = Math.Clamp(Plainly(name, planes, i / (side * side), i % (side * side), by), 0, 1);
                Assert.True(Math.Abs(expected - changed[first + i]) < 1e-4, $"{name}, value {i}: {expected} expected, {changed[first + i]} there");
            }
        }
    }

    [Fact]
    public void A_change_of_place_moves_a_spot_where_geometry_says()
    {
        using var scope = NewDisposeScope();
        var samples = zeros(1, 1, 16, 16);
        samples[0, 0, 8, 12] = 1;

        // A view is read at places moved by 0.45 x 16 = 7.2 pixels times the strength: to the right, so that the spot goes left.
        Assert.Equal((8, 9), Brightest("translate-x", 3 / 7.2));
        Assert.Equal((5, 12), Brightest("translate-y", 3 / 7.2));

        // By 30 degrees about the middle between pixels, 7.5: from (0.5, 4.5) down and right to (-1.8, 4.1), or back.
        Assert.Equal((6, 12), Brightest("rotate", 1));
        Assert.Equal((10, 11), Brightest("rotate", -1));

        // Half a pixel below the middle a row hardly moves; 4.5 beside it a column moves by 0.3 x 4.5.
        Assert.Equal((8, 12), Brightest("shear-x", 1));
        Assert.Equal((7, 12), Brightest("shear-y", 1));

        (int Row, int Column) Brightest(string name, double by)
        {
            var at = (int)Change(name).Apply(samples, full([1], (float)by)).argmax().item<long>();
            return (at / 16, at % 16);
        }
    }

    private static RandAugmentViews.Change Change(string name) => RandAugmentViews.Changes.Single(change => string.Equals(change.Name, name, StringComparison.Ordinal));

    private static float[] Views(Tensor samples, ulong seed, double strength = 0.5)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        return Making.Floats(new RandAugmentViews(Colour, CPU, new RandAugmentViews.Options { Strength = strength }).Make(samples, generator));
    }

    private static double Plainly(string name, float[][] planes, int channel, int at, double by)
    {
        var (plane, value) = (planes[channel], (double)planes[channel][at]);
        double Luma(int pixel) => (0.299 * planes[0][pixel]) + (0.587 * planes[1][pixel]) + (0.114 * planes[2][pixel]);
        double Around(double middle) => middle + ((value - middle) * (1 + (0.9 * by)));
        return name switch
        {
            "identity" => value,
            "autocontrast" => (value - plane.Min()) / (plane.Max() - plane.Min()),
            "equalize" => Equalized(plane, at),
            "solarize" => value >= 1 - by ? 1 - value : value,
            "color" => Around(Luma(at)),
            "posterize" => ((int)Math.Round(value * 255) >> (int)Math.Round(4 * by) << (int)Math.Round(4 * by)) / 255.0,
            "contrast" => Around(planes.SelectMany(p => p).Average(p => (double)p)),
            "brightness" => Around(0),
            "sharpness" => Around(Smooth(plane, at)),
            _ => throw new ArgumentException(name, nameof(name)),
        };
    }

    private static double Equalized(float[] plane, int at)
    {
        var histogram = new int[256];
        foreach (var value in plane)
        {
            histogram[(int)Math.Round(value * 255)]++;
        }

        var step = (plane.Length - histogram.Last(count => count > 0)) / 255;
        Assert.True(step > 0);
        var sum = step / 2;
        for (var level = 0; level < (int)Math.Round(plane[at] * 255); level++)
        {
            sum += histogram[level];
        }

        return Math.Min(sum / step, 255) / 255.0;
    }

    private static double Smooth(float[] plane, int at)
    {
        var (row, column) = (at / 8, at % 8);
        if (row is 0 or 7 || column is 0 or 7)
        {
            return plane[at];
        }

        var sum = 4.0 * plane[at];
        for (var y = row - 1; y <= row + 1; y++)
        {
            for (var x = column - 1; x <= column + 1; x++)
            {
                sum += plane[(y * 8) + x];
            }
        }

        return sum / 13;
    }
}
