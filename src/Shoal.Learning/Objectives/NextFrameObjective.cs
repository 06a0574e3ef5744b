using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>From the slices of a sample so far, what does the next one look like?</summary>
/// <remarks>
/// Srivastava et al. 2015, "Unsupervised Learning of Video Representations using LSTMs", section 2.3, the future predictor, one step ahead at a time: the squared error between slice t + 1 and what a decoder makes of
/// a recurrence over the features of slices 1 to t, here its mean over pixels. The recurrence is a GRU. A sample is read from left to right: of a spectrogram that is time.
/// </remarks>
[Objective("nextframe", Family = ObjectiveFamily.Sequence, Source = "Srivastava et al. 2015, Video Representations using LSTMs, section 2.3", Needs = ObjectiveNeeds.Samples, LeastSide = Slices.LeastWidth)]
public sealed class NextFrameObjective : PretextObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _context;
    private readonly nn.Module<Tensor, Tensor> _decoder;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    public NextFrameObjective(int featureWidth, SampleShape shape)
        : this(featureWidth, shape, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="shape">The shape of samples.</param>
    /// <param name="options">Settings.</param>
    public NextFrameObjective(int featureWidth, SampleShape shape, Options options)
        : base("nextframe")
    {
        ArgumentNullException.ThrowIfNull(shape);
        _options = ObjectiveOptions.Checked(options);
        _context = Networks.Learned("context", new Recurrence(featureWidth, options.Width));
        _decoder = Networks.Learned("decoder", new Decoder(options.Width, shape.Channels, shape.Height, Frame(shape.Width)));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are cut; 2 to 4,096.</summary>
        /// <value>48: as many slices as a step has samples.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 48;

        /// <summary>Slices of a sample, side by side without overlap, so that the next one is never seen; 3 to 16.</summary>
        /// <value>6.</value>
        [Range(3, 16)]
        public int Slices { get; init; } = 6;

        /// <summary>The context's width; 8 to 1,024.</summary>
        /// <value>128: half the feature's.</value>
        [Range(8, 1024)]
        public int Width { get; init; } = 128;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var (samples, before) = (pixels.shape[0], _options.Slices - 1);
        var frame = Frame((int)pixels.shape[3]);

        // [M, T, C, H, frame]; each is widened by itself, so that none shows an edge of the next.
        var frames = stack([.. Enumerable.Range(0, _options.Slices).Select(time => pixels.narrow(3, time * frame, frame))], 1);
        var shown = nn.functional.interpolate(frames.narrow(1, 0, before).flatten(0, 1), [pixels.shape[2], pixels.shape[3]], mode: InterpolationMode.Bilinear, align_corners: false);
        var made = _decoder.forward(_context.forward(batch.Encode(shown).view(samples, before, -1)).flatten(0, 1));
        return Of(("frame", (made - frames.narrow(1, 1, before).flatten(0, 1)).square().mean()));
    }

    private int Frame(int width) => Math.Max(1, width / _options.Slices);
}
