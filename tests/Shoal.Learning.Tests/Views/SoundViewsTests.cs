using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SoundViewsTests
{
    private const int Mels = 40;
    private const int Frames = 32;

    private static readonly SampleShape Shape = new(1, Mels, Frames);

    // Without what hides where something lay.
    private static readonly SoundViews.Options Plain = new() { Masks = 0, FloorChance = 0, Gain = 0, Filter = 0 };

    [Fact]
    public void The_same_seed_makes_the_same_views_and_another_does_not()
    {
        using var scope = NewDisposeScope();
        var samples = rand(4, 1, Mels, Frames);
        Assert.Equal(Floats(samples, new(), 3), Floats(samples, new(), 3));
        Assert.NotEqual(Floats(samples, new(), 3), Floats(samples, new(), 4));
    }

    [Fact]
    public void Strength_zero_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var samples = rand(4, 1, Mels, Frames);
        Assert.True((Views(samples, SoundViews.Options.None) - samples).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void Samples_stay_as_they_are_and_each_gets_a_view_of_its_own()
    {
        using var scope = NewDisposeScope();
        var samples = rand(1, 1, Mels, Frames).expand(2, 1, Mels, Frames).clone();
        var before = Making.Floats(samples);
        var views = Floats(samples, new(), 5);
        Assert.Equal(before, Making.Floats(samples));
        Assert.NotEqual(views[..Shape.Size], views[Shape.Size..]);
        // Gain and filter of 18 dB in all, of 40, and what noise adds.
        Assert.All(views, value => Assert.InRange(value, 0, 1 + (18 / 40f) + 0.05f));
    }

    [Fact]
    public void Making_views_leaves_no_tensor_behind()
    {
        using var scope = NewDisposeScope();
        var samples = rand(4, 1, Mels, Frames);
        Views(samples, new()).Dispose();
        var before = Making.LiveTensors();
        Views(samples, new()).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Another_shape_is_named()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => Views(rand(2, 3, 16, 16), new()));
        Assert.Contains("[2, 3, 16, 16]; expected [N, 1, 40, 32]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void A_view_is_of_the_sample_in_its_place(int count)
    {
        using var scope = NewDisposeScope();
        var samples = zeros(count, 1, Mels, Frames);
        for (var i = 0; i < count; i++)
        {
            samples.narrow(0, i, 1).narrow(2, 5 * i, 5).fill_(1);
        }

        var likeness = Views(samples, Plain with { Background = 0, Bands = (0.9, 1.1), Pitch = 0.05 }).flatten(1).matmul(samples.flatten(1).t());
        Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), likeness.argmax(1).data<long>().ToArray());
    }

    [Fact]
    public void Two_sounds_are_mixed_in_power()
    {
        // By hand: 0 dB and -10 dB have powers 1 and 0.1. 0.6 · 1 + 0.4 · 0.1 = 0.64, -1.938 dB; 0.6 · 0.1 + 0.4 · 1 = 0.46, -3.372 dB; of 40.
        using var scope = NewDisposeScope();
        Assert.Equal([0.951545f, 0.915689f, 0.75f], Mixed([1, 0.75f, 0.75f], [0.75f, 1, 0.75f], 0.4f), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal([1, 0.875f, 0], Mixed([1, 0.875f, 0], [0.2f, 1, 0.9f], 0), (a, b) => Math.Abs(a - b) < 1e-6);

        static float[] Mixed(float[] x, float[] y, float share)
            => Making.Floats(SoundViews.Mixed(tensor(x).view(-1, 1, 1, 1), tensor(y).view(-1, 1, 1, 1), full([x.Length, 1, 1, 1], share)));
    }

    [Fact]
    public void The_background_alone_is_one_other_sample_at_one_level()
    {
        using var scope = NewDisposeScope();
        const int Count = 5;
        var samples = rand(Count, 1, Mels, Frames);
        var (x, views) = (Making.Floats(samples), Floats(samples, SoundViews.Options.None with { Background = 0.4 }, 2));
        double[] shares = [.. Enumerable.Range(0, Count).Select(i => Assert.Single(Enumerable.Range(0, Count).Where(j => j != i).Select(j => Share(i, j)).OfType<double>()))];
        Assert.All(shares, share => Assert.InRange(share, 0, 0.4));
        Assert.Equal(Count, shares.Distinct().Count());

        // The share that makes the first cell of view i of samples i and j; null when it does not make all others.
        double? Share(int i, int j)
        {
            double Power(float[] cells, int row, int cell) => Math.Pow(10, 4 * cells[(row * Shape.Size) + cell]);
            var share = (Power(views, i, 0) - Power(x, i, 0)) / (Power(x, j, 0) - Power(x, i, 0));
            return Enumerable.Range(0, Shape.Size).All(cell => Math.Abs((Math.Log10(((1 - share) * Power(x, i, cell)) + (share * Power(x, j, cell))) / 4) - views[(i * Shape.Size) + cell]) < 1e-3) ? share : null;
        }
    }

    [Theory]
    [InlineData(0.75, 1)]
    [InlineData(1.5, 1)]
    [InlineData(1, 0.8)]
    [InlineData(0.6, 1.25)]
    public void A_window_of_given_lengths_is_interpolated_and_goes_on_as_the_border_does(double time, double bands)
    {
        using var scope = NewDisposeScope();
        var samples = rand(2, 1, Mels, Frames);
        var views = Floats(samples, SoundViews.Options.None with { Time = (time, time), Boundary = time, Bands = (bands, bands) });
        var x = Making.Floats(samples);
        for (var i = 0; i < views.Length; i++)
        {
            var (row, band, frame) = (i / Shape.Size, i / Frames % Mels, i % Frames);
            Assert.Equal(Interpolated(Middle(band, Mels, bands), Middle(frame, Frames, time), row), views[i], 1e-4);
        }

        // Where the middle of a place lies after scaling around the middle.
        static double Middle(int place, int side, double scale) => Math.Clamp((((place + 0.5) - (side / 2.0)) * scale) + (side / 2.0) - 0.5, 0, side - 1);

        double Interpolated(double band, double frame, int row)
        {
            var (b, f) = ((int)band, (int)frame);
            double At(int bands, int frames) => x[(row * Shape.Size) + (Math.Min(bands, Mels - 1) * Frames) + Math.Min(frames, Frames - 1)];
            var (above, below) = (Between(At(b, f), At(b, f + 1), frame - f), Between(At(b + 1, f), At(b + 1, f + 1), frame - f));
            return Between(above, below, band - b);
        }

        static double Between(double a, double b, double share) => a + ((b - a) * share);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_windows_place_is_random_within_its_bounds(bool inTime)
    {
        // A ramp shows where each cell comes from: from d places on, or from the border.
        using var scope = NewDisposeScope();
        const int Count = 64;
        var side = inTime ? Frames : Mels;
        var ramp = arange(side, ScalarType.Float32) / side;
        var samples = (inTime ? ramp.view(1, 1, 1, Frames) : ramp.view(1, 1, Mels, 1)).expand(Count, 1, Mels, Frames).clone();
        var options = inTime ? SoundViews.Options.None with { Boundary = 1.5 } : SoundViews.Options.None with { Pitch = 0.1 };
        var views = Views(samples, options);
        var lines = Making.Floats(inTime ? views.select(2, 7) : views.select(3, 7));
        var distances = new double[Count];
        for (var i = 0; i < Count; i++)
        {
            distances[i] = (lines[(i * side) + (side / 2)] * side) - (side / 2);
            for (var place = 0; place < side; place++)
            {
                Assert.Equal(Math.Clamp(place + distances[i], 0, side - 1) / side, lines[(i * side) + place], 1e-4);
            }
        }

        var farthest = inTime ? 0.25 * Frames : 0.1 * Mels;
        Assert.All(distances, distance => Assert.InRange(Math.Abs(distance), 0, farthest + 0.001));
        Assert.True(distances.Max() > 0.8 * farthest && distances.Min() < -0.8 * farthest);
    }

    [Fact]
    public void A_shift_is_by_whole_frames_and_leaves_silence()
    {
        using var scope = NewDisposeScope();
        const int Count = 64;
        var samples = rand(Count, 1, Mels, Frames) + 0.01;
        var (x, views) = (Making.Floats(samples), Floats(samples, SoundViews.Options.None with { Shift = 0.1 }));
        int[] shifts = [.. Enumerable.Range(0, Count).Select(i => Assert.Single(Enumerable.Range(-Frames, 2 * Frames), shift => IsShifted(i, shift)))];
        Assert.Equal([-3, -2, -1, 0, 1, 2, 3], shifts.Distinct().Order());

        bool IsShifted(int row, int shift) => Enumerable.Range(0, Shape.Size).All(cell =>
        {
            var from = (cell % Frames) - shift;
            return Math.Abs(views[(row * Shape.Size) + cell] - (from is < 0 or >= Frames ? 0 : x[(row * Shape.Size) + cell - shift])) < 1e-4;
        });
    }

    [Fact]
    public void Gain_is_one_constant_of_a_sample_and_ends_in_silence()
    {
        using var scope = NewDisposeScope();
        const int Count = 32;
        var samples = rand(Count, 1, Mels, Frames);
        samples.select(3, 0).fill_(0.5f);
        var (x, views) = (Making.Floats(samples), Floats(samples, SoundViews.Options.None with { Gain = 12 }));
        var gains = new double[Count];
        for (var i = 0; i < views.Length; i++)
        {
            var row = i / Shape.Size;
            gains[row] = views[row * Shape.Size] - 0.5;
            Assert.Equal(Math.Max(0, x[i] + gains[row]), views[i], 1e-4);
        }

        Assert.All(gains, gain => Assert.InRange(Math.Abs(gain), 0, (12 / 40.0) + 1e-5));
        Assert.True(gains.Max() > 0.1 && gains.Min() < -0.1);
    }

    [Fact]
    public void A_filter_gains_the_same_at_all_times_and_goes_straight_between_its_points()
    {
        using var scope = NewDisposeScope();
        const int Count = 32;
        var samples = (rand(Count, 1, Mels, Frames) * 0.4) + 0.3;
        var gains = Making.Floats((Views(samples, SoundViews.Options.None with { Filter = 12 }) - samples).squeeze(1));
        for (var row = 0; row < Count; row++)
        {
            var curve = Enumerable.Range(0, Mels).Select(band => gains[(((row * Mels) + band) * Frames) + 3]).ToArray();
            Assert.All(curve, gain => Assert.InRange(Math.Abs(gain), 0, (12 / 40.0) + 1e-5));
            Assert.All(Enumerable.Range(0, Mels * Frames), cell => Assert.Equal(curve[cell / Frames], gains[(row * Mels * Frames) + cell], 1e-4));

            // Six points, 7.8 bands apart: straight but where a point lies between two bands.
            int[] corners = [.. Enumerable.Range(1, Mels - 2).Where(band => Math.Abs(curve[band - 1] - (2 * curve[band]) + curve[band + 1]) > 1e-4)];
            Assert.NotEmpty(corners);
            Assert.All(corners, corner => Assert.Contains(corner, (int[])[7, 8, 15, 16, 23, 24, 31, 32]));
        }

        Assert.True(gains.Max() > 0.1 && gains.Min() < -0.1);
    }

    [Fact]
    public void A_noise_floor_adds_its_power_to_some_samples()
    {
        using var scope = NewDisposeScope();
        const int Count = 64;
        var samples = rand(Count, 1, Mels, Frames);
        samples.select(3, 0).fill_(0);
        var (x, views) = (Making.Floats(samples), Floats(samples, SoundViews.Options.None with { FloorChance = 0.5, Grain = 0 }));
        var levels = new double[Count];
        for (var i = 0; i < views.Length; i++)
        {
            // 0 stands for 40 dB below the loudest cell, a power of 1e-4; here all are in units of that.
            var row = i / Shape.Size;
            var power = Math.Pow(10, 4 * (double)views[row * Shape.Size]) - 1;
            levels[row] = power < 1e-3 ? double.NaN : (10 * Math.Log10(power)) - 40;
            Assert.Equal(Math.Log10(Math.Pow(10, 4 * (double)x[i]) + power) / 4, views[i], 1e-4);
        }

        double[] some = [.. levels.Where(double.IsFinite)];
        Assert.InRange(some.Length, 16, 48);
        Assert.All(some, level => Assert.InRange(level, -40.01, -14.99));
        Assert.True(some.Min() < -32 && some.Max() > -22);
    }

    [Fact]
    public void A_noise_floor_is_grainy()
    {
        using var scope = NewDisposeScope();
        var floor = Views(zeros(1, 1, Mels, Frames), SoundViews.Options.None with { FloorChance = 1, Floor = (-20, -20), Grain = 3 });
        Assert.Equal(0.5, floor.mean().item<float>(), 0.01);
        Assert.Equal(3 / 40.0, floor.std().item<float>(), 0.005);
    }

    [Fact]
    public void Masks_are_stretches_of_at_most_their_length()
    {
        using var scope = NewDisposeScope();
        const int Count = 256;
        var views = Views(ones(Count, 1, Mels, Frames), SoundViews.Options.None with { Masks = 1, TimeMask = 0.25, BandMask = 0.2 });
        var silent = views.eq(0).squeeze(1);
        var (times, bands) = (silent.all(1), silent.all(2));

        // Nothing is masked but whole times and whole bands.
        Assert.True(silent.eq(times.unsqueeze(1).logical_or(bands.unsqueeze(2))).all().item<bool>());
        Assert.Equal(Enumerable.Range(0, 9), Lengths(times).Distinct().Order());
        Assert.Equal(Enumerable.Range(0, 9), Lengths(bands).Distinct().Order());

        static IEnumerable<int> Lengths(Tensor masked) => masked.data<bool>().ToArray().Chunk((int)masked.shape[1]).Select(row =>
        {
            var length = row.Count(covered => covered);
            Assert.True(length == 0 || row.Skip(Array.IndexOf(row, true)).Take(length).All(covered => covered));
            return length;
        });
    }

    [Fact]
    public void Rising_stays_rising_and_low_stays_low()
    {
        using var scope = NewDisposeScope();
        const int Count = 64;
        var sweep = zeros(Count, 1, Mels, Frames);
        for (var frame = 0; frame < Frames; frame++)
        {
            sweep.narrow(2, Mels - 1 - frame, 1).narrow(3, frame, 1).fill_(1);
        }

        // How the mean band goes with time; row 0 is the highest, and a sweep that rises goes to lower rows.
        Assert.All(Slopes(Views(sweep, Plain)), slope => Assert.True(slope < 0, $"{slope}"));
        Assert.All(Slopes(Views(sweep.flip(3), Plain)), slope => Assert.True(slope > 0, $"{slope}"));
        var low = zeros(Count, 1, Mels, Frames);
        low.narrow(2, 30, 10).fill_(1);
        var views = Views(low, Plain);
        Assert.True(views.narrow(2, 20, 20).mean([1, 2, 3]).gt(views.narrow(2, 0, 20).mean([1, 2, 3])).all().item<bool>());

        static float[] Slopes(Tensor views)
        {
            var (band, frame) = (arange(Mels, ScalarType.Float32).view(1, 1, Mels, 1), arange(Frames, ScalarType.Float32).view(1, 1, 1, Frames));
            Tensor Mean(Tensor values) => (values * views).sum([1, 2, 3], keepdim: true) / views.sum([1, 2, 3], keepdim: true);
            return Making.Floats(Mean((band - Mean(band.expand_as(views))) * (frame - Mean(frame.expand_as(views)))));
        }
    }

    [Theory]
    [InlineData]
    [InlineData("moco", "selfclassifier")]
    [InlineData("byol")]
    public void A_learner_of_sound_learns_from_these_views(params string[] objectives)
    {
        float[] Learnt(SampleKind kind)
        {
            var options = Making.Small() with { Kind = kind, Objectives = objectives.Length == 0 ? null : objectives.ToDictionary(name => name, _ => 1.0, StringComparer.Ordinal) };
            using var learner = new Learner(Shape, options);
            var random = new Random(4);
            for (var step = 0; step < 4; step++)
            {
                var pixels = new byte[16 * Shape.Size];
                random.NextBytes(pixels);
                StepReport report = learner.Observe(new SampleBatch(Shape, pixels, [.. Enumerable.Range(0, 16).Select(i => new SampleKey(0, (step * 16) + i))]));
                Assert.NotEmpty(report.Losses);
                Assert.All(report.Losses, loss => Assert.True(double.IsFinite(loss.Value), $"step {step}: {loss.Key} is {loss.Value}"));
            }

            return [.. learner.Export().Where(part => part.DType is "F32").SelectMany(part => part.Values<float>().ToArray())];
        }

        var sound = Learnt(SampleKind.Sound);
        Assert.All(sound, value => Assert.True(float.IsFinite(value)));
        Assert.NotEqual(Learnt(SampleKind.Image), sound);
    }

    private static Tensor Views(Tensor samples, SoundViews.Options options, ulong seed = 1)
    {
        using var generator = new Generator(seed);
        return new SoundViews(Shape, CPU, options).Make(samples, generator);
    }

    private static float[] Floats(Tensor samples, SoundViews.Options options, ulong seed = 1)
    {
        using var views = Views(samples, options, seed);
        return Making.Floats(views);
    }
}
