using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ContextEncoderObjectiveTests
{
    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        using var objective = new ContextEncoderObjective(8, Making.Grey);
        var (spy, batch) = Spy.Step(objective, Making.Grey);
        var loss = objective.Compute(batch).Terms["inpainting"].item<float>();
        var decoder = (nn.Module<Tensor, Tensor>)objective.Own.named_children().Single().module;
        var made = Doubles.Rows(decoder.forward(tensor(spy.Features[0].SelectMany(row => row, (_, value) => (float)value).ToArray()).view(6, 8)).flatten(1));
        var (context, whole) = (Doubles.Rows(spy.Inputs[0].flatten(1)), Doubles.Rows(batch.Pixels.flatten(1)));
        var mean = whole.SelectMany(row => row).Average();
        var sum = 0.0;
        for (var i = 0; i < 6; i++)
        {
            // Samples are asked about in another order: the corner tells which one it is.
            double[] original = whole.Single(row => Math.Abs(row[0] - context[i][0]) < 1e-7);
            for (var place = 0; place < 144; place++)
            {
                var (y, x) = (place / 12, place % 12);
                var taken = y is >= 3 and < 9 && x is >= 3 and < 9;
                Assert.Equal(taken ? mean : original[place], context[i][place], 1e-5);
                sum += taken ? Math.Pow(original[place] - made[i][((y - 3) * 6) + x - 3], 2) : 0;
            }
        }

        Assert.Equal(sum / 6 / 36, loss, 5);
    }

    [Fact]
    public void Of_black_everywhere_it_costs_what_the_region_holds()
    {
        // Hand-computed: a decoder of zeros misses a region of halves by a quarter, whatever is around it.
        using var scope = NewDisposeScope();
        using var objective = new ContextEncoderObjective(8, Making.Grey);
        Doubles.Clear(objective, "decoder");
        var batch = Making.Batch(1);
        batch.Pixels.narrow(2, 3, 6).narrow(3, 3, 6).fill_(0.5f);
        Assert.Equal(0.25, objective.Compute(batch).Terms["inpainting"].item<float>(), 5);
    }
}
