using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What objectives have in common that have networks of their own and compare samples with one another.</summary>
/// <remarks>A batch of one sample has no other to compare it with and no statistics for norms: it has no terms.</remarks>
public abstract class NetworkObjective : IObjective
{
    /// <summary>Without networks yet.</summary>
    /// <param name="name">The objective's name.</param>
    private protected NetworkObjective(string name) => (Name, Networks) = (name, new OwnNetworks(name));

    /// <summary>The objective's name.</summary>
    private protected string Name { get; }

    /// <summary>What it learns itself.</summary>
    private protected OwnNetworks Networks { get; }

    /// <inheritdoc/>
    public nn.Module Own => Networks;

    /// <inheritdoc/>
    public virtual int KeyWidth => 0;

    /// <inheritdoc/>
    public ObjectiveResult Compute(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        if (StepBatch.CheckedCount(batch) < 2)
        {
            return Of();
        }

        var result = Look(batch);
        foreach (var term in result.Terms.Values)
        {
            term.MoveToOuterDisposeScope();
        }

        result.Keys?.MoveToOuterDisposeScope();
        return result;
    }

    /// <inheritdoc/>
    public virtual void AfterStep(double momentum) => Networks.AfterStep(momentum);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Computes the terms, in the scope of the caller.</summary>
    /// <param name="batch">Two samples and more.</param>
    private protected abstract ObjectiveResult Look(StepBatch batch);

    /// <summary>Terms, and nothing for the bank.</summary>
    /// <param name="terms">Names and scalars.</param>
    private protected static ObjectiveResult Of(params ReadOnlySpan<(string Name, Tensor Value)> terms)
    {
        var named = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, value) in terms)
        {
            named.Add(name, value);
        }

        return new ObjectiveResult(named);
    }

    /// <summary>Frees what is its own.</summary>
    /// <param name="disposing">Whether it is asked to, and not left over.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Networks.Dispose();
        }
    }
}
