using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ResNetEncoderTests
{
    [Fact]
    public void It_has_the_papers_parameters()
    {
        // ResNet-18 for CIFAR-10 without its last layer: convolutions 3x3 of 3, 64, 128, 256, 512 channels, three shortcuts 1x1, and a scale and a shift for each output.
        long[] channels = [64, 128, 256, 512];
        long Layer(long inputs, long outputs, long taps) => (inputs * outputs * taps) + (2 * outputs);
        var expected = Layer(3, 64, 9);
        for (var (stage, inputs) = (0, 64L); stage < 4; (stage, inputs) = (stage + 1, channels[stage]))
        {
            expected += Layer(inputs, channels[stage], 9) + (3 * Layer(channels[stage], channels[stage], 9)) + (stage == 0 ? 0 : Layer(inputs, channels[stage], 1));
        }

        using var scope = NewDisposeScope();
        using var encoder = new ResNetEncoder(new SampleShape(3, 32, 32));
        Assert.Equal(expected, encoder.parameters().Sum(parameter => parameter.numel()));
        Assert.Equal(11_168_832, expected);
    }

    [Fact]
    public void A_block_adds_its_input_to_what_two_convolutions_make_of_it()
    {
        // With the last scale of every block at 0 only shortcuts are left: what comes in goes out, above 0.
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var encoder = new ResNetEncoder(new SampleShape(1, 8, 8));
        var input = randn(4, 1, 8, 8);
        var before = Making.Floats(encoder.forward(input));
        using (no_grad())
        {
            foreach (var (name, parameter) in encoder.named_parameters().Where(p => p.name.Contains("_second.norm", StringComparison.Ordinal)))
            {
                Assert.True(parameter.shape[0] >= 64, name);
                parameter.zero_();
            }
        }

        var without = encoder.forward(input);
        Assert.NotEqual(before, Making.Floats(without));
        Assert.True(without.abs().sum().item<float>() > 0);
    }

    [Fact]
    public void Large_samples_begin_with_the_papers_stem()
    {
        using var scope = NewDisposeScope();
        using var encoder = new ResNetEncoder(new SampleShape(3, 96, 80));
        Assert.Equal([2L, 512], encoder.forward(randn(2, 3, 96, 80)).shape);
        Assert.Equal([64L, 3, 7, 7], encoder.named_parameters().First(p => p.parameter.dim() == 4).parameter.shape);
    }
}
