namespace Shoal.Learning.Tests;

public sealed class FirstWeightsTests
{
    [Fact]
    public void One_that_begins_with_the_encoder_of_another_embeds_as_that_did()
    {
        using var teacher = new Learner(Making.Grey, Making.Small(seed: 1));
        for (var step = 0; step < 3; step++)
        {
            teacher.Observe(Making.Bars(16, step * 16));
        }

        var model = teacher.Export();
        using var fresh = new Learner(Making.Grey, Making.Small(seed: 2));
        using var learner = new Learner(Making.Grey, Making.Small(seed: 2));
        Assert.Null(FirstWeights.Misfit(Making.Grey, learner.Options, model));
        learner.BeginWith(model);
        Assert.Equal(Encoder(model), Encoder(learner.Export()));
        Assert.NotEqual(Encoder(model), Encoder(fresh.Export()));
        learner.Observe(Making.Bars(16, 0));
        Assert.Throws<InvalidOperationException>(() => learner.BeginWith(model));

        // One step of training from there is another than one from fresh weights: the encoder that learns has them, too.
        fresh.Observe(Making.Bars(16, 0));
        Assert.NotEqual(Encoder(fresh.Export()), Encoder(learner.Export()));
        Assert.Contains("missing", FirstWeights.Misfit(Making.Grey, learner.Options, [model[0]]), StringComparison.Ordinal);
        Assert.Contains("no numbers", FirstWeights.Misfit(Making.Grey, learner.Options, [.. model.Select(Broken)]), StringComparison.Ordinal);
        Assert.Contains("averages", FirstWeights.Misfit(new SampleShape(3, 16, 16), new LearnerOptions(), model), StringComparison.Ordinal);

        static List<byte[]> Encoder(IReadOnlyList<NamedTensor> model) => [.. model.Where(t => t.Name.StartsWith("encoder.", StringComparison.Ordinal)).Select(t => t.Data)];

        static NamedTensor Broken(NamedTensor tensor) => tensor.Shape.Length < 2 ? tensor : NamedTensor.Of<float>(tensor.Name, Enumerable.Repeat(float.NaN, tensor.Data.Length / sizeof(float)).ToArray(), tensor.Shape);
    }
}
