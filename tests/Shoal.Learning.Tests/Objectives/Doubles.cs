using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>Rows of numbers in plain loops and doubles: what the independent references of objectives compute with.</summary>
internal static class Doubles
{
    /// <summary>The rows of a tensor, [N, W] -> [N][W].</summary>
    public static double[][] Rows(Tensor tensor)
        => [.. Making.Floats(tensor).Chunk((int)tensor.shape[1]).Select(row => Array.ConvertAll(row, value => (double)value))];

    /// <summary>The rows of view A and of view B, [2N, W] -> [N][W] twice.</summary>
    public static (double[][] A, double[][] B) Views(Tensor tensor)
    {
        var rows = Rows(tensor);
        return (rows[..(rows.Length / 2)], rows[(rows.Length / 2)..]);
    }

    /// <summary>Both views through a network of an objective, each by itself.</summary>
    public static (double[][] A, double[][] B) Through(this (double[][] A, double[][] B) views, IObjective objective, string network)
        => (Through(views.A, objective, network), Through(views.B, objective, network));

    public static double[][] Through(double[][] rows, IObjective objective, string network)
    {
        var module = objective.Own.named_children().Single(child => child.name.Equals(network, StringComparison.Ordinal)).module;
        return (module is Linear ? [module] : module.children()).Aggregate(rows, Layer);
    }

    /// <summary>Sets weights to 0.</summary>
    /// <param name="objective">Whose.</param>
    /// <param name="prefix">What their names begin with.</param>
    public static void Clear(IObjective objective, string prefix)
    {
        using var noGrad = no_grad();
        var weights = objective.Own.named_parameters().Where(p => p.name.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(weights);
        Assert.All(weights, weight => weight.parameter.zero_());
    }

    public static double[][] Unit(double[][] rows)
        => Array.ConvertAll(rows, row => Array.ConvertAll(row, value => value / Math.Sqrt(Dot(row, row))));

    public static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    public static double Cosine(double[] a, double[] b) => Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b));

    /// <summary>-log of the share that one choice has of the exponentials of all.</summary>
    public static double Choice(double chosen, IEnumerable<double> all) => -Math.Log(Math.Exp(chosen) / all.Sum(Math.Exp));

    /// <summary>The mean of how well each row tells its own other row from the others: scores over a temperature, softmax over the others.</summary>
    public static double Contrast(double[][] rows, double[][] others, double temperature)
        => rows.Select((row, i) => Choice(Dot(row, others[i]) / temperature, others.Select(other => Dot(row, other) / temperature))).Average();

    public static double[][] Layer(double[][] rows, nn.Module layer) => layer switch
    {
        Linear linear => Affine(rows, linear),
        BatchNorm1d norm => Norm(rows, norm),
        ReLU => Array.ConvertAll(rows, row => Array.ConvertAll(row, value => Math.Max(value, 0))),
        GELU => Array.ConvertAll(rows, row => Array.ConvertAll(row, value => value * Normal(value))),
        _ => throw new ArgumentException($"No reference for {layer.GetType()}.", nameof(layer)),
    };

    private static double[][] Affine(double[][] rows, Linear linear)
    {
        var weights = Rows(linear.weight);
        var bias = linear.bias is { } given ? Making.Floats(given) : null;
        return Array.ConvertAll(rows, row => weights.Select((weight, i) => Dot(row, weight) + (bias?[i] ?? 0)).ToArray());
    }

    // Over the batch, with N for the variance.
    private static double[][] Norm(double[][] rows, BatchNorm1d norm)
    {
        var result = Array.ConvertAll(rows, row => new double[row.Length]);
        var (scale, shift) = norm.weight is { } weight ? (Making.Floats(weight), Making.Floats(norm.bias!)) : (null, null);
        for (var j = 0; j < rows[0].Length; j++)
        {
            var mean = rows.Average(row => row[j]);
            var variance = rows.Average(row => (row[j] - mean) * (row[j] - mean));
            for (var i = 0; i < rows.Length; i++)
            {
                result[i][j] = ((rows[i][j] - mean) / Math.Sqrt(variance + 1e-5) * (scale?[j] ?? 1)) + (shift?[j] ?? 0);
            }
        }

        return result;
    }

    // The normal distribution's share below a value, by Simpson's rule from 0.
    private static double Normal(double value)
    {
        const int Steps = 200;
        var width = value / Steps;
        var sum = 0.0;
        for (var i = 0; i <= Steps; i++)
        {
            var weight = i is 0 or Steps ? 1 : i % 2 == 1 ? 4 : 2;
            sum += weight * Math.Exp(-Math.Pow(i * width, 2) / 2);
        }

        return 0.5 + (sum * width / 3 / Math.Sqrt(2 * Math.PI));
    }
}
