using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Tells what small photographs show by the patches that they are made of; learns by statistics, without gradients.</summary>
/// <remarks>
/// Whitened patches are compared with a dictionary of others and the answers averaged over a 3x3 grid (Coates and Ng 2011,
/// "The Importance of Encoding Versus Training", section 3; patches as the dictionary: Thiry et al. 2021), and over the sample
/// and its mirror image, which costs nothing but a dictionary that holds its own mirror images. A linear map then
/// keeps the directions in which samples differ most, measured by how far views of one sample differ: linear discriminant
/// analysis (Fisher 1936) with every sample as a class of its own. Both covariances are means over the stream, so that the
/// order in which things come hardly matters and nothing is forgotten; objectives train what is behind the features only.
/// </remarks>
[Encoder(Name, LeastSide = LeastSide)]
public sealed class PatchEncoder : Encoder
{
    /// <summary>Its name in the catalogue.</summary>
    internal const string Name = "patches";

    /// <summary>Longest side that is looked at as it is.</summary>
    internal const int LargestSide = 32;

    /// <summary>Shortest side: three patches beside each other.</summary>
    internal const int LeastSide = 16;

    private const int FeatureWidth = 128;

    // 6 of 32 pixels: 4 lose 2 points of kNN on CIFAR-10. A stride of 1 instead of 2 costs four times as much.
    private const int Side = 6;
    private const int Stride = 2;
    private const int Words = 128;
    private const int MirroredWords = 2 * Words;

    // Quadrants instead of nine cells lose 2 points of kNN on CIFAR-10, although with twice the words.
    private const int Grid = 3;
    private const int Pooled = 2 * Words * Grid * Grid;

    // Coates and Ng's threshold.
    private const double Threshold = 0.25;

    // Of the patches' variance in a direction, in units of pixels' variance: what is weaker is noise, and is not blown up.
    private const double PatchFloor = 0.1;

    // Of the views' mean variance, added to each: on CIFAR-10 4 loses 1 to 3 points of kNN, and 1 one point of purity with 20 clusters.
    private const double ViewFloor = 0.15;

    // Directions count by this power of how far samples differ along them, measured by how far views do. 0 has a point more of kNN on CIFAR-10 and one less of purity, 0.5 loses two of kNN.
    private const double Emphasis = 0.25;

    // Added to each variance: a stream that has shown nothing yet has none. Those of CIFAR-10 are around 0.01.
    private const double Tiny = 1e-6;

    // The dictionary is drawn anew from each batch until so many samples were seen: a stream may begin with a single one.
    private const int FirstSamples = 256;

    // The map is fitted when twice as many samples were seen as at the last time, at the latest after so many.
    private const int FitEvery = 4096;

    // Orthogonal iterations a fit, which goes on from the last one.
    private const int Iterations = 4;

    // Past this many samples old ones fade, as those of InputStatistics do.
    private const int Memory = 100_000;

    private readonly Parameter _whitening;
    private readonly Parameter _words;
    private readonly Parameter _centre;
    private readonly Parameter _map;
    private Moments? _moments;

