using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>Logistic regression on frozen embeddings: how much of the classes is linearly there.</summary>
public static class LinearProbe
{
    private const int Epochs = 20;
    private const int BatchSize = 256;
    private const double Rate = 0.01;

    /// <summary>Trains on known classes and predicts others.</summary>
    /// <param name="known">[n, D], row-major.</param>
    /// <param name="classes">The class of each known row, [n].</param>
    /// <param name="queries">[m, D], row-major.</param>
    /// <param name="width">D.</param>
    /// <param name="seed">Keys the order of samples.</param>
    /// <returns>The class of each query, [m].</returns>
    public static int[] Predict(float[] known, int[] classes, float[] queries, int width, int seed)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(classes);
        ArgumentNullException.ThrowIfNull(queries);
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var (n, kinds) = (classes.Length, classes.Max() + 1);
        var x = tensor(known, [n, width]);
        var y = tensor(Array.ConvertAll(classes, c => (long)c));
        using var linear = nn.Linear(width, kinds);
        nn.init.zeros_(linear.weight);
        nn.init.zeros_(linear.bias!);
        using var optimizer = new AdamW(linear.named_parameters().Select(p => (p.name, (Tensor)p.parameter)), weightDecay: 0);
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            using var epochScope = NewDisposeScope();
            var order = randperm(n, generator: generator);
            for (var start = 0; start < n; start += BatchSize)
            {
                using var stepScope = NewDisposeScope();
                var rows = order.narrow(0, start, Math.Min(BatchSize, n - start));
                cross_entropy(linear.forward(x.index_select(0, rows)), y.index_select(0, rows)).backward();
                optimizer.Step(Rate);
            }
        }

        using var noGrad = no_grad();
        return Array.ConvertAll(linear.forward(tensor(queries, [queries.Length / width, width])).argmax(1).ToArray<long>(), c => (int)c);
    }
}
