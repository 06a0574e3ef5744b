namespace Shoal.Learning.Tests;

public sealed class OuterStepTests
{
    [Fact]
    public void One_number_moves_as_computed_by_hand()
    {
        // Δ = 1 - 3 = -2; v = -2; θ = 1 + 0.7 (2 + 0.5 · 2) = 3.1. Then Δ = 3.1 - 4 = -0.9; v = -1.9; θ = 3.1 + 0.7 (0.9 + 0.5 · 1.9) = 4.395.
        var (first, velocity) = OuterStep.Take(Model([1]), Model([3]), [], 0.5);
        Assert.Equal(3.1f, first[0].Values<float>()[0], 1e-6);
        Assert.Equal(-2f, velocity.Single().Values<float>()[0]);
        var (second, next) = OuterStep.Take(first, Model([4]), velocity, 0.5);
        Assert.Equal(4.395f, second[0].Values<float>()[0], 1e-5);
        Assert.Equal(-1.9f, next.Single().Values<float>()[0], 1e-6);
    }

    [Fact]
    public void Many_steps_are_those_of_a_plain_loop()
    {
        var random = new Random(4213);
        const int count = 37;
        var model = Enumerable.Range(0, count).Select(_ => random.NextDouble()).ToArray();
        var speed = new double[count];
        var (tensors, velocity) = (Model(Array.ConvertAll(model, x => (float)x)), (IReadOnlyList<NamedTensor>)[]);
        for (var round = 0; round < 5; round++)
        {
            var mean = Enumerable.Range(0, count).Select(_ => random.NextDouble()).ToArray();
            (tensors, velocity) = OuterStep.Take(tensors, Model(Array.ConvertAll(mean, x => (float)x)), velocity, 0.9);
            for (var i = 0; i < count; i++)
            {
                var gradient = model[i] - mean[i];
                speed[i] = (0.9 * speed[i]) + gradient;
                model[i] -= 0.7 * (gradient + (0.9 * speed[i]));
                Assert.Equal(model[i], tensors[0].Values<float>()[i], 1e-4);
            }
        }
    }

    [Fact]
    public void Where_replicas_stay_where_they_began_nothing_moves() =>
        Assert.Equal([1f, 2f], OuterStep.Take(Model([1, 2]), Model([1, 2]), [], 0.9).Model[0].Values<float>());

    [Fact]
    public void The_key_encoder_and_statistics_of_batches_are_the_mean()
    {
        IReadOnlyList<NamedTensor> Of(float value, long count) =>
        [
            NamedTensor.Of<float>("key.weight", [value]), NamedTensor.Of<float>("encoder.norm.running_mean", [value]), NamedTensor.Of<long>("encoder.norm.num_batches_tracked", [count]),
        ];
        var (model, velocity) = OuterStep.Take(Of(1, 5), Of(3, 9), [], 0.9);
        Assert.Equal((3f, 3f, 9L), (model[0].Values<float>()[0], model[1].Values<float>()[0], model[2].Values<long>()[0]));
        Assert.Empty(velocity);
    }

    [Fact]
    public void Models_of_another_shape_are_refused() => Assert.Throws<ArgumentException>(() => OuterStep.Take(Model([1, 2]), Model([1]), [], 0.9));

    private static IReadOnlyList<NamedTensor> Model(float[] values) => [NamedTensor.Of<float>("encoder.weight", values)];
}
