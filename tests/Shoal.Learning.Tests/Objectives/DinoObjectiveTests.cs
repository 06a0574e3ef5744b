using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class DinoObjectiveTests
{
    private static readonly DinoObjective.Options Small = new() { Outputs = 32, Bottleneck = 16, Hidden = 32 };

    [Fact]
    public void It_equals_the_papers_formula_in_plain_loops_with_a_centre_that_follows()
    {
        using var scope = NewDisposeScope();
        using var objective = new DinoObjective(8, Small);
        var batch = Making.Batch(2);
        var centre = new double[32];
        Assert.Equal(Reference(objective, batch, centre), Distillation(objective, batch), 4);

        // Once a step is over, the centre has moved by a tenth towards the mean of what the teacher said of both views.
        var (a, b) = Head(objective, "teacher", batch.KeyFeatures);
        objective.AfterStep(1);
        centre = [.. centre.Select((old, k) => (0.9 * old) + (0.1 * a.Concat(b).Average(row => row[k])))];
        Assert.Equal(centre, Making.Floats(objective.Own.get_buffer("centre")!).Select(value => (double)value), (x, y) => Math.Abs(x - y) < 1e-5);
        Assert.Equal(Reference(objective, batch, centre), Distillation(objective, batch), 4);
    }

    [Fact]
    public void From_small_crops_both_views_are_foretold_too()
    {
        using var scope = NewDisposeScope();
        using var objective = new DinoObjective(8, Small);
        var batch = Making.Batch(2);
        batch = batch with { CropFeatures = randn(12, 8, requires_grad: true) };
        Assert.Equal(Reference(objective, batch, new double[32]), Distillation(objective, batch), 4);
        objective.Compute(batch).Terms["distillation"].backward();
        Assert.All(Making.Floats(batch.CropFeatures!.grad!.norm(1, false, 2)), length => Assert.True(length > 0));
    }

    [Fact]
    public void A_student_that_says_the_same_of_everything_scores_log_K()
    {
        // Hand-computed: outputs of zeros make the student uniform, which scores log K whatever the target is.
        using var scope = NewDisposeScope();
        using var objective = new DinoObjective(8, Small);
        Doubles.Clear(objective, "student.outputs");
        Assert.Equal(Math.Log(32), Distillation(objective, Making.Batch(2)), 5);
    }

    [Fact]
    public void The_teacher_gets_no_gradient()
    {
        using var scope = NewDisposeScope();
        using var objective = new DinoObjective(8, Small);
        var batch = Making.Batch(2) with { KeyFeatures = randn(12, 8, requires_grad: true) };
        objective.Compute(batch).Terms["distillation"].backward();
        Assert.Null(batch.KeyFeatures.grad);
        Assert.All(objective.Own.named_parameters().Where(p => p.name.StartsWith("teacher.", StringComparison.Ordinal)), p => Assert.Null(p.parameter.grad));
    }

    [Fact]
    public void Three_hundred_steps_give_each_of_eight_kinds_an_output()
    {
        var (most, certainty) = Chosen(Small);
        Assert.InRange(most, 0.1, 0.2);
        Assert.InRange(certainty, 0.8, 1);
    }

    // The paper's two ways to collapse, section 5.3.
    [Fact]
    public void Without_centring_one_output_takes_the_most_and_without_sharpening_all_are_alike()
    {
        Assert.InRange(Chosen(Small with { CentreMomentum = 1 }).Most, 0.4, 1);
        Assert.InRange(Chosen(Small with { TeacherTemperature = 0.2 }).Certainty, 0, 0.1);
    }

    // The share of the output that has most of all kinds, and of each kind the share of its own.
    private static (double Most, double Certainty) Chosen(DinoObjective.Options options)
    {
        using var trial = new CollapseTrial();
        using var objective = new DinoObjective(CollapseTrial.Width, options);
        var (most, certainty) = (0.0, 0.0);
        trial.Run(objective, "student", 0.003, seen: outputs =>
        {
            var shares = nn.functional.softmax(outputs / options.TeacherTemperature, 1);
            (most, certainty) = (shares.mean([0]).max().item<float>(), shares.amax([1]).mean().item<float>());
        });
        return (most, certainty);
    }

    private static float Distillation(DinoObjective objective, StepBatch batch) => objective.Compute(batch).Terms["distillation"].item<float>();

    private static double Reference(DinoObjective objective, StepBatch batch, double[] centre)
    {
        var (student, teacher) = (Head(objective, "student", batch.Features), Head(objective, "teacher", batch.KeyFeatures));
        double H(double[][] teaching, double[][] taught) => teaching.Zip(taught, (t, s) =>
        {
            var target = HeadReference.Softmax(t.Select((value, k) => (value - centre[k]) / 0.04));
            var said = HeadReference.Softmax(s.Select(value => value / 0.1));
            return -target.Zip(said, (p, q) => p * Math.Log(q)).Sum();
        }).Average();
        var sum = H(teacher.A, student.B) + H(teacher.B, student.A);
        if (batch.CropFeatures is null)
        {
            return sum / 2;
        }

        // Two crops of each sample.
        var (first, second) = Head(objective, "student", batch.CropFeatures);
        return (sum + H(teacher.A, first) + H(teacher.B, first) + H(teacher.A, second) + H(teacher.B, second)) / 6;
    }

    private static (double[][] A, double[][] B) Head(DinoObjective objective, string name, Tensor features)
    {
        var head = objective.Own.named_children().Single(child => child.name.Equals(name, StringComparison.Ordinal)).module;
        var outputs = Doubles.Unit(Doubles.Rows(head.named_parameters().Single(p => p.name is "outputs").parameter));
        var layers = head.named_children().Single(child => child.name is "layers").module.children();
        double[][] Through(double[][] rows)
            => Array.ConvertAll(Doubles.Unit(layers.Aggregate(rows, Doubles.Layer)), row => Array.ConvertAll(outputs, output => Doubles.Dot(row, output)));
        var (a, b) = Doubles.Views(features);
        return (Through(a), Through(b));
    }
}
