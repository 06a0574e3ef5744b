using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>What colours had a sample that is seen in grey?</summary>
/// <remarks>
/// Zhang et al. 2016, "Colorful Image Colorization", eq. 2 to 4: a* and b* are quantised to the Q points of a grid of step 10 that sRGB reaches (260; the paper's 313 reach further); each place's colour Z is spread over its five nearest points by
/// a Gaussian of σ = 5; L_cl = -Σ v(Z)·Σ_q Z_q·log Ẑ_q, here the mean over places, with v = w_q* of the nearest point and w ∝ ((1 - λ)·p̃ + λ/Q)^-1, Σ p̃·w = 1: rare colours
/// count for more. p̃ is the share of colours in this dataset, a mean over steps, where the paper counts ImageNet. Ẑ is a decoder's of the features of L* alone, in all channels.
/// </remarks>
[Objective(
    "colorization",
    Family = ObjectiveFamily.Pretext,
    Source = "Zhang et al. 2016, Colorful Image Colorization, eq. 2 to 4",
    Needs = ObjectiveNeeds.Samples,
    NeedsColour = true,
    OnlyImages = "a spectrogram has no colours")]
public sealed class ColorizationObjective : PretextObjective
{
    private const int Nearest = 5;
    private const float Sigma = 5;
    private const string Frequencies = "frequencies";

    // How many places colours are foretold for, along a side: a quarter of the paper's, from images of a seventh.
    private const int MostPlaces = 16;

    private readonly Options _options;
    private readonly int _height;
    private readonly int _width;
    private readonly nn.Module<Tensor, Tensor> _decoder;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    public ColorizationObjective(int featureWidth, SampleShape shape)
        : this(featureWidth, shape, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    /// <param name="options">Settings.</param>
    public ColorizationObjective(int featureWidth, SampleShape shape, Options options)
        : base("colorization")
    {
        ArgumentNullException.ThrowIfNull(shape);
        _options = ObjectiveOptions.Checked(options);
        (_height, _width) = (Math.Min(MostPlaces, shape.Height), Math.Min(MostPlaces, shape.Width));
        var colours = LabColours.Points.Length / 2;
        _decoder = Networks.Learned("decoder", new Decoder(featureWidth, colours, _height, _width));
        Networks.Averaged(Frequencies, full(colours, 1f / colours), options.FrequencyMomentum);
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are asked about; 2 to 4,096.</summary>
        /// <value>96: a score for each of 300 colours at 256 places takes time.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 96;

        /// <summary>λ, how far rare colours are from counting as much as all others together; 0.01 to 1.</summary>
        /// <value>0.5, the paper's.</value>
        [Range(0.01, 1.0)]
        public double Uniform { get; init; } = 0.5;

        /// <summary>How much of the shares of colours stays at every step; 0 to 1.</summary>
        /// <value>0.99: about the last hundred steps.</value>
        [Range(0.0, 1.0)]
        public double FrequencyMomentum { get; init; } = 0.99;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var lab = LabColours.Of(pixels);
        var grey = (lab.narrow(1, 0, 1) / 100).expand_as(pixels);
        var colours = adaptive_avg_pool2d(lab.narrow(1, 1, 2), [_height, _width]).permute(0, 2, 3, 1).reshape(-1, 2);
        var (target, nearest) = Spread(colours);

        // Merged replicas may have overshot: a share is never below 0.
        var frequencies = Networks.get_buffer(Frequencies)!.clamp_min(0);
        var weights = 1 / ((frequencies * (1 - _options.Uniform)) + (_options.Uniform / frequencies.shape[0]));
        weights = weights / (frequencies * weights).sum();

        Networks.See(Frequencies, target.mean([0]));
        var foretold = log_softmax(_decoder.forward(batch.Encode(grey)).permute(0, 2, 3, 1).reshape(-1, frequencies.shape[0]), 1);
        return Of(("colour", -((target * foretold).sum(1) * weights.index_select(0, nearest)).mean()));
    }

    // Of colours [P, 2]: their shares of grid points, [P, Q], and the nearest one, [P].
    private static (Tensor Shares, Tensor Nearest) Spread(Tensor colours)
    {
        var points = tensor(LabColours.Points, device: colours.device).view(-1, 2);
        var (distances, near) = (colours.unsqueeze(1) - points.unsqueeze(0)).square().sum(2).topk(Nearest, 1, largest: false, sorted: true);

        // Less the least: far from every point all five would be 0.
        var shares = softmax(-distances / (2 * Sigma * Sigma), 1);
        return (zeros(colours.shape[0], points.shape[0], device: colours.device).scatter_(1, near, shares), near.narrow(1, 0, 1).squeeze(1));
    }
}
