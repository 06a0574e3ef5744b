using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class Wav2Vec2ObjectiveTests
{
    // Latents of a sample, and their width.
    private const int Places = 16;
    private const int Width = 8;

    private static readonly SampleShape Shape = Catalogued.Shape;

    [Fact]
    public void It_equals_the_papers_formulas_in_plain_loops()
    {
        var options = new Wav2Vec2Objective.Options { Starts = 0.13, Span = 3, Groups = 2, Words = 5, WordWidth = 3, Softness = 0.7, Diversity = 2, Width = 4 };
        using var scope = NewDisposeScope();
        using var objective = new Wav2Vec2Objective(Width, options);
        var (spy, batch) = Spy.Step(objective, Shape);
        var terms = objective.Compute(batch).Terms;
        var networks = objective.Own.named_children().ToDictionary(child => child.name, child => (nn.Module<Tensor, Tensor>)child.module, StringComparer.Ordinal);
        var weights = objective.Own.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);

        // What was drawn, in the order in which it is drawn: where spans begin, and the noise of choices.
        using var generator = batch.Draws("wav2vec2");
        batch.Choose(options.Images, generator);
        double[][] begins = Doubles.Rows(rand([6, Places - options.Span + 1], generator: generator));
        float[] draws = Making.Floats(rand([6, Places, 2, 5], generator: generator));
        bool[][] masked = [.. begins.Select(row => Enumerable.Range(0, Places).Select(place => row.Index().OrderBy(entry => entry.Item).Take(2).Any(start => place >= start.Index && place < start.Index + 3)).ToArray())];

        double[][] latents = Array.ConvertAll(spy.Features[0], row =>
        {
            var mean = row.Average();
            return Array.ConvertAll(row, value => (value - mean) / Math.Sqrt(row.Average(other => (other - mean) * (other - mean)) + 1e-5));
        });
        double[][] embedded = Doubles.Through(latents, objective, "embedding"), logits = Doubles.Through(latents, objective, "choice");
        double[] hidden = [.. Making.Floats(weights["hidden"]).Select(value => (double)value)];
        float[] words = Making.Floats(weights["words"]);
        var known = Plain([.. embedded.Select((row, i) => masked[i / Places][i % Places] ? hidden : row)]).view(6, Places, 16);
        double[][] contexts = Doubles.Through(Doubles.Rows(networks["context"].forward(known + networks["places"].forward(known)).flatten(0, 1)), objective, "answer");
        int[][] chosen = [.. logits.Select((row, i) => Enumerable.Range(0, 2)
            .Select(group => Enumerable.Range(0, 5).MaxBy(v => row[(group * 5) + v] - Math.Log(-Math.Log(draws[(i * 10) + (group * 5) + v])))).ToArray())];
        double[][] targets = [.. chosen.Select(pair => pair.SelectMany((word, group) => words.AsSpan(((group * 5) + word) * 3, 3).ToArray().Select(value => (double)value)).ToArray())];
        var losses = new List<double>();
        for (var i = 0; i < 6 * Places; i++)
        {
            if (masked[i / Places][i % Places])
            {
                var first = i / Places * Places;
                var candidates = Enumerable.Range(0, Places)
                    .Where(place => first + place == i || (masked[i / Places][place] && !chosen[first + place].SequenceEqual(chosen[i])))
                    .Select(place => Doubles.Cosine(contexts[i], targets[first + place]) / 0.1);
                losses.Add(Doubles.Choice(Doubles.Cosine(contexts[i], targets[i]) / 0.1, candidates));
            }
        }

        Assert.InRange(losses.Count, 6 * 4, 6 * 6);
        Assert.Equal(losses.Average(), terms["contrast"].item<float>(), 1e-3);
        var diversity = Enumerable.Range(0, 10).Sum(v =>
        {
            var share = logits.Average(row => Math.Exp(row[v]) / row[(v / 5 * 5)..((v / 5 * 5) + 5)].Sum(Math.Exp));
            return share * Math.Log(share);
        });
        Assert.Equal(2 * diversity / 10, terms["diversity"].item<float>(), 1e-4);
    }

    [Fact]
    public void One_that_knows_nothing_guesses_among_the_masked_and_uses_all_words_alike()
    {
        // By hand: one span of five, ln 5; and 2 groups of 40 words with a share of 1/40 each: 10 · 2 ln(1/40) / (2 · 40).
        using var scope = NewDisposeScope();
        using var objective = new Wav2Vec2Objective(Width, new Wav2Vec2Objective.Options { Starts = 0.01 });
        Doubles.Clear(objective, "answer");
        Doubles.Clear(objective, "choice");
        var terms = objective.Compute(Catalogued.Batch(objective)).Terms;
        Assert.Equal(Math.Log(5), terms["contrast"].item<float>(), 4);
        Assert.Equal(-0.92222, terms["diversity"].item<float>(), 4);
    }

    [Fact]
    public void What_has_the_same_words_is_not_to_be_told_apart()
    {
        using var scope = NewDisposeScope();
        using var objective = new Wav2Vec2Objective(Width, new Wav2Vec2Objective.Options { Starts = 0.5, Groups = 1, Words = 2 });
        Doubles.Clear(objective, "answer");

        // In silence all places are alike, and the network is so sure of their word that noise does not change it: nothing is left to choose among.
        var silence = Catalogued.Batch(objective) with { EncodeLatents = _ => arange(Width, ScalarType.Float32).expand(6, Places, Width) };
        using (no_grad())
        {
            objective.Own.named_parameters().Single(p => p.name is "choice.bias").parameter.copy_(tensor(new[] { 1000f, 0 }));
        }

        Assert.Equal(0, objective.Compute(silence).Terms["contrast"].item<float>(), 4);

        // The control: sounds that differ are told from one another.
        Doubles.Clear(objective, "choice");
        Assert.InRange(objective.Compute(silence).Terms["contrast"].item<float>(), 1, Math.Log(Places));
    }

    [Fact]
    public void What_is_masked_is_not_seen()
    {
        using var scope = NewDisposeScope();
        using var objective = new Wav2Vec2Objective(Width, new Wav2Vec2Objective.Options { Starts = 0.5, Span = 15 });

        // Everything is masked, and words are chosen by chance alone: latents have no way left to the loss.
        Doubles.Clear(objective, "choice");
        var batch = Catalogued.Batch(objective);
        float Loss(int seed)
        {
            using var generator = new Generator((ulong)seed);
            return objective.Compute(batch with { EncodeLatents = _ => randn([6, Places, Width], generator: generator) }).Terms["contrast"].item<float>();
        }

        Assert.Equal(Loss(1), Loss(2));
        using var other = new Wav2Vec2Objective(Width, new Wav2Vec2Objective.Options { Starts = 0.01 });
        Doubles.Clear(other, "choice");
        float Seen(int seed)
        {
            using var generator = new Generator((ulong)seed);
            return other.Compute(batch with { EncodeLatents = _ => randn([6, Places, Width], generator: generator) }).Terms["contrast"].item<float>();
        }

        Assert.NotEqual(Seen(1), Seen(2));
    }

    [Fact]
    public void Places_are_told_by_their_neighbours_whatever_the_reach()
    {
        using var scope = NewDisposeScope();
        foreach (var reach in new[] { 1, 4, 15, 31 })
        {
            using var places = new RelativePlaces(16, reach);
            Assert.Equal([3L, 9, 16], places.forward(randn(3, 9, 16)).shape);
        }
    }

    private static Tensor Plain(double[][] rows) => tensor(rows.SelectMany(row => row, (_, value) => (float)value).ToArray()).view(rows.Length, -1);
}
