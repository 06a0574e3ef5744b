using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class EncoderContractTests
{
    private static readonly SampleShape Colour = new(3, 32, 32);

    // Of those that take no pictures.
    private static readonly SampleShape Waveform = new(1, 1, 1_600);

    public static TheoryData<string> Names => [.. EncoderCatalogue.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Features_are_finite_float32_of_the_width_that_is_said_whatever_it_computes_in(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var encoder = Made(name);
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            encoder.ComputeType = type;
            var features = encoder.forward(Input(name, 5));
            Assert.Equal([5, encoder.Width], features.shape);
            Assert.Equal(ScalarType.Float32, features.dtype);
            Assert.True(features.isfinite().all().item<bool>());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_saved_gives_the_same_features_elsewhere(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var encoder = Made(name);
        using var other = EncoderCatalogue.Create(name, Shape(name));
        using (no_grad())
        {
            var saved = encoder.state_dict();
            foreach (var (tensor, value) in other.state_dict())
            {
                value.copy_(saved[tensor]);
            }
        }

        encoder.eval();
        other.eval();
        var input = Input(name, 5);
        Assert.Equal(Making.Floats(encoder.forward(input)), Making.Floats(other.forward(input)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Objectives_reach_those_that_learn_by_gradient_and_only_those(string name)
    {
        using var scope = NewDisposeScope();
        using var encoder = Made(name);
        Assert.Equal(encoder.LearnsByGradient, encoder.forward(Input(name, 5)).requires_grad);
        Assert.Equal(encoder.LearnsByGradient, encoder.parameters().Any(parameter => parameter.requires_grad));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Too_small_a_shape_is_named(string name)
    {
        var (small, what) = Shape(name).IsWaveform ? (new SampleShape(1, 1, 400), "waveforms") : (new SampleShape(3, 32, 4), "sides");
        var error = Assert.ThrowsAny<Exception>(() => EncoderCatalogue.Create(name, small).Dispose());
        Assert.Contains($"Encoder '{name}' takes {what} of", error.GetBaseException().Message, StringComparison.Ordinal);
        Assert.Contains($"not {small}.", error.GetBaseException().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 28, 28, "strided")]
    [InlineData(3, 32, 32, "patches")]
    [InlineData(3, 64, 48, "patches")]
    [InlineData(3, 96, 96, "strided")]
    [InlineData(3, 33, 9, "strided")]
    [InlineData(1, 1, 8_000, "waveform")]
    public void Auto_is_the_encoder_that_suits_the_shape(int channels, int height, int width, string name)
    {
        Assert.Equal(name, EncoderCatalogue.Resolve("auto", new SampleShape(channels, height, width), objectivesChosen: false));
        Assert.Equal("strided", EncoderCatalogue.Resolve("strided", new SampleShape(channels, height, width), objectivesChosen: false));

        // Who chooses objectives wants them to move the encoder.
        Assert.Equal(name is "waveform" ? name : "strided", EncoderCatalogue.Resolve("auto", new SampleShape(channels, height, width), objectivesChosen: true));
        Assert.Equal("patches", EncoderCatalogue.Resolve("patches", new SampleShape(channels, height, width), objectivesChosen: true));
    }

    private static SampleShape Shape(string name) => EncoderCatalogue.Misfit(name, Colour) is null ? Colour : Waveform;

    private static Tensor Input(string name, long count) => randn(count, Shape(name).Channels, Shape(name).Height, Shape(name).Width);

    private static Encoder Made(string name)
    {
        var encoder = EncoderCatalogue.Create(name, Shape(name));
        encoder.Watch(Input(name, 8), Input(name, 8), Input(name, 8));
        return encoder;
    }
}
