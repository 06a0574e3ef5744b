using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What was in the middle of a sample that was taken out?</summary>
/// <remarks>
/// Pathak et al. 2016, "Context Encoders: Feature Learning by Inpainting", eq. 1: L_rec = ‖M̂ ⊙ (x - F((1 - M̂) ⊙ x))‖², where M̂ is 1 in the central region that is taken out and
/// F is a decoder of the features; here the mean over the region's pixels. What is taken out is filled with the samples' mean. The paper's second, adversarial term
/// makes fillings sharp and is no part of it here.
/// </remarks>
[Objective("contextencoder", Family = ObjectiveFamily.Pretext, Source = "Pathak et al. 2016, Context Encoders, eq. 1", Needs = ObjectiveNeeds.Samples)]
public sealed class ContextEncoderObjective : PretextObjective
{
    private readonly Options _options;
    private readonly int _height;
    private readonly int _width;
    private readonly nn.Module<Tensor, Tensor> _decoder;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    public ContextEncoderObjective(int featureWidth, SampleShape shape)
        : this(featureWidth, shape, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    /// <param name="options">Settings.</param>
    public ContextEncoderObjective(int featureWidth, SampleShape shape, Options options)
        : base("contextencoder")
    {
        ArgumentNullException.ThrowIfNull(shape);
        _options = ObjectiveOptions.Checked(options);
        (_height, _width) = ((int)Math.Round(shape.Height * options.Side), (int)Math.Round(shape.Width * options.Side));
        _decoder = Networks.Learned("decoder", new Decoder(featureWidth, shape.Channels, _height, _width));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are asked about; 2 to 4,096.</summary>
        /// <value>288: a whole step.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 288;

        /// <summary>The side of what is taken out as a share of the sample's; 0.25 to 0.75.</summary>
        /// <value>0.5, the paper's.</value>
        [Range(0.25, 0.75)]
        public double Side { get; init; } = 0.5;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        Tensor Region(Tensor pictures) => pictures.narrow(2, (pictures.shape[2] - _height) / 2, _height).narrow(3, (pictures.shape[3] - _width) / 2, _width);
        var context = pixels.clone();
        var region = Region(context);
        region.copy_(pixels.mean([0, 2, 3], keepdim: true).expand_as(region));
        return Of(("inpainting", (_decoder.forward(batch.Encode(context)) - Region(pixels)).square().mean()));
    }
}
