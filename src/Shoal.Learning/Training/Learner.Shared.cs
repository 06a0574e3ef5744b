namespace Shoal.Learning;

// What replicas that learn together hand to each other between rounds.
public sealed partial class Learner
{
    private static readonly string[] OwnProgress = ["counts", "input"];

    // Not the heads: which cluster a prototype stands for is settled between rounds.
    private static readonly string[] GoesOn = ["encoder.", "key.", "objective."];

    /// <summary>A learner that settles the clusters of merged replicas; it takes no steps.</summary>
    /// <param name="shape">As they have.</param>
    /// <param name="options">As they have, for one replica.</param>
    /// <param name="model">Their part <c>model</c>, merged.</param>
    /// <param name="progress">The part <c>progress</c> of one of them, with their input statistics merged.</param>
    /// <param name="replay">Their parts <c>replay</c>, joined.</param>
    /// <param name="device">libtorch's name of the device.</param>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape.</exception>
    public static Learner ForSettling(
        SampleShape shape, LearnerOptions options, IReadOnlyList<NamedTensor> model, IReadOnlyList<NamedTensor> progress, IReadOnlyList<NamedTensor> replay, string device = "cpu")
    {
        ArgumentNullException.ThrowIfNull(options);
        var learner = new Learner(shape, options with { Replicas = 1, Replica = 0 }, device);
        try
        {
            learner.LoadModel(model);
            learner.LoadReplay(replay);
            learner.LoadProgress(progress);
            return learner;
        }
        catch
        {
            learner.Dispose();
            throw;
        }
    }

    /// <summary>What was settled, for every replica to go on from.</summary>
    public Settlement Settled() => new(
        SaveModel(),
        [_statistics.Save(), .. _clusterer.Save(), .. _shown.Save()],
        [.. _replay.Keys],
        [.. Enumerable.Range(0, _replay.Count).Select(_replay.LabelOf)],
        [.. Enumerable.Range(0, _replay.Count).Select(_replay.ShownOf)]);

    /// <summary>Goes on from what replicas came to together. Optimizer moments, counts and rehearsed samples stay this replica's own.</summary>
    /// <param name="settled">What was settled.</param>
    /// <param name="bank">The keys of all replicas.</param>
    /// <param name="handedOver">The part <c>model</c> that this replica handed over for it, if it has trained on since: what it learned meanwhile stays. Null when it waited.</param>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape.</exception>
    public void Adopt(Settlement settled, BankState bank, IReadOnlyList<NamedTensor>? handedOver = null)
    {
        ArgumentNullException.ThrowIfNull(settled);
        ArgumentNullException.ThrowIfNull(bank);
        LoadModel(handedOver is null ? settled.Model : ModelAverage.GoingOn(settled.Model, handedOver, SaveModel(), name => GoesOn.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))));
        _statistics.Load(settled.Shared.Named("input"));
        _clusterer.Load(settled.Shared);
        _shown.Load(settled.Shared);
        _replay.Assign(settled.Keys.Select((key, i) => (key, i)).ToDictionary(sample => sample.key, sample => (settled.Labels[sample.i], settled.Shown[sample.i])));
        _bank.Load(bank);
    }

    /// <summary>The part <c>progress</c> with the counts of one and everything else of another.</summary>
    /// <param name="own">Holds the counts.</param>
    /// <param name="shared">Holds the rest: input statistics, clusters.</param>
    public static IReadOnlyList<NamedTensor> Progress(IReadOnlyList<NamedTensor> own, IReadOnlyList<NamedTensor> shared)
    {
        ArgumentNullException.ThrowIfNull(own);
        ArgumentNullException.ThrowIfNull(shared);
        return [own.Named(OwnProgress[0]), .. shared.Where(tensor => !string.Equals(tensor.Name, OwnProgress[0], StringComparison.Ordinal))];
    }

    /// <summary>What of the part <c>progress</c> counts.</summary>
    /// <param name="steps">As <see cref="Steps"/>.</param>
    /// <param name="samples">As <see cref="SamplesSeen"/>.</param>
    /// <param name="passes">As <see cref="BackwardPasses"/>.</param>
    public static IReadOnlyList<NamedTensor> Counts(long steps, long samples, long passes) => [NamedTensor.Of<long>(OwnProgress[0], [steps, samples, passes])];

    /// <summary>What all replicas share of the part <c>progress</c> but their input statistics.</summary>
    /// <param name="progress">The part.</param>
    public static IReadOnlyList<NamedTensor> Clusters(IReadOnlyList<NamedTensor> progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        return [.. progress.Where(tensor => !OwnProgress.Contains(tensor.Name, StringComparer.Ordinal))];
    }

    /// <summary>The merged input statistics of replicas.</summary>
    /// <param name="parts">The part <c>progress</c> of each, and its weight.</param>
    public static IReadOnlyList<NamedTensor> Input(IReadOnlyList<(IReadOnlyList<NamedTensor> Progress, double Weight)> parts) =>
        ModelAverage.Of([.. parts.Select(part => ((IReadOnlyList<NamedTensor>)[part.Progress.Named(OwnProgress[1])], part.Weight))]);

    /// <summary>Whether it may train on while what it handed over is merged. What an encoder learns by statistics cannot be added up.</summary>
    public bool MayGoOn => _encoder.LearnsByGradient;

    private NamedTensor[] SaveModel() => [.. Modules.SelectMany(part => part.Module.Save(part.Prefix))];

    private void LoadModel(IReadOnlyList<NamedTensor> model)
    {
        foreach (var (prefix, module) in Modules)
        {
            module.Load(prefix, model);
        }
    }

    private void LoadReplay(IReadOnlyList<NamedTensor> replay)
    {
        _replay.Load("train.", replay);
        _heldOut.Load("heldout.", replay);
        _recent.Load("recent.", replay);
    }

    private void LoadProgress(IReadOnlyList<NamedTensor> progress)
    {
        var counts = progress.Named("counts").Values<long>();
        (Steps, SamplesSeen, BackwardPasses) = (counts[0], counts[1], counts[2]);
        _statistics.Load(progress.Named("input"));
        _clusterer.Load(progress);
        _shown.Load(progress);
    }
}

/// <summary>What replicas that learn together go on from: the merged model and its clusters.</summary>
/// <param name="Model">The part <c>model</c> of every replica.</param>
/// <param name="Shared">What of the part <c>progress</c> is the same for all: input statistics, clusters, what is shown.</param>
/// <param name="Keys">Packed keys of the rehearsed samples of all replicas, [n].</param>
/// <param name="Labels">The cluster slot that each trains by, -1 for none, [n].</param>
/// <param name="Shown">The cluster slot that each is shown in, -1 for none, [n].</param>
public sealed record Settlement(IReadOnlyList<NamedTensor> Model, IReadOnlyList<NamedTensor> Shared, long[] Keys, int[] Labels, int[] Shown);
