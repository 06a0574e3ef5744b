using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class SwavObjectiveTests
{
    private static readonly SwavObjective.Options Small = new() { Prototypes = 4, Width = 8 };

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new SwavObjective(8, Small);
        Assert.Equal(Reference(objective, batch, [], []), Swapped(objective, batch), 4);
    }

    [Fact]
    public void From_small_crops_both_codes_are_predicted_too()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        batch = batch with { CropFeatures = randn(12, 8, requires_grad: true) };
        using var objective = new SwavObjective(8, Small);
        Assert.Equal(Reference(objective, batch, [], []), Swapped(objective, batch), 4);
        objective.Compute(batch).Terms["swapped"].backward();
        Assert.All(Making.Floats(batch.CropFeatures!.grad!.norm(1, false, 2)), length => Assert.True(length > 0));
    }

    [Fact]
    public void With_the_queue_earlier_embeddings_of_the_same_view_take_part_in_the_partition()
    {
        using var scope = NewDisposeScope();
        using var objective = new SwavObjective(8, Small with { Queue = true });
        var first = objective.Compute(Empty(Making.Batch(3)));
        Assert.Equal([6L, 16L], first.Keys!.shape);
        Assert.All(Making.Floats(first.Keys.norm(1, false, 2)), length => Assert.Equal(1, length, 5));

        // Two of the queue's samples were forgotten.
        var samples = tensor(new long[] { 50, -1, 51, 52, -1, 53 });
        var batch = Making.Batch(2) with { BankKeys = first.Keys, BankSamples = samples };
        var earlier = Doubles.Rows(first.Keys).Where((_, i) => i is not (1 or 4)).ToArray();
        var expected = Reference(objective, batch, [.. earlier.Select(row => row[..8])], [.. earlier.Select(row => row[8..])]);
        Assert.Equal(expected, Swapped(objective, batch), 4);
        Assert.NotEqual(Swapped(objective, Empty(batch)), Swapped(objective, batch), 0.001f);
    }

    [Fact]
    public void Codes_divide_a_batch_equally_among_its_prototypes()
    {
        // Of embeddings that all lie towards one prototype: partitioned, each prototype has a quarter of them nevertheless.
        using var scope = NewDisposeScope();
        using var objective = new SwavObjective(8, Small);
        var prototypes = objective.Own.named_parameters().Single(p => p.name is "prototypes").parameter;
        manual_seed(5);
        var embedded = nn.functional.normalize(prototypes[0] + (randn(40, 8) * 0.2), 2, dim: 1);
        var codes = SinkhornObjective.Codes(embedded.matmul(prototypes.t()).unsqueeze(0), 0.05, 100).squeeze(0);
        Assert.All(Making.Floats(codes.sum([0])), share => Assert.Equal(10, share, 0.05f));
        Assert.All(Making.Floats(codes.sum([1])), share => Assert.Equal(1, share, 4));
    }

    [Fact]
    public void Prototypes_are_of_length_1_after_every_step()
    {
        using var scope = NewDisposeScope();
        using var objective = new SwavObjective(8, Small);
        var prototypes = objective.Own.named_parameters().Single(p => p.name is "prototypes").parameter;
        var before = Swapped(objective, Making.Batch(2));
        using (no_grad())
        {
            prototypes.mul_(3);
        }

        Assert.Equal(before, Swapped(objective, Making.Batch(2)), 5);
        objective.AfterStep(0.5);
        Assert.All(Making.Floats(prototypes.norm(1, false, 2)), length => Assert.Equal(1, length, 5));
    }

    [Fact]
    public void One_embedding_for_all_as_near_to_either_prototype_scores_log_2()
    {
        // Hand-computed: the partition halves each sample between the two, and the softmax gives either a half.
        using var scope = NewDisposeScope();
        using var objective = new SwavObjective(8, new SwavObjective.Options { Prototypes = 2, Width = 8 });
        Doubles.Clear(objective, "projector.3");
        var parameters = objective.Own.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
        using (no_grad())
        {
            parameters["projector.3.bias"].copy_(tensor(new[] { 1f, 0, 0, 0, 0, 0, 0, 0 }));
            parameters["prototypes"].zero_();
            parameters["prototypes"].select(1, 0).fill_(0.6f);
            parameters["prototypes"].select(1, 1).copy_(tensor(new[] { 0.8f, -0.8f }));
        }

        Assert.Equal(Math.Log(2), Swapped(objective, Making.Batch(2)), 5);
    }

    private static float Swapped(SwavObjective objective, StepBatch batch) => objective.Compute(batch).Terms["swapped"].item<float>();

    private static StepBatch Empty(StepBatch batch) => batch with { BankKeys = zeros(0, 16), BankSamples = zeros(0, ScalarType.Int64) };

    private static double Reference(SwavObjective objective, StepBatch batch, double[][] earlierA, double[][] earlierB)
    {
        var (a, b) = Doubles.Views(batch.Features).Through(objective, "projector");
        var prototypes = Doubles.Unit(Doubles.Rows(objective.Own.named_parameters().Single(p => p.name is "prototypes").parameter));
        double[][] Cosines(double[][] rows) => Array.ConvertAll(rows, row => Array.ConvertAll(prototypes, prototype => Doubles.Cosine(row, prototype)));
        double[][][] crops = [];
        if (batch.CropFeatures is not null)
        {
            // Two crops of each sample.
            var (first, second) = Doubles.Views(batch.CropFeatures).Through(objective, "projector");
            crops = [first, second];
        }

        double Direction(double[][] coded, double[][] other, double[][] earlier)
        {
            var codes = Codes(Cosines([.. earlier, .. coded]))[earlier.Length..];
            return new[] { other }.Concat(crops).Sum(predicted =>
                codes.Zip(Cosines(predicted), (q, c) => -q.Zip(HeadReference.Softmax(c.Select(value => value / 0.1)), (x, p) => x * Math.Log(p)).Sum()).Average());
        }

        return (Direction(a, b, earlierA) + Direction(b, a, earlierB)) / (2 * (1 + crops.Length));
    }

    // [N][K] -> [N][K]: prototypes and samples normalised in turn, three times.
    private static double[][] Codes(double[][] cosines)
    {
        var q = Array.ConvertAll(cosines, row => Array.ConvertAll(row, value => Math.Exp(value / 0.05)));
        for (var iteration = 0; iteration < 3; iteration++)
        {
            var sums = Enumerable.Range(0, q[0].Length).Select(k => q.Sum(row => row[k])).ToArray();
            q = Array.ConvertAll(q, row => row.Select((value, k) => value / sums[k]).ToArray());
            q = Array.ConvertAll(q, row => Array.ConvertAll(row, value => value / row.Sum()));
        }

        return q;
    }
}
