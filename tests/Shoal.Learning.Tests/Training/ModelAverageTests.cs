namespace Shoal.Learning.Tests;

public sealed class ModelAverageTests
{
    [Fact]
    public void Weights_count_as_samples_do()
    {
        var merged = ModelAverage.Of([(Model([1, 10], 3), 1), (Model([5, 20], 8), 3)]);
        Assert.Equal([4f, 17.5f], merged[0].Values<float>());
        Assert.Equal([8L], merged[1].Values<long>());
        Assert.Equal([4.0, 17.5], merged[2].Values<double>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Any_number_of_replicas_merge_as_a_plain_loop_does(int replicas)
    {
        var random = new Random(replicas);
        (float[] Values, double Weight)[] all = [.. Enumerable.Range(0, replicas).Select(_ => (
            Enumerable.Range(0, 37).Select(_ => random.NextSingle() - 0.5f).ToArray(), random.NextDouble() + 0.1))];
        var merged = ModelAverage.Of([.. all.Select(replica => (Model(replica.Values, 1), replica.Weight))])[0].Values<float>();
        for (var i = 0; i < merged.Length; i++)
        {
            var (sum, weights) = (0.0, 0.0);
            foreach (var (values, weight) in all)
            {
                (sum, weights) = (sum + (values[i] * weight), weights + weight);
            }

            Assert.Equal(sum / weights, merged[i], 1e-6);
        }
    }

    [Fact]
    public void A_replica_without_samples_does_not_count() =>
        Assert.Equal([1f, 2f], ModelAverage.Of([(Model([1, 2], 1), 5), (Model([7, 7], 1), 0)])[0].Values<float>());

    [Fact]
    public void Models_that_do_not_fit_each_other_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ModelAverage.Of([(Model([1, 2], 1), 1), (Model([1, 2, 3], 1), 1)]));
        Assert.Throws<ArgumentException>(() => ModelAverage.Of([(Model([1], 1), 0)]));
        Assert.Throws<ArgumentException>(() => ModelAverage.Of([]));
    }

    private static IReadOnlyList<NamedTensor> Model(float[] values, long count) =>
    [
        NamedTensor.Of<float>("weight", values),
        NamedTensor.Of<long>("batches", [count]),
        NamedTensor.Of<double>("input", Array.ConvertAll(values, value => (double)value)),
    ];
}
