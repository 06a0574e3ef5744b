using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What objectives have in common that ask a question about changed samples to which the answer is known.</summary>
/// <remarks>
/// They read nothing but samples, some of each step. Which ones, and everything else that is drawn, is keyed by the step and goes by the samples' keys: the order
/// of samples does not matter.
/// </remarks>
public abstract class PretextObjective : NetworkObjective
{
    /// <summary>Without networks yet.</summary>
    /// <param name="name">The objective's name.</param>
    private protected PretextObjective(string name)
        : base(name)
    {
    }

    /// <summary>How many samples of a step it asks about, at most: pieces and turns of a sample are encoded like samples.</summary>
    private protected abstract int Images { get; }

    /// <summary>Computes the terms, in the scope of the caller.</summary>
    /// <param name="batch">The step.</param>
    /// <param name="rows">The samples that are asked about, [M], int64; M from 2 to <see cref="Images"/>.</param>
    /// <param name="pixels">Their pixels, [M, C, H, W], float32, 0 to 1.</param>
    /// <param name="generator">Where randomness comes from; of the CPU.</param>
    private protected abstract ObjectiveResult Ask(StepBatch batch, Tensor rows, Tensor pixels, Generator generator);

    private protected sealed override ObjectiveResult Look(StepBatch batch)
    {
        using var generator = batch.Draws(Name);
        var rows = batch.Choose(Images, generator);
        return Ask(batch, rows, batch.Pixels.index_select(0, rows), generator);
    }
}
