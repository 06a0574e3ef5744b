using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>An encoder that keeps what it was asked to encode, and what it answered.</summary>
internal sealed class Spy
{
    private readonly Func<Tensor, Tensor> _encode;

    public Spy(int width, SampleShape shape) => _encode = Making.Projection(width, shape).Encode;

    /// <summary>What was encoded in each call, [M, C, H, W].</summary>
    public List<Tensor> Inputs { get; } = [];

    /// <summary>The features of each call, in plain numbers.</summary>
    public List<double[][]> Features { get; } = [];

    /// <summary>A step over random pixels that this encodes.</summary>
    public static (Spy Spy, StepBatch Batch) Step(IObjective objective, SampleShape shape, int seed = 1, int count = 6)
    {
        var spy = new Spy(8, shape);
        var batch = Making.Batch(seed, count, keyWidth: objective.KeyWidth, bank: objective.KeyWidth == 0 ? 0 : 12, shape: shape);
        return (spy, batch with { Pixels = rand(count, shape.Channels, shape.Height, shape.Width) * 0.9 + 0.1, Encode = spy.Encode, EncodeVisible = Making.Visible(spy.Encode, shape), EncodeLatents = Making.Latents(spy.Encode, shape) });
    }

    public Tensor Encode(Tensor pixels)
    {
        var features = _encode(pixels);
        Inputs.Add(pixels.detach().clone().DetachFromDisposeScope());
        Features.Add(Doubles.Rows(features));
        return features;
    }

    /// <summary>Which of some pictures each of others is.</summary>
    /// <param name="pictures">[K, C, H, W].</param>
    /// <param name="others">[L, C, H, W], each the same as one of them.</param>
    public static int[] Find(Tensor pictures, Tensor others)
    {
        var (known, asked) = (Doubles.Rows(pictures.flatten(1)), Doubles.Rows(others.flatten(1)));
        return Array.ConvertAll(asked, picture =>
        {
            var (index, _) = known.Index().MinBy(entry => entry.Item.Zip(picture, (a, b) => Math.Abs(a - b)).Sum());
            Assert.All(known[index].Zip(picture), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
            return index;
        });
    }

    /// <summary>Mean of -log of the share that each row's answer has.</summary>
    public static double CrossEntropy(double[][] scores, int[] answers) => scores.Zip(answers, (row, answer) => Doubles.Choice(row[answer], row)).Average();
}
