using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class NormedLayerTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Folded_it_gives_what_layer_and_norm_give_one_after_the_other(bool linear)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        manual_seed(1);
        using var layer = linear ? NormedLayer.Linear(18, 4) : NormedLayer.Conv2d(2, 4, 3, 2, 1);
        var input = linear ? randn(32, 18) : randn(32, 2, 3, 3);
        for (var i = 0; i < 5; i++)
        {
            // Running statistics that differ from 0 and 1.
            layer.forward(input * 3 + 1);
        }

        var parameters = layer.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
        var buffers = layer.named_buffers().ToDictionary(b => b.name, b => b.buffer, StringComparer.Ordinal);
        parameters["norm.weight"].copy_(randn(4));
        parameters["norm.bias"].copy_(randn(4));
        layer.eval();
        var plain = linear
            ? nn.functional.linear(input, parameters["weight"])
            : nn.functional.conv2d(input, parameters["weight"], strides: [2, 1], padding: [1, 1]);
        Tensor Expected() => nn.functional.batch_norm(
            plain, buffers["norm.running_mean"], buffers["norm.running_var"], parameters["norm.weight"], parameters["norm.bias"], training: false).relu();
        Assert.True(layer.forward(input).allclose(Expected(), 1e-4, 1e-5));

        // What is learned later is folded anew.
        layer.train();
        parameters["norm.bias"].add_(1);
        layer.eval();
        Assert.True(layer.forward(input).allclose(Expected(), 1e-4, 1e-5));
    }

    [Fact]
    public void In_training_it_norms_by_the_batch()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var layer = NormedLayer.Linear(8, 4);
        layer.eval();
        layer.train();
        var output = layer.forward(randn(4_096, 8) * 5);
        // A standard normal cut at 0 has the mean 1 / sqrt(2 pi).
        Assert.Equal(1 / Math.Sqrt(2 * Math.PI), output.mean().item<float>(), 0.02);
    }
}
