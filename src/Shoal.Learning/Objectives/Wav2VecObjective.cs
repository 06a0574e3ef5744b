using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>From what was heard so far, what is heard next, and not at some other time of the same sample?</summary>
/// <remarks>
/// Schneider et al. 2019, "wav2vec: Unsupervised Pre-training for Speech Recognition", eq. 1 and 2: z_i are the encoder's latents, c_i is a causal ConvNet over z_1 to z_i, h_k(c) = W_k·c + b_k, and the loss is the mean over
/// i and over k = 1 to K of -log σ(z_{i+k}·h_k(c_i)) - Σ_j log σ(-z̃_j·h_k(c_i)), where z̃_j are latents of other places of the same sample, all equally likely: λ is their number, as in the paper. Needs an
/// encoder that has latents: <c>waveform</c>.
/// </remarks>
[Objective(
    "wav2vec",
    Family = ObjectiveFamily.Sequence,
    Source = "Schneider et al. 2019, wav2vec, eq. 1 and 2",
    Needs = ObjectiveNeeds.Samples,
    NeedsLatents = true)]
public sealed class Wav2VecObjective : PretextObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _context;

    // All h_k side by side.
    private readonly nn.Module<Tensor, Tensor> _predictor;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public Wav2VecObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public Wav2VecObjective(int featureWidth, Options options)
        : base("wav2vec")
    {
        _options = ObjectiveOptions.Checked(options);
        _context = Networks.Learned("context", nn.Sequential(
            [.. Enumerable.Range(0, options.Layers).Select(layer => new CausalLayer(layer == 0 ? featureWidth : options.Width, options.Width, options.Kernel))]));
        _predictor = Networks.Learned("predictor", nn.Linear(options.Width, (long)options.Ahead * featureWidth));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are asked about; 2 to 4,096.</summary>
        /// <value>48.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 48;

        /// <summary>K, how many latents ahead; 1 to 64. Of a sample of fewer it is one less than they are.</summary>
        /// <value>12, the paper's.</value>
        [Range(1, 64)]
        public int Ahead { get; init; } = 12;

        /// <summary>Latents of other places that each is told from; 1 to 100.</summary>
        /// <value>10, the paper's.</value>
        [Range(1, 100)]
        public int Distractors { get; init; } = 10;

        /// <summary>Layers of the context network; 1 to 16.</summary>
        /// <value>4: the paper has nine, over recordings of whole sentences.</value>
        [Range(1, 16)]
        public int Layers { get; init; } = 4;

        /// <summary>Latents that a layer sees, up to its own; 1 to 16.</summary>
        /// <value>3, the paper's.</value>
        [Range(1, 16)]
        public int Kernel { get; init; } = 3;

        /// <summary>The context's width; 8 to 1,024.</summary>
        /// <value>128: half the feature's; the paper has 512 for both.</value>
        [Range(8, 1024)]
        public int Width { get; init; } = 128;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var latents = batch.EncodeLatents!(pixels);
        var (samples, places, width) = (latents.shape[0], latents.shape[1], latents.shape[2]);
        var foretold = _predictor.forward(_context.forward(latents)).view(samples, places, _options.Ahead, width);

        // For each place others of the sample, never itself: [M, T, J].
        var away = (rand([samples, places, _options.Distractors], generator: generator) * (places - 1)).floor().to_type(ScalarType.Int64) + 1;
        var others = ((arange(places, ScalarType.Int64).view(1, -1, 1) + away) % places).to(pixels.device);
        var losses = new List<Tensor>();
        for (var ahead = 1; ahead <= Math.Min(_options.Ahead, places - 1); ahead++)
        {
            // [M, T - k, T]: how well what is foretold of a place fits each latent.
            var known = places - ahead;
            var scores = foretold.select(2, ahead - 1).narrow(1, 0, known).matmul(latents.transpose(1, 2));
            var distracting = scores.gather(2, others.narrow(1, ahead, known));

            // -log σ(x) = softplus(-x).
            losses.Add(softplus(-scores.diagonal(ahead, 1, 2)).mean() + softplus(distracting).sum(2).mean());
        }

        return Of(("contrast", stack(losses).mean()));
    }
}

/// <summary>A convolution that sees a place and those before it, a norm over each place, and ReLU; added to its input where both are as wide.</summary>
/// <remarks>The context network of Schneider et al. 2019, section 3.2, whose norm is over all places of a sample, so that those to come have a part in it.</remarks>
internal sealed class CausalLayer : nn.Module<Tensor, Tensor>
{
    private readonly int _before;
    private readonly bool _isAdded;
    private readonly nn.Module<Tensor, Tensor> _convolution;
    private readonly nn.Module<Tensor, Tensor> _norm;

    /// <summary>With fresh weights.</summary>
    /// <param name="inputs">D.</param>
    /// <param name="outputs">H.</param>
    /// <param name="kernel">Places that it sees.</param>
    public CausalLayer(long inputs, long outputs, int kernel)
        : base("layer")
    {
        (_before, _isAdded) = (kernel - 1, inputs == outputs);
        _convolution = nn.Conv1d(inputs, outputs, kernel);
        _norm = nn.LayerNorm(outputs);
        RegisterComponents();
    }

    /// <summary>Computes contexts.</summary>
    /// <param name="input">[M, T, D].</param>
    /// <returns>[M, T, H].</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var seen = _convolution.forward(pad(input.transpose(1, 2), [_before, 0]));
        var output = _norm.forward(seen.transpose(1, 2)).relu();
        return (_isAdded ? output + input : output).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _convolution.Dispose();
            _norm.Dispose();
        }

        base.Dispose(disposing);
    }
}
