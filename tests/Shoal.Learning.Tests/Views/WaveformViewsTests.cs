using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class WaveformViewsTests
{
    private const int Length = 1_600;

    private static readonly SampleShape Shape = Making.Waveform;

    [Fact]
    public void Every_byte_is_a_pressure_and_comes_back()
    {
        using var scope = NewDisposeScope();
        byte[] bytes = [.. Enumerable.Range(1, 255).Select(value => (byte)value)];
        var samples = TorchTensors.ToUnit(bytes, new SampleShape(1, 1, 255), CPU);
        var pressure = MuLaw.OfSamples(samples);
        float[] plain = [.. bytes.Select(value => (float)(Math.Sign(value - 128) * (Math.Pow(256, Math.Abs(value - 128) / 127.0) - 1) / 255))];
        Assert.All(plain.Zip(Making.Floats(pressure)), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal(bytes, (MuLaw.ToSamples(pressure) * 255).round().to_type(ScalarType.Byte).ToArray<byte>());

        // By hand: half of full scale is 127 ln(128.5) / ln 256 = 111.2 steps from the middle; beyond full scale there is nothing.
        Assert.Equal([239.2f, 255, 128], Making.Floats(MuLaw.ToSamples(tensor(new[] { 0.5f, 3, 0 })) * 255), (a, b) => Math.Abs(a - b) < 0.05);
    }

    [Fact]
    public void The_same_seed_makes_the_same_views_and_another_does_not()
    {
        using var scope = NewDisposeScope();
        var samples = Sounds(4);
        Assert.Equal(Floats(samples, new(), 3), Floats(samples, new(), 3));
        Assert.NotEqual(Floats(samples, new(), 3), Floats(samples, new(), 4));
    }

    [Fact]
    public void Strength_zero_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var samples = Sounds(4);
        Assert.All(Making.Floats(samples).Zip(Floats(samples, WaveformViews.Options.None)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void Samples_stay_as_they_are_views_stay_in_range_and_each_is_drawn_by_itself()
    {
        using var scope = NewDisposeScope();
        var samples = Sounds(1).expand(2, 1, 1, Length).clone();
        var before = Making.Floats(samples);
        var views = Floats(samples, new(), 5);
        Assert.Equal(before, Making.Floats(samples));
        Assert.NotEqual(views[..Length], views[Length..]);
        Assert.All(views, value => Assert.InRange(value, 0.0039f, 1));
        Assert.All(Floats(full([2, 1, 1, Length], (float)MuLaw.Middle), new()), value => Assert.True(float.IsFinite(value)));
        Assert.Equal(Length, Floats(Sounds(1), new()).Length);
    }

    [Fact]
    public void Making_views_leaves_no_tensor_behind_and_another_shape_is_named()
    {
        using var scope = NewDisposeScope();
        var samples = Sounds(4);
        Views(samples, new()).Dispose();
        var before = Making.LiveTensors();
        Views(samples, new()).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
        var error = Assert.Throws<ArgumentException>(() => Views(rand(2, 1, 16, 16), new()));
        Assert.Contains("[2, 1, 16, 16]; expected [N, 1, 1, 1600]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_background_is_another_sample_at_the_ratio_that_was_drawn()
    {
        using var scope = NewDisposeScope();
        var pressure = MuLaw.OfSamples(Sounds(2)).flatten(1) * 0.3;
        double[][] mixed = Doubles.Rows(WaveformViews.Mixed(pressure, pressure.flip(0), tensor(new[] { 10f, float.PositiveInfinity }))), alone = Doubles.Rows(pressure);
        double[] other = [.. mixed[0].Zip(alone[0], (with, without) => with - without)];
        Assert.Equal(10, 10 * Math.Log10(Doubles.Dot(alone[0], alone[0]) / Doubles.Dot(other, other)), 0.01);
        Assert.Equal(1, Doubles.Cosine(other, alone[1]), 1e-4);
        Assert.All(mixed[1].Zip(alone[1]), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Theory]
    [InlineData(1, 0.25)]
    [InlineData(0.8, 0)]
    [InlineData(1.25, -0.1)]
    public void Speed_and_shift_interpolate_as_plain_loops_do_and_silence_comes_in(double speed, double shift)
    {
        using var scope = NewDisposeScope();
        var pressure = MuLaw.OfSamples(Sounds(1)).flatten(1);
        float[] before = Making.Floats(pressure), after = Making.Floats(WaveformViews.Moved(pressure, full([1], (float)speed), full([1], (float)shift)));
        for (var i = 0; i < Length; i++)
        {
            var place = ((i + 0.5 - (Length / 2.0) - (shift * Length)) * speed) + (Length / 2.0) - 0.5;
            var (left, right) = ((int)Math.Floor(place), place - Math.Floor(place));
            double At(int j) => j >= 0 && j < Length ? before[j] : 0;
            Assert.Equal(((1 - right) * At(left)) + (right * At(left + 1)), after[i], 2e-3);
        }
    }

    [Fact]
    public void A_filter_changes_a_tone_by_the_gain_of_its_place_and_not_its_phase()
    {
        using var scope = NewDisposeScope();

        // Tones at 1/8 and 3/8 of the rate lie at points 1 and 3 of five.
        double[][] tones = [.. new[] { 1, 3 }.Select(eighths => Enumerable.Range(0, Length).Select(i => 0.1 * Math.Sin((2 * Math.PI * eighths * i / 8) + 0.4)).ToArray())];
        var heard = tensor(tones.SelectMany(tone => tone, (_, value) => (float)value).ToArray()).view(2, Length);
        double[][] after = Doubles.Rows(WaveformViews.Filtered(heard, tensor(new[] { 0f, 6, 0, -12, 0 }).unsqueeze(0).expand(2, 5)));
        Assert.All(after[0].Zip(tones[0]), pair => Assert.Equal(pair.Second * Math.Pow(10, 0.3), pair.First, 1e-4));
        Assert.All(after[1].Zip(tones[1]), pair => Assert.Equal(pair.Second * Math.Pow(10, -0.6), pair.First, 1e-4));
    }

    [Fact]
    public void A_stretch_keeps_what_is_in_it_and_gain_and_polarity_are_factors()
    {
        using var scope = NewDisposeScope();
        var samples = MuLaw.ToSamples(MuLaw.OfSamples(Sounds(64)) * 0.4);
        double[][] before = Doubles.Rows(MuLaw.OfSamples(samples).flatten(1));
        double[][] kept = Doubles.Rows(MuLaw.OfSamples(Views(samples, WaveformViews.Options.None with { Stretch = 0.5 })).flatten(1));
        Assert.All(kept.Zip(before), pair =>
        {
            int[] heard = [.. pair.First.Index().Where(entry => Math.Abs(entry.Item) > 1e-4).Select(entry => entry.Index)];
            Assert.InRange(heard.Length, 0.48 * Length, Length);
            Assert.All(Enumerable.Range(heard[0], heard[^1] - heard[0] + 1), i => Assert.Equal(pair.Second[i], pair.First[i], 1e-4));
        });
        double[][] changed = Doubles.Rows(MuLaw.OfSamples(Views(samples, WaveformViews.Options.None with { Gain = 6, FlipChance = 0.5 })).flatten(1));
        double[] factors = [.. changed.Zip(before, (after, was) => Doubles.Dot(after, was) / Doubles.Dot(was, was))];
        Assert.All(changed.Zip(before).Zip(factors), entry => Assert.All(entry.First.First.Zip(entry.First.Second), pair => Assert.Equal(pair.Second * entry.Second, pair.First, 1e-4)));
        Assert.All(factors, factor => Assert.InRange(Math.Abs(factor), 0.5, 2));
        Assert.InRange(factors.Count(factor => factor < 0), 15, 49);
    }

    [Theory]
    [InlineData]
    [InlineData("byol", "selfclassifier")]
    public void A_learner_of_waveforms_learns_from_these_views_and_normalises_by_what_is_known(params string[] objectives)
    {
        var options = Making.Small() with { Kind = SampleKind.Waveform, Objectives = objectives.Length == 0 ? null : objectives.ToDictionary(name => name, _ => 1.0, StringComparer.Ordinal) };
        using var learner = new Learner(Shape, options);
        var random = new Random(4);
        for (var step = 0; step < 8; step++)
        {
            var pixels = new byte[16 * Shape.Size];
            random.NextBytes(pixels);
            StepReport report = learner.Observe(new SampleBatch(Shape, pixels, [.. Enumerable.Range(0, 16).Select(i => new SampleKey(0, (step * 16) + i))]));
            Assert.NotEmpty(report.Losses);
            Assert.All(report.Losses, loss => Assert.True(double.IsFinite(loss.Value), $"step {step}: {loss.Key} is {loss.Value}"));
        }

        learner.Refit();
        IReadOnlyList<NamedTensor> made = learner.Export();
        Assert.Equal(128 / 255f, made.Named(ModelFormat.Mean).Values<float>()[0], 1e-6);
        Assert.Equal(127 / 255f, made.Named(ModelFormat.Deviation).Values<float>()[0], 1e-6);
        using var embedder = new Embedder(made);
        var embeddings = new Half[70 * embedder.Width];
        embedder.Embed(new byte[70 * Shape.Size], 70, embeddings);
        Assert.All(embeddings, value => Assert.True(Half.IsFinite(value)));
    }

    [Fact]
    public void Raw_features_tell_tones_of_different_pitch_and_sounds_of_different_time()
    {
        using var scope = NewDisposeScope();
        var buffer = new ReplayBuffer(Shape, 16, 3);
        var random = new Random(1);
        for (var i = 0; i < 16; i++)
        {
            // Low or high, in the first or in the second half.
            var (hertz, second) = (i % 2 == 0 ? 0.02 : 0.3, i / 2 % 2);
            var phase = random.NextDouble() * 6;
            buffer.Offer([.. Enumerable.Range(0, Length).Select(t => (byte)(t / (Length / 2) == second ? 128 + (100 * Math.Sin((2 * Math.PI * hertz * t) + phase)) : 128))], i, random);
        }

        double[][] features = Doubles.Rows(RawFeatures.Of(buffer, CPU));
        Assert.Equal(256, features[0].Length);
        for (var i = 0; i < 16; i++)
        {
            var nearest = Enumerable.Range(0, 16).Where(j => j != i).OrderByDescending(j => Doubles.Dot(features[i], features[j])).Take(3);
            Assert.All(nearest, j => Assert.Equal(i % 4, j % 4));
        }
    }

    // Noise and tones, companded, the loudest value at full scale.
    private static Tensor Sounds(int count)
    {
        using var generator = new Generator(9);
        var tones = (arange(Length, ScalarType.Float32).unsqueeze(0) * (0.05 + (0.4 * rand([count, 1], generator: generator)))).sin();
        var heard = tones + (0.3 * randn([count, Length], generator: generator));
        return MuLaw.ToSamples(heard / heard.abs().amax([1], keepdim: true)).view(count, 1, 1, Length);
    }

    private static Tensor Views(Tensor samples, WaveformViews.Options options, ulong seed = 1)
    {
        using var generator = new Generator(seed);
        return new WaveformViews(Shape, CPU, options).Make(samples, generator);
    }

    private static float[] Floats(Tensor samples, WaveformViews.Options options, ulong seed = 1)
    {
        using var views = Views(samples, options, seed);
        return Making.Floats(views);
    }
}
