using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class PirlObjectiveTests
{
    private static readonly PirlObjective.Options Small = new() { KeyWidth = 8, Temperature = 0.3, Share = 0.4 };

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new PirlObjective(8, Small);
        var (spy, batch) = Spy.Step(objective, Catalogued.Shape);
        var terms = objective.Compute(batch).Terms;
        double[][] pieces = [.. Doubles.Through(spy.Features[0], objective, "piece").Chunk(9).Select(sample => sample.SelectMany(piece => piece).ToArray())];
        var (g, f) = (Doubles.Unit(Doubles.Through(pieces, objective, "pieces")), Doubles.Unit(Doubles.Through(spy.Features[1], objective, "image")));
        int[] rows = Spy.Find(batch.Pixels, spy.Inputs[1]);
        var memories = Doubles.Unit(Doubles.Through(Doubles.Rows(batch.KeyFeatures)[..6], objective, "memory"));
        var (others, of) = (Doubles.Rows(batch.BankKeys), batch.BankSamples.data<long>().ToArray());
        Assert.Equal(0.4 * Mean(g), terms["pieces"].item<float>(), 4);
        Assert.Equal(0.6 * Mean(f), terms["image"].item<float>(), 4);

        double Mean(double[][] made) => made.Select((v, i) => Loss(memories[rows[i]], v, [.. others.Where((_, k) => of[k] != rows[i])], 0.3)).Average();
    }

    [Fact]
    public void One_other_memory_at_a_right_angle_costs_what_the_formula_says()
    {
        // Hand-computed at τ = 1: h of the own one is e / (e + 1), that of the other 1 / (1 + 1).
        using var scope = NewDisposeScope();
        var (own, other) = (tensor(new float[,] { { 1, 0 } }), tensor(new float[,] { { 0, 1 } }));
        Assert.Equal(Math.Log(1 + (1 / Math.E)) + Math.Log(2), Of(own, own, other, false), 5);
        Assert.Equal(0, Of(own, own, other, true), 5);
        Assert.Equal(0, Of(own, own, other.narrow(0, 0, 0), null), 5);

        static double Of(Tensor memory, Tensor row, Tensor others, bool? left) =>
            PirlObjective.Contrast(memory, row, others, left is { } own ? tensor(new[,] { { own } }) : zeros(1, 0, ScalarType.Bool), 1).item<float>();
    }

    [Fact]
    public void The_nearer_the_memory_the_lower_the_loss()
    {
        using var scope = NewDisposeScope();
        var others = nn.functional.normalize(randn(20, 4), 2, dim: 1);
        var memory = tensor(new float[,] { { 1, 0, 0, 0 } });
        double[] losses =
        [
            .. new[] { 0.0, 0.5, 1.0, 2.0 }.Select(angle => (double)PirlObjective.Contrast(
                tensor(new[,] { { (float)Math.Cos(angle), (float)Math.Sin(angle), 0, 0 } }), memory, others, zeros(1, 20, ScalarType.Bool), 0.2).item<float>()),
        ];
        Assert.Equal(losses.Order(), losses);
        Assert.True(losses[^1] > losses[0] + 1);
    }

    // Equations 3 and 4 as they stand.
    private static double Loss(double[] memory, double[] v, double[][] others, double temperature)
    {
        double Similarity(double[] m) => Math.Exp(Doubles.Dot(m, v) / temperature);
        double H(double[] m) => Similarity(m) / (Similarity(m) + others.Sum(Similarity));
        return -Math.Log(H(memory)) - others.Sum(other => Math.Log(1 - H(other)));
    }
}
