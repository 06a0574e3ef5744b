using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>What objectives have in common that compare the two views of a batch through networks of their own.</summary>
/// <remarks>Each view goes through a network by itself, so that norms are those of one view, as in the papers.</remarks>
public abstract class ViewObjective : NetworkObjective
{
    /// <summary>Without networks yet.</summary>
    /// <param name="name">The objective's name.</param>
    private protected ViewObjective(string name)
        : base(name)
    {
    }

    /// <summary>Computes the terms, in the scope of the caller.</summary>
    /// <param name="batch">Two samples and more.</param>
    /// <param name="features">Its features.</param>
    private protected abstract ObjectiveResult Compare(StepBatch batch, Views features);

    private protected sealed override ObjectiveResult Look(StepBatch batch) => Compare(batch, Views.Of(batch.Features));
}

/// <summary>Rows of the same samples in two views.</summary>
/// <param name="A">[N, ...].</param>
/// <param name="B">[N, ...].</param>
internal readonly record struct Views(Tensor A, Tensor B)
{
    /// <summary>The halves of a step's rows.</summary>
    /// <param name="rows">[2N, ...]: view A, then view B.</param>
    public static Views Of(Tensor rows) => new(rows.narrow(0, 0, rows.shape[0] / 2), rows.narrow(0, rows.shape[0] / 2, rows.shape[0] / 2));

    /// <summary>Each view through a network by itself.</summary>
    public Views Through(nn.Module<Tensor, Tensor> network) => new(network.forward(A), network.forward(B));

    /// <summary>The same through a network that gets no gradient, and passes none on.</summary>
    public Views ThroughStopped(nn.Module<Tensor, Tensor> network)
    {
        using var noGrad = no_grad();
        return Through(network);
    }

    /// <summary>Rows of length 1.</summary>
    public Views Unit() => new(normalize(A, 2, dim: 1), normalize(B, 2, dim: 1));

    /// <summary>Without gradient.</summary>
    public Views Stopped() => new(A.detach(), B.detach());
}

/// <summary>Categorical cross-entropy over the samples of a batch.</summary>
internal static class InBatch
{
    /// <summary>mean_i -log(exp(s_ii) / Σ_j exp(s_ij)): how well each row tells its own column from the others.</summary>
    /// <param name="scores">s, [N, N], float32.</param>
    /// <param name="samples">The packed key of each sample, [N]. A sample that replay drew twice is no negative of itself.</param>
    /// <returns>A scalar; where all samples differ exactly the formula.</returns>
    public static Tensor Choice(Tensor scores, Tensor samples)
    {
        var candidates = scores.masked_fill(Repeated(samples), float.NegativeInfinity);
        return (candidates.logsumexp(1) - scores.diagonal()).mean();
    }

    /// <summary>Where the row's and the column's sample are one that was drawn twice, [N, N], bool; false on the diagonal.</summary>
    /// <param name="samples">The packed key of each sample, [N].</param>
    public static Tensor Repeated(Tensor samples)
        => samples.unsqueeze(1).eq(samples.unsqueeze(0)).logical_xor(eye(samples.shape[0], dtype: ScalarType.Bool, device: samples.device));
}
