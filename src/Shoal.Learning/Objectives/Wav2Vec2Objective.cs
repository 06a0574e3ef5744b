using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Which of the sounds of a sample, in words of a learned alphabet, belongs where it was masked?</summary>
/// <remarks>
/// Baevski et al. 2020, "wav2vec 2.0", eq. 1 to 4. Spans of the encoder's latents are masked, by a learned vector in their place, and a transformer makes contexts c_t of all; of each latent z_t a product
/// quantiser chooses one of V words in each of G groups by Gumbel softmax, straight through, which side by side are q_t. The loss is the mean over masked t of -log(exp(sim(c_t, q_t)/κ) / Σ_q̃ exp(sim(c_t, q̃)/κ)),
/// where sim is the cosine and q̃ are q_t and those of all masked places of the sample whose words are others, and α/(GV) Σ_g Σ_v p̄_gv·log p̄_gv, where p̄ is the mean of the choice's probabilities over the step: all words are used. Needs an encoder
/// that has latents: <c>waveform</c>.
/// </remarks>
[Objective(
    "wav2vec2",
    Family = ObjectiveFamily.Sequence,
    Source = "Baevski et al. 2020, wav2vec 2.0, eq. 1 to 4",
    Needs = ObjectiveNeeds.Samples,
    NeedsLatents = true)]
public sealed class Wav2Vec2Objective : PretextObjective
{
    private const int Heads = 4;

    // Keeps logarithms finite.
    private const double LeastChance = 1e-7;

    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _norm;
    private readonly nn.Module<Tensor, Tensor> _embedding;
    private readonly nn.Module<Tensor, Tensor> _places;
    private readonly nn.Module<Tensor, Tensor> _context;
    private readonly nn.Module<Tensor, Tensor> _answer;
    private readonly nn.Module<Tensor, Tensor> _choice;
    private readonly Parameter _words;
    private readonly Parameter _hidden;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public Wav2Vec2Objective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public Wav2Vec2Objective(int featureWidth, Options options)
        : base("wav2vec2")
    {
        _options = ObjectiveOptions.Checked(options);
        var width = options.Width * Heads;
        _norm = Networks.Learned("norm", nn.LayerNorm(featureWidth));
        _embedding = Networks.Learned("embedding", nn.Linear(featureWidth, width));
        _places = Networks.Learned("places", new RelativePlaces(width, options.Reach));
        _context = Networks.Learned("context", nn.Sequential(
            [.. Enumerable.Range(0, options.Blocks).Select(_ => new TransformerBlock(width, Heads)), nn.LayerNorm(width)]));
        _answer = Networks.Learned("answer", nn.Linear(width, options.Groups * options.WordWidth));
        _choice = Networks.Learned("choice", Decided(nn.Linear(featureWidth, (long)options.Groups * options.Words)));
        _words = Networks.Learned("words", randn(options.Groups, options.Words, options.WordWidth));
        _hidden = Networks.Learned("hidden", rand(width));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are asked about; 2 to 4,096.</summary>
        /// <value>48.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 48;

        /// <summary>The share of places at which a masked span begins; 0.01 to 0.5.</summary>
        /// <value>0.13: with spans of 5 half of the places are masked, as in the paper.</value>
        [Range(0.01, 0.5)]
        public double Starts { get; init; } = 0.13;

        /// <summary>Places of a span; 1 to 64. Spans may overlap.</summary>
        /// <value>5: 100 ms at 8,000 values a second; the paper has 10, of 20 ms each.</value>
        [Range(1, 64)]
        public int Span { get; init; } = 5;

        /// <summary>G, groups of words; 1 to 8.</summary>
        /// <value>2, the paper's.</value>
        [Range(1, 8)]
        public int Groups { get; init; } = 2;

        /// <summary>V, words of a group; 2 to 1,024.</summary>
        /// <value>40: 1,600 pairs; the paper has 320 for 960 hours of speech.</value>
        [Range(2, 1024)]
        public int Words { get; init; } = 40;

        /// <summary>Width of a word; 2 to 512.</summary>
        /// <value>32: 64 of both groups; the paper has 128.</value>
        [Range(2, 512)]
        public int WordWidth { get; init; } = 32;

        /// <summary>κ, the temperature of cosines; 0.01 to 10.</summary>
        /// <value>0.1, the paper's.</value>
        [Range(0.01, 10)]
        public double Temperature { get; init; } = 0.1;

        /// <summary>τ, the temperature of the choice of words; 0.1 to 10.</summary>
        /// <value>1: the paper's goes down from 2 to 0.5, which a stream has no end for.</value>
        [Range(0.1, 10)]
        public double Softness { get; init; } = 1;

        /// <summary>α, the weight of the use of all words; 0 to 1,000.</summary>
        /// <value>10: by eq. 4 the term is 0.1 at most, and with the paper's 0.1 it would be without effect.</value>
        [Range(0, 1000)]
        public double Diversity { get; init; } = 10;

        /// <summary>Places that tell where one is, those on both sides and itself together; 1 to 255.</summary>
        /// <value>15; the paper has 128.</value>
        [Range(1, 255)]
        public int Reach { get; init; } = 15;

        /// <summary>Blocks of the transformer; 1 to 12.</summary>
        /// <value>2; the paper has 12.</value>
        [Range(1, 12)]
        public int Blocks { get; init; } = 2;

        /// <summary>The transformer's width for each of its four heads; 4 to 256.</summary>
        /// <value>32: 128 in all, half the feature's.</value>
        [Range(4, 256)]
        public int Width { get; init; } = 32;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var latents = _norm.forward(batch.EncodeLatents!(pixels));
        var (samples, places) = (latents.shape[0], latents.shape[1]);
        var masked = Masked(samples, places, generator).to(pixels.device);
        var known = where(masked.unsqueeze(2), _hidden.view(1, 1, -1), _embedding.forward(latents));
        var contexts = normalize(_answer.forward(_context.forward(known + _places.forward(known))), 2, dim: 2);

        // [M, T, G, V].
        var logits = _choice.forward(latents).view(samples, places, _options.Groups, _options.Words);
        var (words, quantised) = Quantised(logits, generator);
        var targets = normalize(quantised, 2, dim: 2);

        // [M, T, T]: each context against the targets of all masked places. Of the same words none is told from the other: in silence all are the same.
        var scores = contexts.matmul(targets.transpose(1, 2)) / _options.Temperature;
        var differ = words.unsqueeze(2).not_equal(words.unsqueeze(1)).any(3);
        var asked = masked.unsqueeze(1).logical_and(differ).logical_or(eye(places, dtype: ScalarType.Bool, device: pixels.device));
        var choice = scores.masked_fill(asked.logical_not(), float.NegativeInfinity).logsumexp(2) - scores.diagonal(0, 1, 2);
        var used = logits.softmax(3).mean([0, 1]);
        return Of(
            ("contrast", choice.masked_select(masked).mean()),
            ("diversity", (used * (used + LeastChance).log()).sum() * (_options.Diversity / (_options.Groups * _options.Words))));
    }

