using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Which cells of a sample come from others, and what was there before?</summary>
/// <remarks>
/// Yoon et al. 2020, "VIME: Extending the Success of Self- and Semi-supervised Learning to Tabular Domain", eq. 3 to 6, with cells of a grid for features: x̃ = m ⊙ x̄ + (1 - m) ⊙ x, where each m is 1
/// with probability p_m and x̄ has each cell from another sample of the step, drawn by itself, which is a draw from what such cells are like. From the features of x̃ one network tells m,
/// another x; L = l_m + α·l_r, the mean binary cross-entropy over cells and the mean squared error over pixels.
/// </remarks>
[Objective("corruption", Family = ObjectiveFamily.Pretext, Source = "Yoon et al. 2020, VIME, eq. 3 to 6", Needs = ObjectiveNeeds.Samples)]
public sealed class CorruptionObjective : PretextObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _detector;
    private readonly nn.Module<Tensor, Tensor> _decoder;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    public CorruptionObjective(int featureWidth, SampleShape shape)
        : this(featureWidth, shape, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    /// <param name="options">Settings.</param>
    public CorruptionObjective(int featureWidth, SampleShape shape, Options options)
        : base("corruption")
    {
        ArgumentNullException.ThrowIfNull(shape);
        _options = ObjectiveOptions.Checked(options);
        _detector = Networks.Learned("detector", Mlp.Plain(featureWidth, options.Cells * options.Cells));
        _decoder = Networks.Learned("decoder", new Decoder(featureWidth, shape.Channels, shape.Height, shape.Width));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are damaged; 2 to 4,096.</summary>
        /// <value>144: half a step. Twice the steps in a minute teach more than all of its samples.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 144;

        /// <summary>Cells along a side; 2 to 8.</summary>
        /// <value>4: a cell shows a part of an object.</value>
        [Range(2, 8)]
        public int Cells { get; init; } = 4;

        /// <summary>p_m; 0.05 to 0.95.</summary>
        /// <value>0.3, the paper's.</value>
        [Range(0.05, 0.95)]
        public double Chance { get; init; } = 0.3;

        /// <summary>α, the weight of what was there before; 0 to 100.</summary>
        /// <value>2, the paper's.</value>
        [Range(0.0, 100.0)]
        public double Reconstruction { get; init; } = 2;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var samples = pixels.shape[0];
        var cells = _options.Cells;
        var mask = rand([samples, cells * cells], generator: generator).lt(_options.Chance).to_type(ScalarType.Float32);

        // Another sample for each cell, any but itself.
        var donors = (arange(samples, ScalarType.Int64).unsqueeze(1) + 1 + randint(samples - 1, [samples, cells * cells], generator: generator, dtype: ScalarType.Int64)) % samples;
        var (places, across) = (Cells(pixels.shape[2]).unsqueeze(1) * cells, Cells(pixels.shape[3]).unsqueeze(0));
        var cellOf = (places + across).flatten();
        var swapped = mask.index_select(1, cellOf).to(pixels.device).view(samples, 1, pixels.shape[2], pixels.shape[3]);
        var from = donors.index_select(1, cellOf).to(pixels.device).view(samples, 1, pixels.shape[2], pixels.shape[3]).expand_as(pixels);
        var damaged = (swapped * pixels.gather(0, from)) + ((1 - swapped) * pixels);
        var features = batch.Encode(damaged);
        return Of(
            ("detection", binary_cross_entropy_with_logits(_detector.forward(features), mask.to(pixels.device))),
            ("reconstruction", (_decoder.forward(features) - pixels).square().mean() * _options.Reconstruction));

        Tensor Cells(long side) => (arange(side, ScalarType.Int64) * cells).div(side, RoundingMode.floor);
    }
}
