using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What objectives have in common that ask a question about changed samples to which the answer is known.</summary>
/// <remarks>
/// They read nothing but samples, some of each step. Which ones, and everything else that is drawn, is keyed by the step and goes by the samples' keys: the order
/// of samples does not matter. A batch of one sample has no statistics for norms: it has no terms.
/// </remarks>
public abstract class PretextObjective : IObjective
{
    private readonly string _name;

    /// <summary>Without networks yet.</summary>
    /// <param name="name">The objective's name.</param>
    private protected PretextObjective(string name) => (_name, Networks) = (name, new OwnNetworks(name));

    /// <summary>What it learns itself.</summary>
    private protected OwnNetworks Networks { get; }

    /// <summary>How many samples of a step it asks about, at most: pieces and turns of a sample are encoded like samples.</summary>
    private protected abstract int Images { get; }

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
            return new ObjectiveResult(new Dictionary<string, Tensor>(StringComparer.Ordinal));
        }

        using var generator = batch.Draws(_name);
        var rows = batch.Choose(Images, generator);
        var result = Ask(batch, rows, batch.Pixels.index_select(0, rows), generator);
        foreach (var term in result.Terms.Values)
        {
            term.MoveToOuterDisposeScope();
        }

        result.Keys?.MoveToOuterDisposeScope();
        return result;
    }

    /// <inheritdoc/>
    public virtual void AfterStep(double momentum) => Networks.MoveTwins(momentum);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Computes the terms, in the scope of the caller.</summary>
    /// <param name="batch">The step.</param>
    /// <param name="rows">The samples that are asked about, [M], int64; M from 2 to <see cref="Images"/>.</param>
    /// <param name="pixels">Their pixels, [M, C, H, W], float32, 0 to 1.</param>
    /// <param name="generator">Where randomness comes from; of the CPU.</param>
    private protected abstract ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator);

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