    /// <summary>With a random map and no dictionary yet.</summary>
    /// <param name="shape">Height and width of 16 pixels and more; sides above 32 are averaged down to 32.</param>
    public PatchEncoder(SampleShape shape)
        : base(Name)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var patch = shape.Channels * Side * Side;
        using var scope = NewDisposeScope();
        _whitening = Register(this, "whitening", zeros(patch, shape.Channels, Side, Side));
        _words = Register(this, "words", zeros(MirroredWords, patch, 1, 1));
        _centre = Register(this, "centre", zeros(Pooled));
        _map = Register(this, "map", randn(Pooled, FeatureWidth) / Math.Sqrt(Pooled));
    }

    /// <inheritdoc/>
    public override int Width => FeatureWidth;

    /// <inheritdoc/>
    public override bool LearnsByGradient => false;

    /// <inheritdoc/>
    public override nn.Module Memories => Averages;

    private Moments Averages => _moments ??= new Moments();

    /// <summary>Computes features.</summary>
    /// <param name="input">Normalised samples, [N, C, H, W], float32.</param>
    /// <returns>[N, 128], float32, not normalised, without gradient.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return Pool(input).sub_(_centre).matmul(_map).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Watch(Tensor samples, Tensor viewA, Tensor viewB)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var moments = Averages;
        var fresh = viewA.shape[0];
        var seen = moments.Seen;
        if (seen < FirstSamples)
        {
            DrawWords(Shrink(samples));
            moments.Count(Math.Min(seen + fresh, FirstSamples));
            return;
        }

        var (pooled, a, b) = (Pool(samples.narrow(0, 0, fresh)), Pool(viewA), Pool(viewB));
        seen += fresh;
        moments.Count(seen);
        moments.Add(pooled, a - b, (double)fresh / Math.Min(seen - FirstSamples, Memory));
        if (seen >= Math.Min(2 * moments.Fitted, moments.Fitted + FitEvery))
        {
            Fit(moments);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _whitening.Dispose();
            _words.Dispose();
            _centre.Dispose();
            _map.Dispose();
            _moments?.Dispose();
        }

        base.Dispose(disposing);
    }

    // A parameter that no gradient moves.
    private static Parameter Register(nn.Module module, string name, Tensor value)
    {
        var parameter = new Parameter(value, requires_grad: false);
        parameter.DetachFromDisposeScope();
        module.register_parameter(name, parameter);
        return parameter;
    }

    // [N, C, H, W] -> [N, C, min(H, 32), min(W, 32)].
    private static Tensor Shrink(Tensor samples)
    {
        var (height, width) = (samples.shape[2], samples.shape[3]);
        return Math.Max(height, width) <= LargestSide
            ? samples
            : nn.functional.adaptive_avg_pool2d(samples, [Math.Min(height, LargestSide), Math.Min(width, LargestSide)]);
    }

    // [N, C, H, W] -> [N, 2304], float32: how strongly each word, and its negative, answers in each cell, in either of two mirrors.
    private Tensor Pool(Tensor input)
    {
        using var scope = NewDisposeScope();
        var patches = nn.functional.conv2d(
            Shrink(input).to_type(ComputeType), _whitening.to_type(ComputeType), strides: [Stride, Stride], padding: [(Side / 2) - 1, (Side / 2) - 1]);
        var answers = nn.functional.conv2d(nn.functional.normalize(patches, 2, dim: 1), _words.to_type(ComputeType));
        var strengths = cat([(answers - Threshold).relu_(), (-answers - Threshold).relu_()], 1);

        // [N, sign, mirrored, word, down, across]
        var cells = nn.functional.adaptive_avg_pool2d(strengths, [Grid, Grid]).to_type(ScalarType.Float32).view(-1, 2, 2, Words, Grid, Grid);
        var both = (cells.select(2, 0) + cells.select(2, 1).flip(4)).div_(2);

        // The root: a word that fills a cell tells little more than one that is there.
        return both.sqrt_().flatten(1).MoveToOuterDisposeScope();
    }

    // Whitening and dictionary from the patches of [N, C, H, W].
    private void DrawWords(Tensor samples)
    {
        var patches = nn.functional.unfold(samples, Side, stride: Stride).transpose(1, 2).reshape(-1, _whitening.shape[0]);

        // Light and contrast of a patch are taken out; the floor keeps an even patch even.
        patches = patches - patches.mean([1], keepdim: true);
        patches = patches / (patches.square().mean([1], keepdim: true).sqrt() + PatchFloor);
        Tensor Mirrored(Tensor rows) => rows.view(-1, _whitening.shape[1], Side, Side).flip(3).reshape(rows.shape);
        var shown = patches.shape[0];
        patches = cat([patches, Mirrored(patches)]);
        var mean = patches.mean([0]);
        var covariance = (patches - mean).t().matmul(patches - mean) / patches.shape[0];
        var (variances, directions) = linalg.eigh(covariance);
        var whitening = (directions / (variances + PatchFloor).sqrt()).matmul(directions.t());

        // The same first samples give the same words.
        using var generator = new Generator(0, samples.device);
        var drawn = (rand([Words], generator: generator, device: samples.device) * shown).to_type(ScalarType.Int64);
        var words = (patches.index_select(0, drawn) - mean).matmul(whitening);
        _words.copy_(nn.functional.normalize(cat([words, Mirrored(words)]), 2, dim: 1).view(_words.shape));

        // Taking out a patch's mean is linear, too: columns that sum to 0.
        _whitening.copy_((whitening - whitening.mean([0], keepdim: true)).t().reshape(_whitening.shape));
    }

    // The map whose columns are the leading eigenvectors of the samples' covariance, measured in that of their views.
    private void Fit(Moments moments)
    {
        var views = moments.Views + (eye(Pooled, device: _map.device) * ((moments.Views.diagonal().mean() * ViewFloor) + Tiny));
        var root = linalg.cholesky(views);
        var inverse = linalg.inv(root);
        var samples = moments.Square - outer(moments.Mean, moments.Mean);

        // Directions in coordinates where views differ by 1 in each.
        var directions = root.t().matmul(_map);
        for (var i = 0; i < Iterations; i++)
        {
            var (orthogonal, _) = linalg.qr(directions);
            directions = inverse.matmul(samples.matmul(inverse.t().matmul(orthogonal)));
        }

        var (leading, triangle) = linalg.qr(directions);
        _map.copy_(inverse.t().matmul(leading) * triangle.diagonal().abs().pow(Emphasis));
        _centre.copy_(moments.Mean);
        moments.Fitted = moments.Seen;
    }

    // What was seen so far, in averages over the stream.
    private sealed class Moments : nn.Module
    {
        private readonly Parameter _counts;

        public Moments()
            : base("moments")
        {
            using var scope = NewDisposeScope();
            _counts = Register(this, "counts", zeros(2, ScalarType.Float64));
            Mean = Register(this, "mean", zeros(Pooled));
            Square = Register(this, "square", zeros(Pooled, Pooled));
            Views = Register(this, "views", zeros(Pooled, Pooled));
        }

        // Of pooled samples, [W].
        public Parameter Mean { get; }

        // The mean outer product of pooled samples, [W, W].
        public Parameter Square { get; }

        // Half the mean outer product of what two views of a sample differ by, [W, W].
        public Parameter Views { get; }

        // Samples watched.
        public double Seen => _counts[0].item<double>();

        // Samples that had been watched at the last fit.
        public double Fitted
        {
            get => _counts[1].item<double>();
            set => _counts[1] = tensor(value);
        }

        public void Count(double seen) => _counts[0] = tensor(seen);

        // Pooled samples and what their views differ by, [n, W] each; share is how much they count from now on.
        public void Add(Tensor pooled, Tensor difference, double share)
        {
            var weight = tensor((float)share, device: pooled.device);
            Mean.lerp_(pooled.mean([0]), weight);
            Square.lerp_(pooled.t().matmul(pooled) / pooled.shape[0], weight);
            Views.lerp_(difference.t().matmul(difference) / (2 * pooled.shape[0]), weight);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _counts.Dispose();
                Mean.Dispose();
                Square.Dispose();
                Views.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
