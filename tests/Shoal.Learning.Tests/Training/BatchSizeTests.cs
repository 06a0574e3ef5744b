namespace Shoal.Learning.Tests;

/// <summary>Batches come in few sizes, because the native library keeps its convolutions for each.</summary>
public sealed class BatchSizeTests
{
    [Fact]
    public void However_few_samples_come_a_step_has_as_many()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        learner.Observe(Making.Bars(16, 0));
        var full = learner.Options.FreshPerStep * (1 + learner.Options.ReplayPerFresh);
        StepReport[] steps = [learner.Observe(Making.Bars(16, 16)), learner.Observe(Making.Bars(1, 32)), learner.Observe(Making.Bars(5, 33)), learner.Rehearse()];
        Assert.All(steps, step => Assert.Equal(full, step.Fresh + step.Replayed));
        Assert.True(steps.Select(step => step.Fresh).Distinct().Count() > 2);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(5, 6)]
    [InlineData(7, 8)]
    [InlineData(97, 128)]
    [InlineData(385, 512)]
    [InlineData(512, 512)]
    public void Embeddings_are_computed_in_batches_of_few_sizes(int count, int computed) => Assert.Equal(computed, Embedder.Padded(count));
}
