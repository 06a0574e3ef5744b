using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>A student foretells from one view what a teacher, its momentum twin, makes of the other: a distribution over many outputs.</summary>
/// <remarks>
/// Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers", eq. 1 to 4 and algorithm 1, for two views:
/// L = -½ mean (Σ_k P_t(A)_k · log P_s(B)_k + the same from B to A), P_s = softmax(g_s/τ_s), P_t = softmax((g_t - c)/τ_t). Where views have small crops, the student
/// foretells both views from each of them, too (eq. 3), and L is the mean over all pairs. The centre c is a mean over batches
/// of g_t, c = m·c + (1 - m)·mean g_t, and keeps one output from taking all; the low τ_t keeps outputs from becoming all alike.
/// The head is the paper's (appendix C): three layers with GELU, a bottleneck of length 1, and a linear layer whose rows are of length 1. Hidden layers have the BatchNorm that the paper leaves
/// out because transformers have none: the features of a ConvNet have much in common, and without it all outputs of the teacher become alike within 200 steps.
/// </remarks>
[Objective("dino", Family = ObjectiveFamily.Clustering, Source = "Caron et al. 2021, DINO, eq. 1 to 4 and algorithm 1", Needs = ObjectiveNeeds.KeyEncoder | ObjectiveNeeds.Crops)]
public sealed class DinoObjective : ViewObjective
{
    private const string Centre = "centre";

    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _student;
    private readonly nn.Module<Tensor, Tensor> _teacher;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public DinoObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public DinoObjective(int featureWidth, Options options)
        : base("dino")
    {
        _options = ObjectiveOptions.Checked(options);
        _student = Networks.Learned("student", new Head(featureWidth, options));
        _teacher = Networks.Following("teacher", new Head(featureWidth, options), _student);
        Networks.Averaged(Centre, zeros(options.Outputs), options.CentreMomentum);
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>τ_s; 0.01 to 10.</summary>
        /// <value>0.1, the paper's.</value>
        [Range(0.01, 10.0)]
        public double StudentTemperature { get; init; } = 0.1;

        /// <summary>τ_t; 0.01 to 10.</summary>
        /// <value>0.04, where the paper begins; it goes up to 0.07 in 30 epochs, which a stream does not have.</value>
        [Range(0.01, 10.0)]
        public double TeacherTemperature { get; init; } = 0.04;

        /// <summary>m, how much of the centre stays at every step; 0 to 1.</summary>
        /// <value>0.9, the paper's.</value>
        [Range(0.0, 1.0)]
        public double CentreMomentum { get; init; } = 0.9;

        /// <summary>K; 2 to 65,536.</summary>
        /// <value>1,024; the paper's 65,536 is for a million images.</value>
        [Range(2, 65536)]
        public int Outputs { get; init; } = 1024;

        /// <summary>The width of the bottleneck; 8 to 4,096.</summary>
        /// <value>128: a quarter of the hidden layers; the paper's 256 is an eighth.</value>
        [Range(8, 4096)]
        public int Bottleneck { get; init; } = 128;

        /// <summary>The width of hidden layers; 8 to 8,192.</summary>
        /// <value>512: twice the feature's width; the paper has 2,048 for 384.</value>
        [Range(8, 8192)]
        public int Hidden { get; init; } = 512;
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var student = features.Through(_student);
        var teacher = Views.Of(batch.KeyFeatures).ThroughStopped(_teacher);
        var centre = Networks.get_buffer(Centre)!;
        Tensor Foretold(Tensor taught, Tensor teaching)
        {
            var target = softmax((teaching - centre) / _options.TeacherTemperature, 1);
            return (target * log_softmax(taught / _options.StudentTemperature, 1)).sum(1).mean();
        }

        Networks.See(Centre, cat([teacher.A, teacher.B]).mean([0]));
        Tensor[] crops = Array.ConvertAll(batch.Crops(), _student.forward);
        var agreement = crops.Aggregate(
            Foretold(student.B, teacher.A) + Foretold(student.A, teacher.B),
            (sum, crop) => sum + Foretold(crop, teacher.A) + Foretold(crop, teacher.B));
        return Of(("distillation", agreement / (-2 * (1 + crops.Length))));
    }

    private sealed class Head : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _layers;
        private readonly Parameter _outputs;

        public Head(long features, Options options)
            : base("head")
        {
            _layers = nn.Sequential([.. Hidden(features), .. Hidden(options.Hidden), nn.Linear(options.Hidden, options.Bottleneck)]);
            _outputs = new Parameter(randn(options.Outputs, options.Bottleneck) / Math.Sqrt(options.Bottleneck));
            _outputs.DetachFromDisposeScope();
            register_module("layers", _layers);
            register_parameter("outputs", _outputs);

            nn.Module<Tensor, Tensor>[] Hidden(long inputs) =>
                [nn.Linear(inputs, options.Hidden, hasBias: false), nn.BatchNorm1d(options.Hidden, track_running_stats: false), nn.GELU()];
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var bottleneck = normalize(_layers.forward(input), 2, dim: 1);
            return bottleneck.matmul(normalize(_outputs, 2, dim: 1).t()).MoveToOuterDisposeScope();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _layers.Dispose();
                _outputs.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
