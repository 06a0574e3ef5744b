using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>From the slices of a sample so far, which slice of the batch comes next, and which after that?</summary>
/// <remarks>
/// Van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding", eq. 3 and 4: z_t are features of slice t, c_t is a GRU over z_1 to z_t, f_k(z, c_t) = exp(zᵀW_k·c_t), and
/// L is the mean over t and over k = 1 to K of -log(f_k(z_{t+k}, c_t) / Σ_j f_k(z_j, c_t)), where z_j are the slices t+k of all samples that are asked about. A sample is read from left to
/// right: of a spectrogram that is time.
/// </remarks>
[Objective("cpc", Family = ObjectiveFamily.Sequence, Source = "van den Oord et al. 2018, Contrastive Predictive Coding, eq. 3 and 4", Needs = ObjectiveNeeds.Samples, LeastSide = Slices.LeastWidth)]
public sealed class CpcObjective : PretextObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _context;
    private readonly nn.Module<Tensor, Tensor>[] _predictors;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public CpcObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public CpcObjective(int featureWidth, Options options)
        : base("cpc")
    {
        _options = ObjectiveOptions.Checked(options);
        _context = Networks.Learned("context", new Recurrence(featureWidth, options.Width));
        _predictors = [.. Enumerable.Range(1, options.Ahead).Select(k => Networks.Learned($"predictor{k}", nn.Linear(options.Width, featureWidth, hasBias: false)))];
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are cut; 2 to 4,096.</summary>
        /// <value>48: as many slices as a step has samples.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 48;

        /// <summary>Slices of a sample; 4 to 32.</summary>
        /// <value>6.</value>
        [Range(4, 32)]
        public int Slices { get; init; } = 6;

        /// <summary>A slice's width as a share of the sample's; 0.05 to 0.5.</summary>
        /// <value>0.25: each shows half of what the one before did, as the paper's patches do.</value>
        [Range(0.05, 0.5)]
        public double Share { get; init; } = 0.25;

        /// <summary>K, how many slices ahead; 1 to 3.</summary>
        /// <value>3: half of the slices; the paper has 12 of 128 for speech.</value>
        [Range(1, 3)]
        public int Ahead { get; init; } = 3;

        /// <summary>The context's width; 8 to 1,024.</summary>
        /// <value>128: half the feature's; so has the paper, 256 for 512.</value>
        [Range(8, 1024)]
        public int Width { get; init; } = 128;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var (samples, keys) = (pixels.shape[0], batch.Samples.index_select(0, rows));
        var latents = batch.Encode(Slices.InOrder(pixels, _options.Slices, _options.Share)).view(samples, _options.Slices, -1);
        var contexts = _context.forward(latents);
        var losses = new List<Tensor>();
        foreach (var (ahead, predictor) in _predictors.Index())
        {
            for (var time = 0; time + ahead + 1 < _options.Slices; time++)
            {
                losses.Add(InBatch.Choice(predictor.forward(contexts.select(1, time)).matmul(latents.select(1, time + ahead + 1).t()), keys));
            }
        }

        return Of(("contrast", stack(losses).mean()));
    }
}
