using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class MaskedAutoencoderObjectiveTests
{
    // 12x12 in patches of 2x2.
    private const int Patches = 36;

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new MaskedAutoencoderObjective(8, Making.Grey);
        var (spy, batch) = Spy.Step(objective, Making.Grey);
        var loss = objective.Compute(batch).Terms["reconstruction"].item<float>();

        // A quarter of each sample's patches was shown, and which ones is seen from what was.
        var grid = PatchGrid.Of(Making.Grey);
        Assert.Equal((Patches, 4), (grid.Count, grid.Length));
        var whole = Split(batch.Pixels);
        var shown = Split(spy.Inputs[0]).Chunk(9).ToArray();
        Assert.Equal(6, shown.Length);
        var known = Doubles.Through(spy.Features[0], objective, "embedding").Chunk(9).ToArray();
        var hidden = Making.Floats(objective.Own.named_parameters().Single(p => p.name is "hidden").parameter);
        var positions = Doubles.Rows(grid.Positions(64));
        var decoder = (nn.Module<Tensor, Tensor>)objective.Own.named_children().Single(child => child.name is "decoder").module;
        var (sum, masked) = (0.0, 0);
        for (var i = 0; i < 6; i++)
        {
            int[] visible = Array.ConvertAll(shown[i], picture => Enumerable.Range(0, Patches).Single(patch => picture[patch].Any(value => Math.Abs(value - 0.5) > 1e-6)));
            Assert.Equal(9, visible.Distinct().Count());
            var sample = Enumerable.Range(0, 6).Single(row => visible.Zip(shown[i]).All(seen => Same(whole[row][seen.First], seen.Second[seen.First])));
            float[] tokens = [.. Enumerable.Range(0, Patches).SelectMany(patch =>
            {
                var at = Array.IndexOf(visible, patch);
                return positions[patch].Select((position, d) => (float)(position + (at < 0 ? hidden[d] : known[i][at][d])));
            })];
            var made = Doubles.Rows(decoder.forward(tensor(tokens).view(1, Patches, 64)).squeeze(0));
            foreach (var patch in Enumerable.Range(0, Patches).Except(visible))
            {
                double[] target = whole[sample][patch];
                var (mean, count) = (target.Average(), target.Length);
                var deviation = Math.Sqrt((target.Sum(value => (value - mean) * (value - mean)) / (count - 1)) + 1e-6);
                sum += target.Zip(made[patch], (value, guess) => Math.Pow(((value - mean) / deviation) - guess, 2)).Sum();
                masked++;
            }
        }

        Assert.Equal(6 * 27, masked);
        Assert.Equal(sum / masked / 4, loss, 4);
    }

    [Fact]
    public void A_decoder_that_knows_nothing_scores_the_variance_that_patches_were_given()
    {
        // Hand-computed: each patch has variance 1 by its three degrees of freedom, so the mean square of its four pixels is 3/4.
        using var scope = NewDisposeScope();
        using var objective = new MaskedAutoencoderObjective(8, Making.Grey);
        Doubles.Clear(objective, "decoder");
        var (_, batch) = Spy.Step(objective, Making.Grey);
        Assert.Equal(0.75, objective.Compute(batch).Terms["reconstruction"].item<float>(), 3);
    }

    [Fact]
    public void An_encoder_that_sees_no_patches_is_refused_and_auto_is_one_that_does()
    {
        var options = new LearnerOptions { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["mae"] = 1, ["moco"] = 0.1 } };
        Assert.Equal("vit", options.EncoderOf(Making.Grey));
        Assert.Empty(options.Problems(Making.Grey));
        var problem = Assert.Single((options with { Encoder = "strided" }).Problems(Making.Grey));
        Assert.Contains("which 'strided' cannot see; use encoder 'vit' or 'auto'.", problem, StringComparison.Ordinal);
    }

    // [sample][patch][pixel].
    private static double[][][] Split(Tensor pictures) => [.. Doubles.Rows(PatchGrid.Of(Making.Grey).Split(pictures).flatten(0, 1)).Chunk(Patches)];

    private static bool Same(double[] one, double[] other) => one.Zip(other).All(pair => Math.Abs(pair.First - pair.Second) < 1e-6);
}
