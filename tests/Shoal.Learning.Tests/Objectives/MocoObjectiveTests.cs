using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class MocoObjectiveTests
{
    [Fact]
    public void It_equals_InfoNCE_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var moco = new MocoObjective(8);
        var batch = Making.Batch(2);
        var result = moco.Compute(batch);
        Assert.Equal(Reference(moco, batch, 0.2), result.Terms["contrast"].item<float>(), 4);
    }

    [Fact]
    public void Without_negatives_there_is_nothing_to_tell_apart()
    {
        using var scope = NewDisposeScope();
        using var moco = new MocoObjective(8);
        var loss = moco.Compute(Making.Batch(2, bank: 0)).Terms["contrast"].item<float>();
        Assert.Equal(0, loss, 6);
    }

    [Fact]
    public void When_every_key_is_the_same_the_loss_is_the_log_of_the_choices()
    {
        // Hand-computed: features of one direction make all logits equal: 1 positive + 10 negatives that are not the query's own.
        using var scope = NewDisposeScope();
        using var moco = new MocoObjective(8);
        var like = Making.Batch(2);
        var one = ones(1, 8);
        var key = nn.functional.normalize(Network(moco, "query").Aggregate(one, (x, layer) => layer(x)), 2, dim: 1);
        var batch = like with { Features = ones(12, 8), KeyFeatures = ones(12, 8), BankKeys = key.expand(11, 64).clone(), BankSamples = arange(100, 111, ScalarType.Int64) };
        Assert.Equal(Math.Log(12), moco.Compute(batch).Terms["contrast"].item<float>(), 4);
    }

    [Fact]
    public void Keys_of_the_querys_own_sample_are_no_negatives()
    {
        using var scope = NewDisposeScope();
        using var moco = new MocoObjective(8);
        var batch = Making.Batch(2, count: 1);
        var foreign = batch with { KeyFeatures = batch.Features.detach(), BankSamples = arange(50, 62, ScalarType.Int64) };
        var own = foreign with { BankSamples = zeros(12, ScalarType.Int64) };
        var (with, without) = (moco.Compute(foreign).Terms["contrast"].item<float>(), moco.Compute(own).Terms["contrast"].item<float>());
        Assert.Equal(0, without, 6);
        Assert.True(with > 0.001, $"loss with negatives {with}");
    }

    [Fact]
    public void Its_keys_are_unit_vectors_without_gradient()
    {
        using var scope = NewDisposeScope();
        using var moco = new MocoObjective(8);
        var keys = moco.Compute(Making.Batch(2)).Keys!;
        Assert.Equal([6L, 64L], keys.shape);
        Assert.False(keys.requires_grad);
        Assert.All(Making.Floats(keys.norm(1, false, 2)), length => Assert.Equal(1, length, 5));
    }

    private static IEnumerable<Func<Tensor, Tensor>> Network(MocoObjective moco, string name)
    {
        var p = moco.Own.named_parameters().Where(entry => entry.name.StartsWith(name, StringComparison.Ordinal)).Select(entry => entry.parameter).ToArray();
        yield return x => x.matmul(p[0].t()) + p[1];
        yield return x => x.clamp_min(0);
        yield return x => x.matmul(p[2].t()) + p[3];
    }

    private static double Reference(MocoObjective moco, StepBatch batch, double temperature)
    {
        var count = (int)batch.Samples.shape[0];
        var q = Rows(Network(moco, "query").Aggregate(batch.Features, (x, layer) => layer(x)));
        var k = Rows(Network(moco, "key").Aggregate(batch.KeyFeatures, (x, layer) => layer(x)));
        var bank = Rows(batch.BankKeys);
        var (samples, bankSamples) = (batch.Samples.data<long>().ToArray(), batch.BankSamples.data<long>().ToArray());
        var total = 0.0;
        for (var i = 0; i < 2 * count; i++)
        {
            var positive = Math.Exp(Dot(q[i], k[(i + count) % (2 * count)]) / temperature);
            var sum = positive;
            for (var j = 0; j < bank.Length; j++)
            {
                if (bankSamples[j] != samples[i % count])
                {
                    sum += Math.Exp(Dot(q[i], bank[j]) / temperature);
                }
            }

            total -= Math.Log(positive / sum) / (2 * count);
        }

        return total;
    }

    private static double[][] Rows(Tensor tensor)
    {
        var values = Making.Floats(tensor);
        var width = (int)tensor.shape[1];
        return [.. values.Chunk(width).Select(row =>
        {
            var length = Math.Sqrt(row.Sum(v => (double)v * v));
            return row.Select(v => v / length).ToArray();
        })];
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
