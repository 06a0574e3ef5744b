using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class NnclrObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(2);
        using var objective = new NnclrObjective(8);
        Assert.Equal(Reference(objective, batch), Contrast(objective, batch), 4);

        // Without a bank each view is its own neighbour.
        var empty = Making.Batch(2, bank: 0);
        Assert.Equal(Reference(objective, empty), Contrast(objective, empty), 4);
    }

    [Fact]
    public void A_neighbour_is_never_of_the_sample_itself_nor_forgotten()
    {
        using var scope = NewDisposeScope();
        using var objective = new NnclrObjective(8);
        var batch = Making.Batch(2);
        var keys = objective.Compute(batch).Keys!;

        // The bank holds the very views: as other samples' keys they are the nearest, as their own they are not looked at.
        var others = batch with { BankKeys = keys, BankSamples = arange(100, 106, ScalarType.Int64) };
        var own = batch with { BankKeys = keys, BankSamples = arange(6, ScalarType.Int64) };
        var forgotten = batch with { BankKeys = zeros(6, 64), BankSamples = full(6, -1L, ScalarType.Int64) };
        var none = batch with { BankKeys = zeros(0, 64), BankSamples = zeros(0, ScalarType.Int64) };
        Assert.Equal(Contrast(objective, none with { Features = OnlyA(batch) }), Contrast(objective, others with { Features = OnlyA(batch) }), 4);
        Assert.NotEqual(Contrast(objective, others), Contrast(objective, own), 0.01f);
        Assert.Equal(Contrast(objective, none), Contrast(objective, forgotten), 5);
    }

    [Fact]
    public void Its_keys_are_unit_vectors_of_view_A_without_gradient()
    {
        using var scope = NewDisposeScope();
        using var objective = new NnclrObjective(8);
        var batch = Making.Batch(2);
        var keys = objective.Compute(batch).Keys!;
        var expected = Doubles.Unit(Doubles.Through(Doubles.Views(batch.Features).A, objective, "projector"));
        Assert.Equal([6L, 64L], keys.shape);
        Assert.False(keys.requires_grad);
        Assert.All(Doubles.Rows(keys).Zip(expected), pair => Assert.Equal(1, Doubles.Cosine(pair.First, pair.Second), 5));
        Assert.All(Making.Floats(keys.norm(1, false, 2)), length => Assert.Equal(1, length, 5));
    }

    [Fact]
    public void Predictions_that_are_all_alike_leave_a_choice_among_N()
    {
        // Hand-computed: without its last weights the predictor says its bias whatever it is asked.
        using var scope = NewDisposeScope();
        using var objective = new NnclrObjective(8);
        Doubles.Clear(objective, "predictor.3.weight");
        Assert.Equal(Math.Log(6), Contrast(objective, Making.Batch(2)), 5);
    }

    // Both views are view A: then view A's keys are the nearest of either.
    private static Tensor OnlyA(StepBatch batch) => batch.Features.narrow(0, 0, 6).repeat(2, 1);

    private static float Contrast(NnclrObjective objective, StepBatch batch) => objective.Compute(batch).Terms["contrast"].item<float>();

    private static double Reference(NnclrObjective objective, StepBatch batch)
    {
        var z = Doubles.Views(batch.Features).Through(objective, "projector");
        var p = z.Through(objective, "predictor");
        var (samples, bankSamples) = (batch.Samples.data<long>().ToArray(), batch.BankSamples.data<long>().ToArray());
        var bank = bankSamples.Length == 0 ? [] : Doubles.Rows(batch.BankKeys);
        double[] Nearest(double[] row, int i)
            => bank.Where((_, k) => bankSamples[k] != samples[i]).DefaultIfEmpty(row).MaxBy(key => Doubles.Cosine(key, row))!;
        double Direction(double[][] view, double[][] other)
            => Doubles.Contrast(Doubles.Unit([.. view.Select(Nearest)]), Doubles.Unit(other), 0.1);
        return (Direction(z.A, p.B) + Direction(z.B, p.A)) / 2;
    }
}
