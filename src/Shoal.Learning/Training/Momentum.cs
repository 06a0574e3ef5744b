using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Moves a momentum twin after its original: an exponential mean of its weights.</summary>
internal static class Momentum
{
    /// <summary>twin = momentum * twin + (1 - momentum) * original, for every parameter; buffers are left alone.</summary>
    /// <param name="twin">Written in place.</param>
    /// <param name="original">The same architecture.</param>
    /// <param name="momentum">0 copies, 1 leaves.</param>
    public static void Follow(nn.Module twin, nn.Module original, double momentum)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (mine, theirs) in twin.parameters().Zip(original.parameters()))
        {
            mine.lerp_(theirs, tensor((float)(1 - momentum), device: mine.device));
        }
    }

    /// <summary>Takes a twin's parameters out of the gradient.</summary>
    /// <param name="twin">The twin.</param>
    public static void Freeze(nn.Module twin)
    {
        foreach (var parameter in twin.parameters())
        {
            parameter.requires_grad = false;
        }
    }
}
