using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class DeepClusterObjectiveTests
{
    [Fact]
    public void It_equals_cross_entropy_weighted_by_labels_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2, count: 10);
        using var head = batch.Head;
        using var objective = new DeepClusterObjective(8);
        using (no_grad())
        {
            objective.Own.parameters().First().normal_();
        }

        var labels = batch.Labels.data<long>().ToArray();
        var (a, b) = Doubles.Views(batch.Features).Through(objective, "head");
        var expected = labels.Where(label => label >= 0).Distinct().Average(label =>
            Enumerable.Range(0, 10).Where(i => labels[i] == label).Average(i => (Loss(a[i], label) + Loss(b[i], label)) / 2));
        Assert.Equal(expected, Recognition(objective, batch), 4);

        // Of the head's rows, those of the three slots that there are.
        static double Loss(double[] logits, long label) => Doubles.Choice(logits[label], logits[..3]);
    }

    [Fact]
    public void A_frequent_label_weighs_no_more_than_a_rare_one()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2, count: 4);
        using var head = batch.Head;
        using var objective = new DeepClusterObjective(8);
        var (often, rare) = (batch.Features.narrow(0, 0, 1), batch.Features.narrow(0, 1, 1));
        var even = batch with { Features = cat([often, rare, often, rare]).repeat(2, 1), Labels = tensor(new long[] { 0, 1, 0, 1 }) };
        var uneven = batch with { Features = cat([often, often, often, rare]).repeat(2, 1), Labels = tensor(new long[] { 0, 0, 0, 1 }) };
        Assert.Equal(Recognition(objective, even), Recognition(objective, uneven), 5);
    }

    [Fact]
    public void A_head_that_knows_nothing_scores_log_K()
    {
        // Hand-computed: three slots, all alike.
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var head = batch.Head;
        using var objective = new DeepClusterObjective(8);
        Doubles.Clear(objective, "head.");
        Assert.Equal(Math.Log(3), Recognition(objective, batch), 5);
    }

    [Fact]
    public void Without_labels_there_is_no_loss()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(4);
        using var head = batch.Head;
        using var objective = new DeepClusterObjective(8);
        Assert.Empty(objective.Compute(batch with { Labels = full(6, -1L, ScalarType.Int64) }).Terms);
    }

    [Fact]
    public void More_slots_than_it_has_room_for_are_named()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(4);
        using var head = batch.Head;
        using var objective = new DeepClusterObjective(8, new DeepClusterObjective.Options { Slots = 2 });
        var error = Assert.Throws<ArgumentException>(() => objective.Compute(batch));
        Assert.Contains("There are 3 cluster slots; objective 'deepcluster' has room for 2.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_has_room_for_the_most_clusters_that_options_allow()
    {
        var most = new LearnerOptions { Clusters = 1000, Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["deepcluster"] = 1 } };
        Assert.Empty(most.Problems());
        Assert.Equal(most.Prototypes, new DeepClusterObjective.Options().Slots);
    }

    private static float Recognition(DeepClusterObjective objective, StepBatch batch) => objective.Compute(batch).Terms["recognition"].item<float>();
}
