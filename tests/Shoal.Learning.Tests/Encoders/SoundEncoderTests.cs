using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>Encoders of sound: waveforms by strided convolutions, spectrograms frame by frame.</summary>
public sealed class SoundEncoderTests
{
    private static readonly (int Kernel, int Stride)[] Stack = [(10, 5), (8, 4), (4, 2), (4, 2), (4, 2)];

    [Fact]
    public void Latents_of_a_waveform_equal_plain_loops()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        using var encoder = new WaveformEncoder(Making.Waveform);
        var weights = encoder.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
        using (no_grad())
        {
            weights["_layers.1.scale"].uniform_(0.5, 2);
            weights["_layers.1.shift"].uniform_(-0.5, 0.5);
        }

        // Companded values, 128 being none.
        var input = (randint(1, 256, [2, 1, 1, 1_600]) - 128).to_type(ScalarType.Float32) / 127;
        var latents = encoder.EncodeLatents(input);
        Assert.Equal([2L, 8, 256], latents.shape);
        double[][] signal = [[.. Making.Floats(input)[1_600..].Select(y => Math.Sign(y) * (Math.Pow(256, Math.Abs(y)) - 1) / 255)]];
        foreach (var (layer, (kernel, stride)) in Stack.Index())
        {
            float[] weight = Making.Floats(weights[$"_layers.{layer}.weight"]), scale = Making.Floats(weights[$"_layers.{layer}.scale"]), shift = Making.Floats(weights[$"_layers.{layer}.shift"]);
            double[][] made = Array.ConvertAll(scale, _ => new double[((signal[0].Length - kernel) / stride) + 1]);
            for (var output = 0; output < made.Length; output++)
            {
                for (var place = 0; place < made[output].Length; place++)
                {
                    for (var channel = 0; channel < signal.Length; channel++)
                    {
                        for (var k = 0; k < kernel; k++)
                        {
                            made[output][place] += weight[(((output * signal.Length) + channel) * kernel) + k] * signal[channel][(place * stride) + k];
                        }
                    }
                }
            }

            var mean = made.SelectMany(row => row).Average();
            var deviation = Math.Sqrt(made.SelectMany(row => row).Average(value => (value - mean) * (value - mean)) + 1e-5);
            signal = [.. made.Select((row, i) => Array.ConvertAll(row, value => Math.Max(0, ((value - mean) / deviation * scale[i]) + shift[i])))];
        }

        double[][] found = Doubles.Rows(latents[1]);
        for (var place = 0; place < 8; place++)
        {
            for (var d = 0; d < 256; d++)
            {
                Assert.Equal(signal[d][place], found[place][d], 1e-3);
            }
        }
    }

    [Fact]
    public void The_feature_is_mean_and_maximum_over_time_less_what_all_samples_have()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var encoder = new WaveformEncoder(Making.Waveform);
        var input = rand(6, 1, 1, 1_600) - 0.5;
        var (features, latents) = (encoder.forward(input), encoder.EncodeLatents(input));
        double[][] pooled = [.. Enumerable.Range(0, 6).Select(n => Doubles.Rows(latents[n])).Select(rows => Enumerable.Range(0, 256).Select(d => rows.Average(row => row[d]) + rows.Max(row => row[d])).ToArray())];
        double[][] found = Doubles.Rows(features);
        for (var d = 0; d < 256; d++)
        {
            var mean = pooled.Average(row => row[d]);
            var deviation = Math.Sqrt(pooled.Average(row => (row[d] - mean) * (row[d] - mean)) + 1e-5);
            Assert.All(Enumerable.Range(0, 6), n => Assert.Equal((pooled[n][d] - mean) / deviation, found[n][d], 2e-3));
        }
    }

    [Fact]
    public void A_later_sound_is_a_later_latent_and_nearly_the_same_feature()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        using var encoder = new WaveformEncoder(new SampleShape(1, 1, 8_000));
        var click = rand(1, 1, 1, 1_600) - 0.5;
        Tensor At(int place) => cat([zeros(1, 1, 1, place), click, zeros(1, 1, 1, 8_000 - 1_600 - place)], 3);
        Tensor early = encoder.EncodeLatents(At(1_600)), late = encoder.EncodeLatents(At(4_800));
        Assert.All(Making.Floats(early.narrow(1, 5, 20)).Zip(Making.Floats(late.narrow(1, 25, 20))), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        Assert.True(encoder.EncodeLatents(zeros(1, 1, 1, 8_000)).isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData(32, 32, 8)]
    [InlineData(64, 96, 12)]
    [InlineData(8, 8, 8)]
    public void A_spectrogram_is_pooled_over_time_alone(int bands, int frames, int left)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var encoder = new LogMelEncoder(new SampleShape(1, bands, frames));
        encoder.eval();
        var input = rand(3, 1, bands, frames);
        var layers = encoder.named_children().ToDictionary(child => child.name, child => (nn.Module<Tensor, Tensor>)child.module, StringComparer.Ordinal);
        var maps = layers["_layers"].forward(input);
        Assert.Equal([3L, 64, (bands + 7) / 8, left], maps.shape);
        float[] features = Making.Floats(encoder.forward(input));
        for (var n = 0; n < 3; n++)
        {
            double[][] rows = [.. Enumerable.Range(0, left).Select(frame => Doubles.Rows(layers["_frames"].forward(maps[n].select(2, frame).reshape(1, -1)))[0])];
            Assert.All(Enumerable.Range(0, 256), d => Assert.Equal(rows.Average(row => row[d]) + rows.Max(row => row[d]), features[(n * 256) + d], 1e-4));
        }
    }

    [Fact]
    public void A_spectrogram_that_begins_later_is_nearly_the_same_and_one_that_is_higher_is_not()
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        using var encoder = new LogMelEncoder(new SampleShape(1, 64, 64));
        encoder.forward(rand(64, 1, 64, 64));
        encoder.eval();
        Tensor Feature(int band, int frame)
        {
            var sound = zeros(1, 1, 64, 64);
            sound.narrow(2, band, 8).narrow(3, frame, 16).fill_(3);
            return encoder.forward(sound);
        }

        double Away(Tensor one, Tensor other) => (one - other).norm().item<float>() / one.norm().item<float>();
        Assert.True(Away(Feature(24, 16), Feature(24, 32)) < 0.3 * Away(Feature(24, 16), Feature(40, 16)));
    }
}
