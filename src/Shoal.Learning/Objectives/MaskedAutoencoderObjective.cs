using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What is in the three quarters of a sample's patches that are not shown?</summary>
/// <remarks>
/// He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners", section 3: a random subset of patches is seen by the encoder; a small transformer, which gets a learned token for
/// each of the others, and the positions of all, makes pixels; the loss is the mean squared error over masked patches only, of pixels whose mean and deviation
/// within the patch are taken away. Needs an encoder that sees patches: <c>vit</c>.
/// </remarks>
[Objective("mae", Family = ObjectiveFamily.Pretext, Source = "He et al. 2022, Masked Autoencoders, section 3", Needs = ObjectiveNeeds.Samples, NeedsPatches = true, LeastSide = 9)]
public sealed class MaskedAutoencoderObjective : PretextObjective
{
    // What He et al. add to the variance.
    private const double LeastVariance = 1e-6;
    private const int Heads = 4;

    private readonly Options _options;
    private readonly PatchGrid _grid;
    private readonly nn.Module<Tensor, Tensor> _embedding;
    private readonly TorchSharp.Modules.Parameter _hidden;
    private readonly nn.Module<Tensor, Tensor> _decoder;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    public MaskedAutoencoderObjective(int featureWidth, SampleShape shape)
        : this(featureWidth, shape, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    /// <param name="options">Settings.</param>
    public MaskedAutoencoderObjective(int featureWidth, SampleShape shape, Options options)
        : base("mae")
    {
        ArgumentNullException.ThrowIfNull(shape);
        _options = ObjectiveOptions.Checked(options);
        _grid = PatchGrid.Of(shape);
        var width = options.Width * Heads;
        _embedding = Networks.Learned("embedding", nn.Linear(featureWidth, width));
        _hidden = Networks.Learned("hidden", randn(width) * 0.02);
        _decoder = Networks.Learned("decoder", nn.Sequential(
            [.. Enumerable.Range(0, options.Blocks).Select(_ => new TransformerBlock(width, Heads)), nn.LayerNorm(width), nn.Linear(width, _grid.Length)]));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are asked about; 2 to 4,096.</summary>
        /// <value>48: a sixth of a step. More steps in a minute teach more than more samples in each.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 48;

        /// <summary>The share of patches that are not shown; 0.1 to 0.9.</summary>
        /// <value>0.75, the paper's.</value>
        [Range(0.1, 0.9)]
        public double Masked { get; init; } = 0.75;

        /// <summary>Blocks of the decoder; 1 to 8.</summary>
        /// <value>2: half as deep as the encoder; the paper's has 8 of 24.</value>
        [Range(1, 8)]
        public int Blocks { get; init; } = 2;

        /// <summary>The decoder's width for each of its four heads; 4 to 256, a multiple of 4 in all.</summary>
        /// <value>16: 64 in all, half the encoder's width, as in the paper.</value>
        [Range(4, 256)]
        public int Width { get; init; } = 16;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var samples = pixels.shape[0];
        var visible = Math.Max(1, (long)Math.Round(_grid.Count * (1 - _options.Masked)));

        // Places in a random order: the first are shown; and back.
        var order = rand([samples, _grid.Count], generator: generator).argsort(1).to(pixels.device);
        var (shown, masked, back) = (order.narrow(1, 0, visible), order.narrow(1, visible, _grid.Count - visible), order.argsort(1));
        var known = _embedding.forward(batch.EncodeVisible!(pixels, shown));
        var (width, count) = (known.shape[2], _grid.Count - visible);
        var all = cat([known, _hidden.view(1, 1, -1).expand(samples, count, width)], 1).gather(1, back.unsqueeze(2).expand(-1, -1, width));
        var made = _decoder.forward(all + _grid.Positions((int)width).to(pixels.device));
        var where = masked.unsqueeze(2).expand(-1, -1, _grid.Length);
        return Of(("reconstruction", (made.gather(1, where) - Standardised(_grid.Split(pixels)).gather(1, where)).square().mean()));
    }

    private static Tensor Standardised(Tensor patches)
    {
        var centred = patches - patches.mean([2], keepdim: true);
        return centred / (centred.square().sum(2, keepdim: true) / (patches.shape[2] - 1) + LeastVariance).sqrt();
    }
}
