using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Embeds samples with a published version; learns nothing. For the compute thread, one call at a time.</summary>
public sealed class Embedder : IDisposable
{
    // 256 samples fill both cores' caches well; larger batches gain nothing and delay urgent work.
    private const int BatchSize = 256;

    private readonly Encoder _encoder;
    private readonly Device _device;
    private readonly Tensor _mean;
    private readonly Tensor _deviation;

    /// <summary>Builds the network of a version.</summary>
    /// <param name="model">What <see cref="Learner.Export"/> gave.</param>
    /// <param name="device">libtorch's name of the device.</param>
    /// <param name="precision">What convolutions compute in.</param>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape.</exception>
    public Embedder(IReadOnlyList<NamedTensor> model, string device = "cpu", Precision precision = Precision.Auto)
    {
        using var scope = NewDisposeScope();
        _device = new Device(device);
        var shape = model.Named(ModelFormat.Shape).Values<long>();
        Shape = new SampleShape((int)shape[0], (int)shape[1], (int)shape[2]);
        _encoder = EncoderCatalogue.Create(ModelFormat.Text(model.Named(ModelFormat.EncoderName)), Shape);
        _encoder.Load(ModelFormat.EncoderPrefix, model);
        _encoder.to(_device);
        _encoder.eval();
        _encoder.ComputeType = precision.ComputeType(_device);
        _mean = tensor(model.Named(ModelFormat.Mean).Values<float>(), device: _device).view(1, -1, 1, 1).DetachFromDisposeScope();
        _deviation = tensor(model.Named(ModelFormat.Deviation).Values<float>(), device: _device).view(1, -1, 1, 1).DetachFromDisposeScope();
        Prototypes = Prototypes.Read(model);
    }

    /// <summary>The embedding's width, D.</summary>
    public int Width => _encoder.Width;

    /// <summary>The shape of samples.</summary>
    public SampleShape Shape { get; }

    /// <summary>The version's prototypes.</summary>
    public Prototypes Prototypes { get; }

    /// <summary>Computes embeddings.</summary>
    /// <param name="pixels">uint8, [N, C, H, W].</param>
    /// <param name="count">N.</param>
    /// <param name="embeddings">Receives [N, D], L2-normalised.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public void Embed(ReadOnlySpan<byte> pixels, int count, Span<Half> embeddings)
    {
        if (pixels.Length != count * Shape.Size || embeddings.Length != count * Width)
        {
            throw new ArgumentException(
                $"{count} samples of {Shape} need {count * Shape.Size} pixels and {count * Width} embedding values; there are {pixels.Length} and {embeddings.Length}.", nameof(pixels));
        }

        var part = TorchTensors.Part(Shape, BatchSize);
        for (var start = 0; start < count; start += part)
        {
            var n = Math.Min(part, count - start);
            using var scope = NewDisposeScope();
            var embedded = EmbedTensor(_encoder, TorchTensors.ToUnit(pixels.Slice(start * Shape.Size, n * Shape.Size), Shape, _device), _mean, _deviation);
            System.Numerics.Tensors.TensorPrimitives.ConvertToHalf(embedded.Values<float>(), embeddings.Slice(start * Width, n * Width));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _encoder.Dispose();
        _mean.Dispose();
        _deviation.Dispose();
    }

    /// <summary>How many samples are computed for so many: 1, 2, 3, 4, 6, 8, 12, 16, 24, ...</summary>
    /// <remarks>Of each size of a batch the native library compiles and keeps its convolutions anew, up to 1,024 of them.</remarks>
    /// <param name="count">1 and up.</param>
    internal static int Padded(int count)
    {
        var power = (int)BitOperations.RoundUpToPowerOf2((uint)count);
        return count <= power / 4 * 3 ? power / 4 * 3 : power;
    }

    /// <summary>The one place that says what an embedding is.</summary>
    /// <param name="encoder">In eval mode.</param>
    /// <param name="samples">[N, C, H, W], float32, 0 to 1.</param>
    /// <param name="mean">[1, C, 1, 1].</param>
    /// <param name="deviation">[1, C, 1, 1].</param>
    /// <returns>[N, D], float32, L2-normalised, without gradient.</returns>
    internal static Tensor EmbedTensor(Encoder encoder, Tensor samples, Tensor mean, Tensor deviation)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (count, shape) = (samples.shape[0], samples.shape[1..]);
        var padded = cat([samples, zeros([Padded((int)count) - count, .. shape], device: samples.device)]);
        return normalize(encoder.forward((padded - mean) / deviation).narrow(0, 0, count), 2, dim: 1).MoveToOuterDisposeScope();
    }
}
