using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class PseudoLabelObjectiveTests
{
    [Fact]
    public void It_equals_cross_entropy_in_plain_loops()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(4);
        using var head = batch.Head;
        using var objective = new PseudoLabelObjective(8);
        var logs = Making.Floats(head.LogProbabilities(nn.functional.normalize(batch.Features, 2, dim: 1)));
        var labels = batch.Labels.data<long>().ToArray();
        var (sum, count) = (0.0, 0);
        for (var h = 0; h < 2; h++)
        {
            for (var row = 0; row < 12; row++)
            {
                if (labels[row % 6] is var label && label >= 0)
                {
                    sum -= logs[(((h * 12) + row) * 3) + label];
                    count++;
                }
            }
        }

        Assert.InRange(count, 12, 22);
        Assert.Equal(sum / count, objective.Compute(batch).Terms["recognition"].item<float>(), 4);
    }

    [Fact]
    public void Without_labels_there_is_no_loss()
    {
        using var scope = NewDisposeScope();
        var batch = Making.Batch(4);
        using var objective = new PseudoLabelObjective(8);
        Assert.Empty(objective.Compute(batch with { Labels = full(6, -1L, ScalarType.Int64) }).Terms);
    }

    [Fact]
    public void Labels_of_another_count_are_named()
    {
        using var scope = NewDisposeScope();
        using var objective = new PseudoLabelObjective(8);
        var error = Assert.Throws<ArgumentException>(() => objective.Compute(Making.Batch(4) with { Labels = zeros(5, ScalarType.Int64) }));
        Assert.Contains("[5]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[6]", error.Message, StringComparison.Ordinal);
    }
}
