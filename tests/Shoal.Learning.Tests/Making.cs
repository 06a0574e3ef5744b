using static TorchSharp.torch;

[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly)] // One at a time: the count of live tensors is the whole process's.

namespace Shoal.Learning.Tests;

/// <summary>Makes small inputs from seeds.</summary>
internal static class Making
{
    public static readonly SampleShape Grey = new(1, 12, 12);

    /// <summary>The shortest that the encoder takes: eight latents.</summary>
    public static readonly SampleShape Waveform = new(1, 1, 1_600);

    /// <summary>Samples of a few kinds: a bright bar whose place depends on the kind, with noise.</summary>
    public static SampleBatch Bars(int count, long first, SampleShape? shape = null, int kinds = 4)
    {
        shape ??= Grey;
        var random = new Random((int)first + 17);
        var pixels = new byte[count * shape.Size];
        for (var i = 0; i < count; i++)
        {
            var row = (int)((first + i) % kinds) * shape.Height / kinds;
            for (var p = 0; p < shape.Size; p++)
            {
                var lit = p % (shape.Height * shape.Width) / shape.Width / 2 == row / 2;
                pixels[(i * shape.Size) + p] = (byte)((lit ? 200 : 20) + random.Next(30));
            }
        }

        return new SampleBatch(shape, pixels, [.. Enumerable.Range(0, count).Select(i => new SampleKey(3, first + i))]);
    }

    /// <summary>How many tensors there are, to compare with their number afterwards. What other tests left behind is gone by then: it must not go in between.</summary>
    public static long LiveTensors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }

    public static LearnerOptions Small(int seed = 5) => new()
    {
        Clusters = 4,
        Seed = seed,
        ReplaySize = 256,
        FreshPerStep = 16,
        BankSize = 128,
        MineEvery = 5,
        NeighbourCount = 5,
        HoldOutOneIn = 8,
        HeldOutSize = 64,
    };

    /// <summary>N samples, features of width D, a bank of B keys, pairs of even rows with their successors.</summary>
    public static StepBatch Batch(int seed, int count = 6, int width = 8, int keyWidth = 64, int bank = 12, int clusters = 3, double scale = 5, SampleShape? shape = null)
    {
        manual_seed(seed);
        var projection = Projection(width, shape ?? Grey);
        return new StepBatch
        {
            Features = randn(2 * count, width, requires_grad: true),
            KeyFeatures = randn(2 * count, width),
            Samples = arange(count, ScalarType.Int64),
            BankKeys = nn.functional.normalize(randn(bank, keyWidth), 2, dim: 1),
            BankSamples = arange(count - 2, count - 2 + bank, ScalarType.Int64),
            Anchors = tensor(Enumerable.Range(0, count / 2).Select(i => 2L * i).ToArray()),
            Neighbours = tensor(Enumerable.Range(0, count / 2).Select(i => (2L * i) + 1).ToArray()),
            Replayed = arange(1, count, ScalarType.Int64),
            Labels = (arange(count, ScalarType.Int64) % (clusters + 1)) - 1,
            Head = new ClusterHead(heads: 2, clusters, width, scale),
            Pixels = TorchTensors.ToUnit(Bars(count, seed * 100, shape).Pixels, shape ?? Grey, CPU),
            Encode = projection.Encode,
            EncodeVisible = Visible(projection.Encode, shape ?? Grey),
            EncodeLatents = Latents(projection.Encode, shape ?? Grey),
            Seed = seed,
        };
    }

    /// <summary>An encoder of one layer, that tells pixels from one another, and its weights, which get gradients.</summary>
    public static (Func<Tensor, Tensor> Encode, Tensor Weights) Projection(int width, SampleShape shape)
    {
        using var generator = new Generator(6);
        var weights = (randn([shape.Size, width], generator: generator) / Math.Sqrt(shape.Size)).requires_grad_(true);
        return (pixels => (pixels.flatten(1) - 0.5).matmul(weights), weights);
    }

    /// <summary>The same encoder for each of a sample's visible patches, the others being grey.</summary>
    public static Func<Tensor, Tensor, Tensor> Visible(Func<Tensor, Tensor> encode, SampleShape shape)
    {
        var grid = PatchGrid.Of(shape);
        return (pixels, visible) =>
        {
            var samples = pixels.repeat_interleave(visible.shape[1], 0);
            var y = (arange(shape.Height, ScalarType.Int64) / grid.Side).to_type(ScalarType.Int64).view(-1, 1) * grid.Across;
            var cells = y + (arange(shape.Width, ScalarType.Int64) / grid.Side).to_type(ScalarType.Int64).view(1, -1);
            var seen = cells.unsqueeze(0).eq(visible.flatten().view(-1, 1, 1)).unsqueeze(1);
            return encode(where(seen, samples, full_like(samples, 0.5f))).view(visible.shape[0], visible.shape[1], -1);
        };
    }

    /// <summary>The same encoder for each sixteenth of a sample, in the order in which its numbers are stored, the others being grey.</summary>
    public static Func<Tensor, Tensor> Latents(Func<Tensor, Tensor> encode, SampleShape shape)
    {
        const int Places = 16;
        var cells = (arange(shape.Size, ScalarType.Int64) / (shape.Size / Places)).to_type(ScalarType.Int64);
        return pixels =>
        {
            var seen = cells.unsqueeze(0).eq(arange(Places, ScalarType.Int64).unsqueeze(1)).unsqueeze(0);
            var samples = where(seen, pixels.flatten(1).unsqueeze(1), full([1, 1, 1], 0.5f));
            return encode(samples.view(-1, shape.Channels, shape.Height, shape.Width)).view(pixels.shape[0], Places, -1);
        };
    }

    public static float[] Floats(Tensor values) => values.detach().contiguous().data<float>().ToArray();
}
