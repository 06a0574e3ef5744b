using static Shoal.Learning.Tests.Catalogued;
using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>What every objective of the catalogue keeps to.</summary>
public sealed class ObjectiveContractTests : IDisposable
{
    private readonly int _threads = get_num_threads();

    // Small tensors: a second thread waits more than it works.
    public ObjectiveContractTests() => set_num_threads(1);

    public void Dispose() => set_num_threads(_threads);

    public static TheoryData<string> Names => [.. ObjectiveCatalogue.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Value_and_gradient_are_finite(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = Create(name);

        // Heads that are certain of some samples: where nothing is certain, self-labelling learns nothing.
        var (encode, weights) = Making.Projection(8, Shape);
        var batch = Batch(objective, scale: 20) with { Encode = encode, EncodeVisible = Making.Visible(encode, Shape), EncodeLatents = Making.Latents(encode, Shape) };
        var loss = Loss(objective, batch);
        loss.backward();
        Assert.True(float.IsFinite(loss.item<float>()));
        var gradient = (ObjectiveCatalogue.Find(name)!.Needs.HasFlag(ObjectiveNeeds.Samples) ? weights : batch.Features).grad!;
        Assert.All(Making.Floats(gradient), value => Assert.True(float.IsFinite(value)));
        Assert.Contains(Making.Floats(gradient), value => value != 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void They_are_finite_too_where_samples_are_one_all_alike_zeros_or_huge(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = Create(name);
        var batch = Batch(objective);
        Check(batch with { Features = zeros(12, 8), KeyFeatures = zeros(12, 8), Encode = pixels => zeros(pixels.shape[0], 8), EncodeLatents = pixels => zeros(pixels.shape[0], 16, 8) });
        Check(batch with { Features = ones(12, 8), KeyFeatures = ones(12, 8), Pixels = ones_like(batch.Pixels) });
        Check(batch with { Features = randn(12, 8) * 1e4, KeyFeatures = randn(12, 8) * 1e4, Encode = pixels => batch.Encode(pixels) * 1e4, EncodeLatents = pixels => batch.EncodeLatents!(pixels) * 1e4 });
        var two = tensor(new long[] { 0, 6 });
        Check(batch with
        {
            Features = batch.Features.index_select(0, two).detach(),
            KeyFeatures = batch.KeyFeatures.index_select(0, two),
            Samples = batch.Samples.narrow(0, 0, 1),
            Pixels = batch.Pixels.narrow(0, 0, 1),
            Labels = batch.Labels.narrow(0, 1, 1),
            Anchors = zeros(0, ScalarType.Int64),
            Neighbours = zeros(0, ScalarType.Int64),
            Replayed = zeros(1, ScalarType.Int64),
        });

        void Check(StepBatch degenerate)
        {
            var features = degenerate.Features.detach().requires_grad_(true);
            var terms = objective.Compute(degenerate with { Features = features }).Terms;
            Assert.All(terms, term => Assert.True(float.IsFinite(term.Value.item<float>()), $"{term.Key} is {term.Value.item<float>()}"));
            foreach (var term in terms.Values.Where(term => term.requires_grad))
            {
                term.backward(retain_graph: true);
            }

            Assert.All(features.grad is { } gradient ? Making.Floats(gradient) : [], value => Assert.True(float.IsFinite(value), $"gradient {value}"));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Terms_are_named_scalars_and_keys_are_what_the_bank_expects(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = Create(name);
        var result = objective.Compute(Batch(objective));
        Assert.NotEmpty(result.Terms);
        Assert.All(result.Terms, term =>
        {
            Assert.Matches("^[a-z]+$", term.Key);
            Assert.Equal(1, term.Value.numel());
            Assert.Equal(ScalarType.Float32, term.Value.dtype);
            Assert.True(term.Value.requires_grad);
        });
        Assert.Equal(objective.KeyWidth > 0, result.Keys is not null);
        Assert.Equal(objective.KeyWidth > 0, ObjectiveCatalogue.Find(name)!.Needs.HasFlag(ObjectiveNeeds.Bank));
        if (result.Keys is { } keys)
        {
            Assert.Equal([6L, objective.KeyWidth], keys.shape);
            Assert.False(keys.requires_grad);
            Assert.All(Making.Floats(keys.norm(1, false, 2)), length => Assert.Equal(1, length, 4));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void All_that_it_learns_gets_a_gradient_and_all_else_follows_by_momentum(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = Create(name);
        var parameters = objective.Own.named_parameters().ToArray();
        var followers = parameters.Where(p => !p.parameter.requires_grad).ToArray();
        using var optimizer = Optimizer(objective);
        Loss(objective, Batch(objective, count: 32)).backward();
        Assert.All(parameters.Except(followers), p => Assert.True(p.parameter.grad is { } gradient && gradient.abs().max().item<float>() > 0, $"{p.name} gets no gradient"));
        Assert.All(followers, p => Assert.Null(p.parameter.grad));

        var before = followers.Select(p => Making.Floats(p.parameter)).ToArray();
        optimizer.Step(0.01);
        Assert.Equal(before, followers.Select(p => Making.Floats(p.parameter)));
        objective.AfterStep(0.5);
        Assert.All(followers.Zip(before), p => Assert.NotEqual(p.Second, Making.Floats(p.First.parameter)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_it_keeps_goes_through_a_checkpoint_and_on_from_there(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        using var first = Create(name);
        using var second = Create(name);
        using (var optimizer = Optimizer(first))
        {
            Train(first, optimizer, Batch(first, count: 32), 3);
        }

        NamedTensor[] saved = [.. first.Own.Save("own.")];
        Assert.Equal(saved.Length, saved.DistinctBy(tensor => tensor.Name, StringComparer.Ordinal).Count());
        second.Own.Load("own.", saved);
        Assert.Equal(saved.Select(tensor => tensor.Data), second.Own.Save("own.").Select(tensor => tensor.Data));
        for (var step = 0; step < 2; step++)
        {
            var batch = Batch(first, seed: step);
            Assert.Equal(BitConverter.SingleToInt32Bits(Loss(first, batch).item<float>()), BitConverter.SingleToInt32Bits(Loss(second, batch).item<float>()));
            first.AfterStep(0.5);
            second.AfterStep(0.5);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_order_of_samples_does_not_matter(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = Create(name);
        var batch = Batch(objective);
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
            Pixels = batch.Pixels.index_select(0, order),
            Encode = batch.Encode,
            EncodeVisible = batch.EncodeVisible,
            EncodeLatents = batch.EncodeLatents,
            Seed = batch.Seed,
        };
        var (before, after) = (Loss(objective, batch).item<float>(), Loss(objective, shuffled).item<float>());
        Assert.Equal(before, after, 1e-5f * Math.Max(1, Math.Abs(before)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Inputs_stay_as_they_are(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = Create(name);
        var batch = Batch(objective);
        byte[][] Bytes() =>
        [
            .. new[]
            {
                batch.Features, batch.KeyFeatures, batch.Samples, batch.BankKeys, batch.BankSamples,
                batch.Anchors, batch.Neighbours, batch.Replayed, batch.Labels, batch.Head.Weight, batch.Pixels,
            }.Select(input => input.Save("input").Data),
        ];
        var before = Bytes();
        Loss(objective, batch).backward();
        objective.AfterStep(0.5);
        Assert.Equal(before, Bytes());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_seed_gives_the_same_bits(string name)
    {
        float Once()
        {
            using var scope = NewDisposeScope();
            manual_seed(9);
            using var objective = Create(name);
            return Loss(objective, Batch(objective)).item<float>();
        }

        Assert.Equal(BitConverter.SingleToInt32Bits(Once()), BitConverter.SingleToInt32Bits(Once()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_tensor_outlives_its_scope(string name)
    {
        using var outer = NewDisposeScope();
        using var objective = Create(name);
        var batch = Batch(objective);
        Once();
        var before = Making.LiveTensors();
        for (var i = 0; i < 20; i++)
        {
            Once();
        }

        Assert.Equal(before, Tensor.TotalCount);

        void Once()
        {
            using var scope = NewDisposeScope();
            Loss(objective, batch).backward();
            objective.AfterStep(0.5);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Wrong_shapes_are_named(string name)
    {
        using var scope = NewDisposeScope();
        using var objective = Create(name);
        var wrong = Batch(objective) with { Features = randn(7, 8) };
        var error = Assert.Throws<ArgumentException>(() => objective.Compute(wrong));
        Assert.Contains("[7, 8]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[12, D]", error.Message, StringComparison.Ordinal);
        var pixels = Assert.Throws<ArgumentException>(() => objective.Compute(Batch(objective) with { Pixels = zeros(5, 3, 24, 24) }));
        Assert.Contains("Pixels are [5, 3, 24, 24]; samples [6] need [6, C, H, W].", pixels.Message, StringComparison.Ordinal);
        if (objective.KeyWidth > 0)
        {
            var bank = Assert.Throws<ArgumentException>(() => objective.Compute(Batch(objective) with { BankKeys = zeros(12, 3) }));
            Assert.Contains($"are [12, 3] with samples [12]; expected [B, {objective.KeyWidth}] and [B].", bank.Message, StringComparison.Ordinal);
        }

        if (ObjectiveCatalogue.Find(name)!.Needs.HasFlag(ObjectiveNeeds.Labels))
        {
            var labels = Assert.Throws<ArgumentException>(() => objective.Compute(Batch(objective) with { Labels = zeros(5, ScalarType.Int64) }));
            Assert.Contains("Labels are [5]; expected [6].", labels.Message, StringComparison.Ordinal);
        }
    }
}
