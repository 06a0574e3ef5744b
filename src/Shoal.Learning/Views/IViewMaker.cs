using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Makes random views: the changes that must not change what a sample is.</summary>
public interface IViewMaker
{
    /// <summary>One random view of each sample; each sample's changes are drawn by themselves.</summary>
    /// <param name="samples">[N, C, H, W], float32, 0 to 1; not changed.</param>
    /// <param name="generator">Where randomness comes from, of the samples' device; the same state makes the same views.</param>
    /// <returns>[N, C, H, W], float32, in the order of samples; 0 to 1 but for noise and gain.</returns>
    /// <exception cref="ArgumentException">Another shape than the samples of the dataset have.</exception>
    Tensor Make(Tensor samples, Generator generator);
}

/// <summary>Makes small crops beside whole views, for objectives that foretell the whole from a part.</summary>
public interface ICropMaker : IViewMaker
{
    /// <summary>As many random crops of each sample as this maker has.</summary>
    /// <param name="samples">[N, C, H, W], float32, 0 to 1; not changed.</param>
    /// <param name="generator">Where randomness comes from, of the samples' device; the same state makes the same crops.</param>
    /// <returns>[L·N, C, H, W], float32: the first crop of each sample in their order, then the second, and so on.</returns>
    /// <exception cref="ArgumentException">Another shape than the samples of the dataset have.</exception>
    Tensor MakeCrops(Tensor samples, Generator generator);
}

/// <summary>Finds the views that suit samples, and what makers of views have in common.</summary>
public static class ViewMakers
{
    /// <summary>With the strengths that suit samples.</summary>
    /// <param name="kind">What they are.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="device">Where they are.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such kind.</exception>
    public static IViewMaker Create(SampleKind kind, SampleShape shape, Device device) => SampleTraits.Of(kind).Views(shape, device);

    /// <summary>Holds samples to their shape.</summary>
    /// <param name="samples">Any tensor.</param>
    /// <param name="shape">The shape of one sample.</param>
    /// <exception cref="ArgumentException">Another one; the text names both.</exception>
    internal static void Check(Tensor samples, SampleShape shape)
    {
        if (samples.dim() != 4 || samples.shape[1] != shape.Channels || samples.shape[2] != shape.Height || samples.shape[3] != shape.Width)
        {
            throw new ArgumentException($"Samples are {StepBatch.Text(samples)}; expected [N, {shape.Channels}, {shape.Height}, {shape.Width}].", nameof(samples));
        }
    }

    /// <summary>One number for each sample, all equally likely.</summary>
    /// <param name="count">N.</param>
    /// <param name="generator">Where randomness comes from.</param>
    /// <param name="least">The least.</param>
    /// <param name="most">The most.</param>
    /// <param name="device">Where they are wanted.</param>
    /// <returns>[N], float32.</returns>
    internal static Tensor Between(long count, Generator generator, double least, double most, Device device)
        => (rand([count], generator: generator, device: device) * (most - least)) + least;
}
