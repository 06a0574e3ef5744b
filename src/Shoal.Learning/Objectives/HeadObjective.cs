using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>What objectives have in common that teach the cluster heads one view's clusters by the other's, and own nothing.</summary>
/// <remarks>
/// For replayed rows only: whatever such an objective assumes of the sizes of clusters holds for the whole past, and on a
/// stream that is not iid fresh samples say nothing about it. The mean is over both directions; losses are means over heads.
/// </remarks>
public abstract class HeadObjective : IObjective
{
    private readonly string _term;
    private readonly nn.Module _own = nn.Sequential();

    /// <summary>With a name for its one term.</summary>
    /// <param name="term">The name.</param>
    private protected HeadObjective(string term) => _term = term;

    /// <inheritdoc/>
    public nn.Module Own => _own;

    /// <inheritdoc/>
    public int KeyWidth => 0;

    /// <inheritdoc/>
    public ObjectiveResult Compute(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var count = StepBatch.CheckedCount(batch);
        var terms = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        if (batch.Replayed.shape[0] > 0)
        {
            Tensor Cosines(Tensor rows) => batch.Head.Cosines(normalize(batch.Features.index_select(0, rows), 2, dim: 1));
            var (a, b) = (Cosines(batch.Replayed), Cosines(batch.Replayed + count));
            terms[_term] = ((Loss(a, b, batch.Head.Scale) + Loss(b, a, batch.Head.Scale)) / 2).MoveToOuterDisposeScope();
        }

        return new ObjectiveResult(terms);
    }

    /// <inheritdoc/>
    public void AfterStep(double momentum)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _own.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What the other view's heads lose by this one's.</summary>
    /// <param name="teaching">Cosines of one view with the prototypes, [H, R, K].</param>
    /// <param name="taught">Those of the other view of the same samples.</param>
    /// <param name="scale">The heads' inverse temperature.</param>
    /// <returns>A scalar.</returns>
    private protected abstract Tensor Loss(Tensor teaching, Tensor taught, double scale);
}
