using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning.Tests;

/// <summary>Trains a small network by one objective alone, on vectors of a few kinds in two noisy views, and says how far what it learns is from being all alike.</summary>
internal sealed class CollapseTrial : IDisposable
{
    /// <summary>The width of features.</summary>
    public const int Width = 32;

    private const int Steps = 300;
    private const int Kinds = 8;
    private const int Inputs = 16;
    private const int Samples = 64;
    private const double Momentums = 0.99;

    private readonly nn.Module<Tensor, Tensor> _encoder;
    private readonly nn.Module<Tensor, Tensor> _keyEncoder;
    private readonly Generator _generator = new(11);
    private readonly int _threads = get_num_threads();

    public CollapseTrial()
    {
        // Small tensors: a second thread waits more than it works.
        set_num_threads(1);
        manual_seed(12);
        static nn.Module<Tensor, Tensor> Encoder() => nn.Sequential(nn.Linear(Inputs, 64), nn.ReLU(), nn.Linear(64, Width));
        (_encoder, _keyEncoder) = (Encoder(), Encoder());
        Momentum.Follow(_keyEncoder, _encoder, 0);
    }

    /// <summary>Takes 300 steps.</summary>
    /// <param name="objective">Its networks are trained beside the encoder.</param>
    /// <param name="network">The one whose outputs are looked at.</param>
    /// <param name="rate">The step size of AdamW.</param>
    /// <param name="loss">What is minimised; null for the objective itself.</param>
    /// <param name="seen">Told the network's outputs for the kinds at the end.</param>
    /// <returns>How far features, and the network's outputs, of the kinds lie apart: 1 where their directions are all around, 0 where they are all alike.</returns>
    public (double Features, double Outputs) Run(IObjective objective, string network, double rate, Func<StepBatch, Tensor>? loss = null, Action<Tensor>? seen = null)
    {
        using var scope = NewDisposeScope();
        loss ??= batch => objective.Compute(batch).Terms.Values.Single();
        var kinds = randn(Kinds, Inputs, generator: _generator);
        using var optimizer = new AdamW([.. Parameters("encoder.", _encoder), .. Parameters("own.", objective.Own)], 1e-4);
        for (var step = 0; step < Steps; step++)
        {
            using var stepScope = NewDisposeScope();
            loss(Batch(kinds)).backward();
            optimizer.Step(rate);
            Momentum.Follow(_keyEncoder, _encoder, Momentums);
            objective.AfterStep(Momentums);
        }

        using var noGrad = no_grad();
        var features = _encoder.forward(kinds);
        var outputs = Network(objective, network).forward(features);
        seen?.Invoke(outputs);
        return (Spread(features), Spread(outputs));
    }

    /// <summary>The negative cosine of both views' projections, with what keeps an objective from collapse left out: a control.</summary>
    /// <param name="objective">Has a projector and a predictor.</param>
    /// <param name="batch">Of a step.</param>
    /// <param name="predicts">Whether the predictor stands before one side.</param>
    /// <param name="stops">Whether the other side gets no gradient.</param>
    public static Tensor Agreement(IObjective objective, StepBatch batch, bool predicts, bool stops)
    {
        Tensor Through(string network, Tensor rows)
            => cat([Network(objective, network).forward(rows.narrow(0, 0, Samples)), Network(objective, network).forward(rows.narrow(0, Samples, Samples))]);
        var projected = Through("projector", batch.Features);
        var predicted = predicts ? Through("predictor", projected) : projected;
        return -cosine_similarity(predicted, (stops ? projected.detach() : projected).roll(Samples, 0), 1).mean();
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _encoder.Dispose();
        _keyEncoder.Dispose();
        _generator.Dispose();
    }

    private static IEnumerable<(string Name, Tensor Parameter)> Parameters(string prefix, nn.Module module)
        => module.named_parameters().Select(entry => (prefix + entry.name, (Tensor)entry.parameter));

    private static nn.Module<Tensor, Tensor> Network(IObjective objective, string name)
        => (nn.Module<Tensor, Tensor>)objective.Own.named_children().Single(child => child.name.Equals(name, StringComparison.Ordinal)).module;

    // Chen and He 2021, figure 2: the standard deviation of the components of vectors of length 1 is 1 / sqrt(width) where they lie all around.
    private static double Spread(Tensor rows)
        => normalize(rows, 2, dim: 1).std(0, unbiased: false).mean().item<float>() * Math.Sqrt(rows.shape[1]);

    private StepBatch Batch(Tensor kinds)
    {
        var samples = kinds.index_select(0, randint(Kinds, Samples, generator: _generator, dtype: ScalarType.Int64));
        var views = cat([samples, samples]) + randn(2 * Samples, Inputs, generator: _generator);
        using var noGrad = no_grad();
        var keys = _keyEncoder.forward(views);
        using var grad = enable_grad();
        return Making.Batch(1, Samples, Width) with { Features = _encoder.forward(views), KeyFeatures = keys };
    }
}
