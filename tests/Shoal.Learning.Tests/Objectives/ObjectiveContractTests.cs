using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>What every objective of the catalogue keeps to.</summary>
public sealed class ObjectiveContractTests
{
    public static TheoryData<string> Names => [.. ObjectiveCatalogue.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Value_and_gradient_are_finite(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = ObjectiveCatalogue.Create(name, 8);

        // Heads that are certain of some samples: where nothing is certain, self-labelling learns nothing.
        var batch = Making.Batch(1, scale: 20);
        var loss = Loss(objective, batch);
        loss.backward();
        Assert.True(float.IsFinite(loss.item<float>()));
        Assert.All(Making.Floats(batch.Features.grad!), value => Assert.True(float.IsFinite(value)));
        Assert.Contains(Making.Floats(batch.Features.grad!), value => value != 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_order_of_samples_does_not_matter(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = ObjectiveCatalogue.Create(name, 8);
        var batch = Making.Batch(1);
        var order = tensor(new long[] { 3, 0, 5, 1, 4, 2 });
        var back = order.argsort();
        var rows = cat([order, order + 6]);
        var shuffled = new StepBatch
        {
            Features = batch.Features.index_select(0, rows),
            KeyFeatures = batch.KeyFeatures.index_select(0, rows),
            Samples = batch.Samples.index_select(0, order),
            BankKeys = batch.BankKeys,
            BankSamples = batch.BankSamples,
            Anchors = back.index_select(0, batch.Anchors),
            Neighbours = back.index_select(0, batch.Neighbours),
            Replayed = back.index_select(0, batch.Replayed),
            Labels = batch.Labels.index_select(0, order),
            Head = batch.Head,
        };
        Assert.Equal(Loss(objective, batch).item<float>(), Loss(objective, shuffled).item<float>(), 4);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Inputs_stay_as_they_are(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = ObjectiveCatalogue.Create(name, 8);
        var batch = Making.Batch(1);
        var before = new[] { batch.Features, batch.KeyFeatures, batch.BankKeys, batch.Head.Weight }.Select(Making.Floats).ToArray();
        Loss(objective, batch).backward();
        var after = new[] { batch.Features, batch.KeyFeatures, batch.BankKeys, batch.Head.Weight }.Select(Making.Floats).ToArray();
        Assert.Equal(before, after);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_seed_gives_the_same_bits(string name)
    {
        float Once()
        {
            using var scope = NewDisposeScope();
            manual_seed(9);
            using var objective = ObjectiveCatalogue.Create(name, 8);
            return Loss(objective, Making.Batch(1)).item<float>();
        }

        Assert.Equal(BitConverter.SingleToInt32Bits(Once()), BitConverter.SingleToInt32Bits(Once()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_tensor_outlives_its_scope(string name)
    {
        using var outer = NewDisposeScope();
        using var objective = ObjectiveCatalogue.Create(name, 8);
        var batch = Making.Batch(1);
        Once();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 20; i++)
        {
            Once();
        }

        Assert.Equal(before, Tensor.TotalCount);

        void Once()
        {
            using var scope = NewDisposeScope();
            objective.Compute(batch);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Wrong_shapes_are_named(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = ObjectiveCatalogue.Create(name, 8);
        var wrong = Making.Batch(1) with { Features = randn(7, 8) };
        var error = Assert.Throws<ArgumentException>(() => objective.Compute(wrong));
        Assert.Contains("[7, 8]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[12, D]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_collapsed_batch_scores_worse_than_a_learned_one_unless_that_is_declared(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var objective = ObjectiveCatalogue.Create(name, 8);
        using var head = new ClusterHead(1, 3, 8, 20);

        // Learned: three directions, both views alike. Collapsed: one direction for all.
        var directions = nn.functional.normalize(randn(3, 8), 2, dim: 1);
        using (no_grad())
        {
            head.Weight.copy_(directions.unsqueeze(0));
        }

        var learned = cat([directions, directions]);
        var collapsed = directions[0].expand(6, 8).clone();
        var bank = Bank(learned);
        var collapsedBank = Bank(collapsed);
        var gain = Loss(objective, Of(collapsed, collapsedBank)).item<float>() - Loss(objective, Of(learned, bank)).item<float>();
        Assert.Equal(ObjectiveCatalogue.Find(name)!.Collapses, gain <= 0.01f);

        // Moves keys of earlier steps, of other samples, into the bank.
        Tensor Bank(Tensor features)
        {
            var keys = objective.Compute(Of(features, zeros(0, 64))).Keys;
            return keys is null ? zeros(0, 64) : keys.repeat(4, 1);
        }

        StepBatch Of(Tensor features, Tensor keys) => new()
        {
            Features = features,
            KeyFeatures = features,
            Samples = arange(3, ScalarType.Int64),
            BankKeys = keys,
            BankSamples = arange(keys.shape[0], ScalarType.Int64) % 3,
            Anchors = zeros(0, ScalarType.Int64),
            Neighbours = zeros(0, ScalarType.Int64),
            Replayed = arange(3, ScalarType.Int64),
            Labels = arange(3, ScalarType.Int64),
            Head = head,
        };
    }

    [Fact]
    public void An_unknown_name_is_answered_with_the_known_ones()
    {
        var error = Assert.Throws<ArgumentException>(() => ObjectiveCatalogue.Create("nonesuch", 8));
        Assert.Contains("'nonesuch'", error.Message, StringComparison.Ordinal);
        Assert.Contains("moco, pseudolabel, scan, selfclassifier, selflabel, sinkhorn", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_collapses_alone_is_refused_alone()
    {
        static IReadOnlyList<string> Problems(params string[] names) =>
            new LearnerOptions { Objectives = names.ToDictionary(name => name, _ => 1.0, StringComparer.Ordinal) }.Problems();
        Assert.Contains("'selflabel' puts all samples into one cluster", Assert.Single(Problems("moco", "selflabel")), StringComparison.Ordinal);
        Assert.Empty(Problems("moco", "scan", "selflabel"));
    }

    private static Tensor Loss(IObjective objective, StepBatch batch)
        => objective.Compute(batch).Terms.OrderBy(term => term.Key, StringComparer.Ordinal).Select(term => term.Value).Aggregate((a, b) => a + b);
}
