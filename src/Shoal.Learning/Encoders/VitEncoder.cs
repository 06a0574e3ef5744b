using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>An encoder that sees a sample as patches, and may be shown some of them only.</summary>
public interface IPatchwiseEncoder
{
    /// <summary>Computes the features of visible patches.</summary>
    /// <param name="input">Normalised samples, [N, C, H, W], float32.</param>
    /// <param name="visible">Indices of the patches that are seen, [N, V], int64, from left to right, then downwards.</param>
    /// <returns>[N, V, D], float32.</returns>
    Tensor EncodeVisible(Tensor input, Tensor visible);
}

/// <summary>A small vision transformer: at most 8x8 patches as tokens of 128 numbers, four blocks of four heads; the feature is the tokens' mean.</summary>
/// <remarks>
/// Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", eq. 1 to 4, with fixed positions in sines and cosines and the mean over tokens in place of a class token, as He et al.
/// 2022 has them (appendix A.1). Computes in float32: it is narrow, and norms gain nothing from less.
/// </remarks>
[Encoder(EncoderCatalogue.Patchwise)]
public sealed class VitEncoder : Encoder, IPatchwiseEncoder
{
    private const int FeatureWidth = 128;
    private const int Blocks = 4;
    private const int Heads = 4;

    private readonly PatchGrid _grid;
    private readonly nn.Module<Tensor, Tensor> _embedding;
    private readonly nn.Module<Tensor, Tensor> _blocks;

    /// <summary>Derives the patches from the shape.</summary>
    /// <param name="shape">Height and width from 8 to 256.</param>
    public VitEncoder(SampleShape shape)
        : base(EncoderCatalogue.Patchwise)
    {
        ArgumentNullException.ThrowIfNull(shape);
        _grid = PatchGrid.Of(shape);
        _embedding = nn.Linear(_grid.Length, FeatureWidth);
        _blocks = nn.Sequential([.. Enumerable.Range(0, Blocks).Select(_ => new TransformerBlock(FeatureWidth, Heads)), nn.LayerNorm(FeatureWidth)]);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int Width => FeatureWidth;

    /// <summary>Computes features.</summary>
    /// <param name="input">Normalised samples, [N, C, H, W], float32.</param>
    /// <returns>[N, 128], float32, not normalised.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _blocks.forward(_embedding.forward(_grid.Split(input)) + Positions(input.device)).mean([1]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor EncodeVisible(Tensor input, Tensor visible)
    {
        ArgumentNullException.ThrowIfNull(visible);
        using var scope = NewDisposeScope();
        var patches = _grid.Split(input).gather(1, visible.unsqueeze(2).expand(-1, -1, _grid.Length));
        return _blocks.forward(_embedding.forward(patches) + Positions(input.device)[visible]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _embedding.Dispose();
            _blocks.Dispose();
        }

        base.Dispose(disposing);
    }

    private Tensor Positions(Device device) => _grid.Positions(FeatureWidth).to(device);
}
