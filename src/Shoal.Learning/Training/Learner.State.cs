using System.Runtime.InteropServices;

namespace Shoal.Learning;

// What a learner writes down: checkpoints, the bank, and versions to publish.
public sealed partial class Learner
{
    /// <summary>Everything but the bank, to go on from bit-exactly: the parts <c>model</c>, <c>optimizer</c>, <c>replay</c>, <c>progress</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<NamedTensor>> Snapshot() => new Dictionary<string, IReadOnlyList<NamedTensor>>(StringComparer.Ordinal)
    {
        ["model"] = [.. Modules.SelectMany(part => part.Module.Save(part.Prefix))],
        ["optimizer"] = _optimizer.Save(),
        ["replay"] = [.. _replay.Save("train."), .. _heldOut.Save("heldout."), .. _recent.Save("recent.")],
        ["progress"] = [.. Counts(Steps, SamplesSeen, BackwardPasses), _statistics.Save(), .. _clusterer.Save(), .. _shown.Save()],
    };

    /// <summary>The whole memory bank.</summary>
    public BankState Bank() => _bank.Since(0);

    /// <summary>Keys pushed after a count, oldest first, at most the bank's capacity.</summary>
    /// <param name="count">A <see cref="BankState.Count"/> seen before.</param>
    public BankState BankSince(long count) => _bank.Since(count);

    /// <summary>A learner that goes on where another stood.</summary>
    /// <param name="shape">As it had.</param>
    /// <param name="options">As it had; another seed, rate or set of weights is allowed.</param>
    /// <param name="parts">What <see cref="Snapshot"/> gave.</param>
    /// <param name="bank">What <see cref="Bank"/> gave.</param>
    /// <param name="device">libtorch's name of the device.</param>
    /// <exception cref="InvalidDataException">A part or tensor is missing or has another shape.</exception>
    public static Learner Restore(
        SampleShape shape,
        LearnerOptions options,
        IReadOnlyDictionary<string, IReadOnlyList<NamedTensor>> parts,
        BankState bank,
        string device = "cpu")
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(bank);
        var learner = new Learner(shape, options, device);
        try
        {
            learner.LoadModel(Part("model"));
            learner._optimizer.Load(Part("optimizer"));
            learner.LoadReplay(Part("replay"));
            learner.LoadProgress(Part("progress"));
            learner._bank.Load(bank);
            return learner;
        }
        catch
        {
            learner.Dispose();
            throw;
        }

        IReadOnlyList<NamedTensor> Part(string name)
            => parts.TryGetValue(name, out var part)
                ? part
                : throw new InvalidDataException($"The checkpoint has no part '{name}'; it has: {string.Join(", ", parts.Keys)}.");
    }

    /// <summary>Begins with the encoder of another model instead of fresh weights; heads, objectives and clusters stay fresh.</summary>
    /// <param name="model">One that <see cref="FirstWeights.Misfit"/> has nothing against.</param>
    /// <exception cref="InvalidOperationException">It has learned already.</exception>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape.</exception>
    public void BeginWith(IReadOnlyList<NamedTensor> model)
    {
        if (Steps > 0)
        {
            throw new InvalidOperationException($"It has taken {Steps:N0} steps; only a fresh learner begins with other weights.");
        }

        _encoder.Load(ModelFormat.EncoderPrefix, model);
        _keyEncoder.Load(ModelFormat.EncoderPrefix, model);
    }

    /// <summary>What a model version holds: encoder, prototypes, their scale, and what is needed to read them.</summary>
    public IReadOnlyList<NamedTensor> Export()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return
        [
            NamedTensor.Of<long>(ModelFormat.Shape, [Shape.Channels, Shape.Height, Shape.Width]),
            ModelFormat.Text(ModelFormat.EncoderName, _encoderName),
            NamedTensor.Of<float>(ModelFormat.Mean, _statistics.Mean),
            NamedTensor.Of<float>(ModelFormat.Deviation, _statistics.Deviation),
            .. _shown.Export(),
            .. _keyEncoder.Save(ModelFormat.EncoderPrefix),
        ];
    }

    internal static bool AllFinite(IReadOnlyList<NamedTensor> tensors)
        => tensors.Where(t => string.Equals(t.DType, "F32", StringComparison.Ordinal)).All(t => !MemoryMarshal.Cast<byte, float>(t.Data).ContainsAnyNonFinite());
}

/// <summary>Looks for numbers that are none.</summary>
internal static class FiniteExtensions
{
    public static bool ContainsAnyNonFinite(this ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
            {
                return true;
            }
        }

        return false;
    }
}
