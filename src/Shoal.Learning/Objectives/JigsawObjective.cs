using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>In which order are the nine pieces of a sample?</summary>
/// <remarks>
/// Noroozi and Favaro 2016, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles", sections 3.2 to 3.4: each piece goes through the encoder and a layer
/// of its own, all nine together through a classifier of P orders, and the loss is -log of the probability of the right one. A piece is smaller than its cell and lies in it at random, and has
/// the same mean and deviation as every other, so that neither edges nor light give the order away. Orders are chosen by <see cref="Permutations"/>.
/// </remarks>
[Objective(
    "jigsaw",
    Family = ObjectiveFamily.Pretext,
    Source = "Noroozi and Favaro 2016, Solving Jigsaw Puzzles, sections 3.2 to 3.4 and algorithm 1",
    Needs = ObjectiveNeeds.Samples,
    LeastSide = Pieces.LeastSide,
    OnlyImages = "bands look as they do at their height whatever is heard, so that a piece of a spectrogram shows where it lay")]
public sealed class JigsawObjective : PretextObjective
{
    private readonly Options _options;
    private readonly Tensor _orders;
    private readonly nn.Module<Tensor, Tensor> _piece;
    private readonly nn.Module<Tensor, Tensor> _classifier;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public JigsawObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public JigsawObjective(int featureWidth, Options options)
        : base("jigsaw")
    {
        _options = ObjectiveOptions.Checked(options);
        _orders = tensor(Permutations.Of(options.Orders).SelectMany(order => order, (_, piece) => (long)piece).ToArray()).view(options.Orders, Pieces.Count).DetachFromDisposeScope();
        _piece = Networks.Learned("piece", Mlp.Plain(featureWidth, options.Width));
        _classifier = Networks.Learned("classifier", Mlp.Normed([Pieces.Count * options.Width, options.Hidden, options.Orders]));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Samples of a step that are cut, each into nine pieces; 2 to 4,096.</summary>
        /// <value>32: as many pieces as a step has samples.</value>
        [Range(2, 4096)]
        public int Images { get; init; } = 32;

        /// <summary>P, the orders that are told apart; 2 to 100.</summary>
        /// <value>64: the fewest that the paper tries; with its 1,000 learning takes longer.</value>
        [Range(2, Permutations.Most)]
        public int Orders { get; init; } = 64;

        /// <summary>The side of a piece as a share of its cell's; 0.3 to 1.</summary>
        /// <value>0.5; the paper has 64 of 75 pixels, 0.85. Of images of 32 pixels such pieces often touch, and what continues from one to the next gives the order away: what was learned in 500 steps was gone after 900.</value>
        [Range(0.3, 1.0)]
        public double Share { get; init; } = 0.5;

        /// <summary>The width of what each piece is brought to before all are looked at together; 8 to 1,024.</summary>
        /// <value>64; the paper has 512 for features of 2,304.</value>
        [Range(8, 1024)]
        public int Width { get; init; } = 64;

        /// <summary>The width of the classifier's hidden layer; 8 to 8,192.</summary>
        /// <value>256; the paper has 4,096.</value>
        [Range(8, 8192)]
        public int Hidden { get; init; } = 256;
    }

    private protected override int Images => _options.Images;

    private protected override ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator)
    {
        var samples = pixels.shape[0];
        var answers = randint(_options.Orders, [samples], generator: generator, dtype: ScalarType.Int64);

        var pieces = Pieces.Standardised(Pieces.Cut(pixels, _orders.index_select(0, answers), _options.Share, generator));
        var together = _piece.forward(batch.Encode(pieces)).view(samples, -1);
        return Of(("order", cross_entropy(_classifier.forward(together), answers.to(pixels.device))));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _orders.Dispose();
        }

        base.Dispose(disposing);
    }
}
