using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ColorizationObjectiveTests
{
    private static readonly SampleShape Shape = new(3, 8, 8);

    // CIE L*a*b* under D65 of the corners of sRGB, as tables give them.
    [Theory]
    [InlineData(0, 0, 0, 0, 0, 0)]
    [InlineData(1, 1, 1, 100, 0, 0)]
    [InlineData(1, 0, 0, 53.24, 80.09, 67.20)]
    [InlineData(0, 1, 0, 87.73, -86.18, 83.18)]
    [InlineData(0, 0, 1, 32.30, 79.19, -107.86)]
    [InlineData(0.5, 0.5, 0.5, 53.39, 0, 0)]
    public void Colours_are_those_of_tables(float red, float green, float blue, double lightness, double a, double b)
    {
        using var scope = NewDisposeScope();
        var lab = Making.Floats(LabColours.Of(tensor(new[] { red, green, blue }).view(1, 3, 1, 1)));
        Assert.Equal(lightness, lab[0], 0.03);
        Assert.Equal(a, lab[1], 0.03);
        Assert.Equal(b, lab[2], 0.03);
    }

    [Fact]
    public void Colours_are_as_many_as_the_gamut_is_large()
    {
        // The hexagon of sRGB's primaries and their mixtures covers 220 squares of the grid's step (shoelace formula); a point counts from half a step outside, too.
        (float A, float B)[] points = [.. LabColours.Points.Chunk(2).Select(point => (point[0], point[1]))];
        Assert.InRange(points.Length, 250, 270);
        Assert.Equal(points.Length, points.Distinct().Count());
        Assert.All(points, point => Assert.Equal((0, 0), (point.A % 10, point.B % 10)));
        Assert.Contains((0f, 0f), points);
    }

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops_also_where_colours_were_seen_before()
    {
        using var scope = NewDisposeScope();
        using var objective = new ColorizationObjective(8, Shape, new ColorizationObjective.Options { FrequencyMomentum = 0.2 });
        var points = Doubles.Rows(tensor(LabColours.Points).view(-1, 2));
        var frequencies = Array.ConvertAll(points, _ => 1.0 / points.Length);
        for (var step = 0; step < 3; step++)
        {
            var (spy, batch) = Spy.Step(objective, Shape, step);
            var loss = objective.Compute(batch).Terms["colour"].item<float>();
            var decoder = (nn.Module<Tensor, Tensor>)objective.Own.named_children().Single().module;
            var made = Doubles.Rows(decoder.forward(tensor(spy.Features[0].SelectMany(row => row, (_, value) => (float)value).ToArray()).view(6, 8)).permute(0, 2, 3, 1).reshape(-1, points.Length));
            var lab = LabColours.Of(batch.Pixels);

            // Grey alone is seen, in all channels; which sample it is follows from it.
            int[] rows = Spy.Find((lab.narrow(1, 0, 1) / 100).expand(6, 3, 8, 8), spy.Inputs[0]);
            var colours = Doubles.Rows(lab.narrow(1, 1, 2).permute(0, 2, 3, 1).reshape(-1, 2));
            var raw = Array.ConvertAll(frequencies, p => 1 / ((0.5 * p) + (0.5 / points.Length)));
            var mean = raw.Zip(frequencies, (w, p) => w * p).Sum();
            var (sum, seen) = (0.0, new double[points.Length]);
            for (var place = 0; place < made.Length; place++)
            {
                var (shares, nearest) = Spread(colours[(rows[place / 64] * 64) + (place % 64)], points);
                sum += raw[nearest] / mean * shares.Select((share, q) => share == 0 ? 0 : share * Doubles.Choice(made[place][q], made[place])).Sum();
                seen = [.. seen.Zip(shares, (before, share) => before + (share / made.Length))];
            }

            Assert.Equal(sum / made.Length, loss, 3);
            objective.AfterStep(0.99);
            frequencies = [.. frequencies.Zip(seen, (before, now) => (0.2 * before) + (0.8 * now))];
        }
    }

    [Fact]
    public void A_decoder_that_knows_nothing_scores_the_logarithm_of_the_number_of_colours()
    {
        using var scope = NewDisposeScope();
        using var objective = new ColorizationObjective(8, Shape);
        Doubles.Clear(objective, "decoder");
        Assert.Equal(Math.Log(LabColours.Points.Length / 2), objective.Compute(Making.Batch(1, shape: Shape)).Terms["colour"].item<float>(), 4);
    }

    [Fact]
    public void Grey_samples_are_refused_with_the_reason()
    {
        var problem = Assert.Single(new LearnerOptions { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["colorization"] = 1 } }.Problems(Making.Grey));
        Assert.Contains("learns from colours; samples have 1 channel(s), and it needs 3.", problem, StringComparison.Ordinal);
    }

    private static (double[] Shares, int Nearest) Spread(double[] colour, double[][] points)
    {
        double Distance(double[] point) => Math.Pow(point[0] - colour[0], 2) + Math.Pow(point[1] - colour[1], 2);
        var near = points.Index().OrderBy(point => Distance(point.Item)).Take(5).Select(point => point.Index).ToArray();
        var shares = new double[points.Length];
        var sum = near.Sum(q => Math.Exp(-Distance(points[q]) / 50));
        Array.ForEach(near, q => shares[q] = Math.Exp(-Distance(points[q]) / 50) / sum);
        return (shares, near[0]);
    }
}
