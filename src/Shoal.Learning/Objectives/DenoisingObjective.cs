using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What was a sample before some of its pixels were destroyed?</summary>
/// <remarks>
/// Vincent et al. 2008, "Extracting and Composing Robust Features with Denoising Autoencoders", section 2.3: of each sample a share ν of the pixels, drawn at random, is set to 0, and the
/// whole sample is made again from the features of what is left. Their loss is that of section 2.1 for real values, the squared error ‖x - z‖², here its mean over pixels.
/// All channels of a pixel are destroyed together.
/// </remarks>
[Objective("denoising", Family = ObjectiveFamily.Pretext, Source = "Vincent et al. 2008, Denoising Autoencoders, sections 2.1 and 2.3", Needs = ObjectiveNeeds.Samples)]
public sealed class DenoisingObjective : PretextObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _decoder;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    public DenoisingObjective(int featureWidth, SampleShape shape)
        : this(featureWidth, shape, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    /// <param name="options">Settings.</param>
    public DenoisingObjective(int featureWidth, SampleShape shape, Options options)
        : base("denoising")
    {
        ArgumentNullException.ThrowIfNull(shape);
        _options = ObjectiveOptions.Checked(options);
        _decoder = Networks.Learned("decoder", new Decoder(featureWidth, shape.Channels, shape.Height, shape.Width));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are damaged; 2 to 4,096.</summary>
        /// <value>288: a whole step.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 288;

        /// <summary>ν, the share of pixels that are set to 0; 0.01 to 0.95.</summary>
        /// <value>0.25, which the paper draws its filters for.</value>
        [Range(0.01, 0.95)]
        public double Destroyed { get; init; } = 0.25;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        // Exactly that share of each: those whose random numbers are the lowest.
        var (samples, places) = (pixels.shape[0], pixels.shape[2] * pixels.shape[3]);
        var destroyed = rand([samples, places], generator: generator).argsort(1).narrow(1, 0, (long)Math.Round(places * _options.Destroyed));
        var kept = ones(samples, places).scatter_(1, destroyed, zeros(samples, destroyed.shape[1])).view(samples, 1, pixels.shape[2], pixels.shape[3]).to(pixels.device);
        return Of(("reconstruction", (_decoder.forward(batch.Encode(pixels * kept)) - pixels).square().mean()));
    }
}