    // Weights so large that noise hardly changes a choice: of words that are drawn by chance no context could tell the right one.
    private static Linear Decided(Linear choice)
    {
        nn.init.normal_(choice.weight, 0, 1);
        nn.init.zeros_(choice.bias!);
        return choice;
    }

    // Which words are chosen, [M, T, G], and they themselves, [M, T, G·W]: what is computed of them is as if chosen outright, gradients are as if by probabilities.
    private (Tensor Chosen, Tensor Words) Quantised(Tensor logits, Generator generator)
    {
        var noise = -(-rand(logits.shape, generator: generator).clamp(LeastChance, 1 - LeastChance).log()).log();
        var soft = ((logits + noise.to(logits.device)) / _options.Softness).softmax(3);
        var chosen = soft.argmax(3);
        var through = one_hot(chosen, _options.Words).to_type(ScalarType.Float32) - soft.detach() + soft;
        return (chosen, einsum("mtgv,gvw->mtgw", through, _words).flatten(2));
    }

    // [M, T], bool: spans that begin at random places, as many in each sample.
    private Tensor Masked(long samples, long places, Generator generator)
    {
        var span = Math.Min(_options.Span, places - 1);
        var begins = places - span + 1;
        var starts = rand([samples, begins], generator: generator).argsort(1).narrow(1, 0, Math.Clamp((long)Math.Round(_options.Starts * places), 1, begins));
        var spans = (starts.unsqueeze(2) + arange(span, ScalarType.Int64).view(1, 1, -1)).flatten(1);
        return zeros(samples, places).scatter(1, spans, ones(spans.shape)).gt(0);
    }
}

/// <summary>Where a place is, told by those around it: a convolution within groups of channels, and GELU.</summary>
/// <remarks>Baevski et al. 2020, section 2, after Mohamed et al. 2019: in place of fixed positions.</remarks>
internal sealed class RelativePlaces : nn.Module<Tensor, Tensor>
{
    // Of a transformer's four heads every width is a multiple.
    private const int Group = 4;

    private readonly nn.Module<Tensor, Tensor> _convolution;

    /// <summary>With fresh weights.</summary>
    /// <param name="width">D, a multiple of 4.</param>
    /// <param name="reach">Places that are seen.</param>
    public RelativePlaces(int width, int reach)
        : base("places")
    {
        _convolution = nn.Conv1d(width, width, reach, padding: reach / 2, groups: width / Group);
        RegisterComponents();
    }

    /// <summary>Computes what is added to places.</summary>
    /// <param name="input">[M, T, D].</param>
    /// <returns>[M, T, D].</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var seen = gelu(_convolution.forward(input.transpose(1, 2))).transpose(1, 2);

        // An even reach would see one place more than there are.
        return seen.narrow(1, 0, input.shape[1]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _convolution.Dispose();
        }

        base.Dispose(disposing);
    }
}
