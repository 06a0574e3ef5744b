using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class Wav2VecObjectiveTests
{
    // Latents of a sample, and their width.
    private const int Places = 16;
    private const int Width = 8;

    private static readonly SampleShape Shape = Catalogued.Shape;

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        var options = new Wav2VecObjective.Options { Ahead = 3, Distractors = 4, Width = 8 };
        using var scope = NewDisposeScope();
        using var objective = new Wav2VecObjective(Width, options);
        var (spy, batch) = Spy.Step(objective, Shape);
        var loss = objective.Compute(batch).Terms["contrast"].item<float>();
        double[][][] latents = [.. spy.Features[0].Chunk(Places)];
        double[][][] contexts = [.. latents.Select(sample => Context(objective, sample, options))];
        double[][] foretold = Doubles.Through([.. contexts.SelectMany(sample => sample)], objective, "predictor");

        // What was drawn, in the order in which it is drawn.
        using var generator = batch.Draws("wav2vec");
        batch.Choose(options.Images, generator);
        float[] draws = Making.Floats(rand([6, Places, options.Distractors], generator: generator));
        var losses = new List<double>();
        for (var ahead = 1; ahead <= options.Ahead; ahead++)
        {
            var sum = 0.0;
            for (var sample = 0; sample < 6; sample++)
            {
                for (var place = 0; place + ahead < Places; place++)
                {
                    double[] h = foretold[(sample * Places) + place][((ahead - 1) * Width)..(ahead * Width)];
                    sum -= Math.Log(Sigmoid(Doubles.Dot(latents[sample][place + ahead], h)));
                    for (var j = 0; j < options.Distractors; j++)
                    {
                        var other = (place + ahead + 1 + (int)(draws[(((sample * Places) + place + ahead) * options.Distractors) + j] * (Places - 1))) % Places;
                        Assert.NotEqual(place + ahead, other);
                        sum -= Math.Log(Sigmoid(-Doubles.Dot(latents[sample][other], h)));
                    }
                }
            }

            losses.Add(sum / (6 * (Places - ahead)));
        }

        Assert.Equal(losses.Average(), loss, 1e-3);
    }

    [Fact]
    public void A_predictor_that_knows_nothing_is_wrong_by_half_about_each_of_eleven()
    {
        // By hand: -ln σ(0) = ln 2, of the place and of its ten distractors.
        using var scope = NewDisposeScope();
        using var objective = Catalogued.Create("wav2vec");
        Doubles.Clear(objective, "predictor");
        Assert.Equal(11 * Math.Log(2), objective.Compute(Catalogued.Batch(objective)).Terms["contrast"].item<float>(), 4);
    }

    [Fact]
    public void A_context_knows_what_was_and_nothing_of_what_comes()
    {
        using var scope = NewDisposeScope();
        using var objective = Catalogued.Create("wav2vec");
        var context = (nn.Module<Tensor, Tensor>)objective.Own.named_children().Single(child => child.name is "context").module;
        var latents = randn(2, Places, Width);
        var changed = latents.clone();
        changed.narrow(1, 10, 6).fill_(5);
        var (before, after) = (context.forward(latents), context.forward(changed));
        Assert.Equal(Making.Floats(before.narrow(1, 0, 10)), Making.Floats(after.narrow(1, 0, 10)));
        Assert.NotEqual(Making.Floats(before.narrow(1, 10, 1)), Making.Floats(after.narrow(1, 10, 1)));

        // Four layers of three see nine places.
        changed = latents.clone();
        changed.narrow(1, 2, 1).fill_(5);
        var seen = Making.Floats((context.forward(changed) - before).abs().amax([0, 2]));
        Assert.Equal(Enumerable.Range(0, Places).Select(place => place is >= 2 and <= 10), seen.Select(value => value > 0));
    }

    [Fact]
    public void A_sample_of_few_latents_is_foretold_no_further_than_it_goes()
    {
        using var scope = NewDisposeScope();
        using var objective = Catalogued.Create("wav2vec");
        var batch = Catalogued.Batch(objective);
        batch = batch with { EncodeLatents = pixels => pixels.flatten(1).narrow(1, 0, 3 * Width).view(-1, 3, Width) };
        Assert.True(float.IsFinite(objective.Compute(batch).Terms["contrast"].item<float>()));
    }

    private static double Sigmoid(double value) => 1 / (1 + Math.Exp(-value));

    // [T][D] -> [T][H].
    private static double[][] Context(Wav2VecObjective objective, double[][] latents, Wav2VecObjective.Options options)
    {
        var weights = objective.Own.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
        for (var layer = 0; layer < options.Layers; layer++)
        {
            var convolution = weights[$"context.{layer}._convolution.weight"];
            float[] weight = Making.Floats(convolution), bias = Making.Floats(weights[$"context.{layer}._convolution.bias"]);
            var (inputs, kernel) = ((int)convolution.shape[1], (int)convolution.shape[2]);
            double[][] input = latents;
            latents = [.. input.Select((own, place) =>
            {
                var seen = new double[options.Width];
                for (var output = 0; output < seen.Length; output++)
                {
                    seen[output] = bias[output];
                    for (var channel = 0; channel < inputs; channel++)
                    {
                        for (var k = 0; k < kernel; k++)
                        {
                            var at = place - (kernel - 1) + k;
                            seen[output] += at < 0 ? 0 : weight[(((output * inputs) + channel) * kernel) + k] * input[at][channel];
                        }
                    }
                }

                var mean = seen.Average();
                var deviation = Math.Sqrt(seen.Average(value => (value - mean) * (value - mean)) + 1e-5);
                return seen.Select((value, d) => Math.Max(0, (value - mean) / deviation) + (inputs == options.Width ? own[d] : 0)).ToArray();
            })];
        }

        return latents;
    }
}
