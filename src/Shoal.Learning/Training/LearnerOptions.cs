namespace Shoal.Learning;

/// <summary>How a dataset is learned; the one place where defaults stand.</summary>
public sealed record LearnerOptions
{
    private const int LeastReplay = 256;
    private const int LeastHeldOut = 16;

    /// <summary>Most clusters; 2 to 1,000, or 0 for as many as there are. Objectives that train heads make just so many, <c>pseudolabel</c> as many of them as it finds.</summary>
    /// <value>10.</value>
    public int Clusters { get; init; } = 10;

    /// <summary>What samples are: it says which views are made of them, and which objectives have something to ask about them.</summary>
    /// <value>Image.</value>
    public SampleKind Kind { get; init; } = SampleKind.Image;

    /// <summary>All randomness is keyed by it and the step.</summary>
    /// <value>1.</value>
    public int Seed { get; init; } = 1;

    /// <summary>How often training went back to an earlier state: steps taken again must not draw the same again.</summary>
    /// <value>0.</value>
    public int Retreats { get; init; }

    /// <summary>How many replicas learn the dataset together, each from its own shards; 1 to 1,000. With more than one none settles clusters by itself.</summary>
    /// <value>1.</value>
    public int Replicas { get; init; } = 1;

    /// <summary>Which of the replicas it is, from 0 on: they must not draw the same.</summary>
    /// <value>0.</value>
    public int Replica { get; init; }

    /// <summary>Past samples kept for rehearsal, by all replicas together; 256 to 1,000,000.</summary>
    /// <value>5,000: 4 MB of MNIST, 15 MB of CIFAR.</value>
    public int ReplaySize { get; init; } = 5000;

    /// <summary>Which past samples are rehearsed; <see cref="ReplayPolicy"/>.</summary>
    /// <value>Reservoir.</value>
    public ReplayPolicy Replay { get; init; } = ReplayPolicy.Reservoir;

    /// <summary>Most segments of the stream that the replay buffer tells apart; 1 to 100, 1 keeps a uniform sample of all that came.</summary>
    /// <value>16.</value>
    public int Segments { get; init; } = 16;

    /// <summary>Most fresh samples in a step; 1 to 4,096.</summary>
    /// <value>96: accuracy on MNIST hardly moves after 560 steps, so fewer and larger ones save a third of the time.</value>
    public int FreshPerStep { get; init; } = 96;

    /// <summary>Replayed samples for each fresh one of a full step; 1 to 16.</summary>
    /// <value>2: a step of 288.</value>
    public int ReplayPerFresh { get; init; } = 2;

    /// <summary>Keys in the memory bank; 0 to 1,000,000.</summary>
    /// <value>4,096: fewer than the replay buffer's samples, or it fills with keys of the queries' own samples.</value>
    public int BankSize { get; init; } = 4096;

    /// <summary>The encoder, one of <see cref="EncoderCatalogue.Names"/>, or the one that suits the samples' shape.</summary>
    /// <value>auto, see <see cref="EncoderCatalogue.Resolve"/>.</value>
    public string Encoder { get; init; } = EncoderCatalogue.Auto;

    /// <summary>The views that objectives compare, one of <see cref="ViewRecipes.Names"/>.</summary>
    /// <value>auto: those that suit the samples' kind and shape.</value>
    public string Views { get; init; } = ViewRecipes.Auto;

    /// <summary>What convolutions compute in.</summary>
    /// <value>Auto: on two AVX512-BF16 cores a step takes three quarters of float32's time, at the same accuracy.</value>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>The weight of each objective by name (<see cref="ObjectiveCatalogue.Names"/>), 0 to 1,000; null for <see cref="DefaultObjectives"/>.</summary>
    /// <value>null.</value>
    public IReadOnlyDictionary<string, double>? Objectives { get; init; }

    /// <summary>Cluster heads trained side by side, the best of which is shown; 1 to 16. Without an objective that trains heads, as <c>scan</c> does, there is one.</summary>
    /// <value>3.</value>
    public int Heads { get; init; } = 3;

    /// <summary>The inverse temperature of cluster probabilities in training; 1 to 100.</summary>
    /// <value>10.</value>
    public double Scale { get; init; } = 10;

    /// <summary>Step size of AdamW; above 0, at most 0.1.</summary>
    /// <value>0.001: on a shuffled stream 0.003 is as good, on one whose classes come one after another it forgets faster.</value>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>AdamW's decay of weights, not of biases and norms; 0 to 1.</summary>
    /// <value>0.0001.</value>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>How much of the key encoder stays at every step; 0 to below 1.</summary>
    /// <value>0.99: it remembers about 100 steps, fewer at first. It is also what is published; a longer memory lags behind a stream that changes.</value>
    public double KeyMomentum { get; init; } = 0.99;

    /// <summary>Steps between two minings of neighbours, where an objective or the replay policy looks at them; the ends of rounds mine always. 1 to 100,000.</summary>
    /// <value>47: 3,000 fresh samples; mining 5,000 samples costs about two steps.</value>
    public int MineEvery { get; init; } = 47;

    /// <summary>Neighbours mined for each replayed sample; 1 to 100.</summary>
    /// <value>15.</value>
    public int NeighbourCount { get; init; } = 15;

    /// <summary>One of so many samples is never trained on, but judges versions; 2 to 10,000.</summary>
    /// <value>50.</value>
    public int HoldOutOneIn { get; init; } = 50;

    /// <summary>Most samples held out; 16 to 100,000.</summary>
    /// <value>500.</value>
    public int HeldOutSize { get; init; } = 500;

    /// <summary>The options that suit samples of a kind.</summary>
    /// <param name="kind">What samples are.</param>
    /// <returns>The defaults; of waveforms 32 fresh ones in a step in place of 96: of 8,000 values each costs as much as ten spectrograms.</returns>
    public static LearnerOptions Of(SampleKind kind) => kind is SampleKind.Waveform ? new() { Kind = kind, FreshPerStep = 32 } : new() { Kind = kind };

    /// <summary>The weights of objectives when none are given.</summary>
    public static IReadOnlyDictionary<string, double> DefaultObjectives { get; } = new SortedDictionary<string, double>(StringComparer.Ordinal)
    {
        ["moco"] = 1,
        ["pseudolabel"] = 1,
    };

    /// <summary>The objectives in force.</summary>
    internal IReadOnlyDictionary<string, double> ObjectivesInForce => Objectives ?? DefaultObjectives;

    /// <summary>The seed of everything that steps draw.</summary>
    internal int StepSeed => unchecked(WeightSeed + (1_000_033 * Replica));

    /// <summary>The seed of fresh weights: replicas begin with the same ones, or their mean would be nothing.</summary>
    internal int WeightSeed => unchecked(Seed + (1_000_003 * Retreats));

    /// <summary>This replica's share of the samples kept for rehearsal; a quarter of the least is still of use.</summary>
    internal int ReplayShare => Math.Max(LeastReplay / 4, ReplaySize / Replicas);

    /// <summary>This replica's share of the samples held out.</summary>
    internal int HeldOutShare => Math.Max(LeastHeldOut, HeldOutSize / Replicas);

    /// <summary>Prototypes of a head: communities in training have room to spare, so that an odd group takes no place from a large one; where they are islands, as much again, so that fewer are trained as one that are not.</summary>
    internal int Prototypes => Clusters == 0 ? CommunityClusterer.MostCommunities
        : HeadTrainer is not null ? Clusters
        : Clusters + (SampleTraits.Of(Kind).AreIslands ? Clusters : Math.Max(1, Clusters / 5));

    /// <summary>Whether an objective in force learns from the communities that samples are found in.</summary>
    internal bool NeedsLabels => ObjectivesThat(objective => objective.Needs.HasFlag(ObjectiveNeeds.Labels)).Any();

    /// <summary>Whether an objective in force learns from what neighbours tell, pairs or communities.</summary>
    internal bool NeedsNeighbours => NeedsLabels || ObjectivesThat(objective => objective.Needs.HasFlag(ObjectiveNeeds.Neighbours)).Any();

    /// <summary>An objective in force that trains the cluster heads; null when none does.</summary>
    internal string? HeadTrainer => HeadTrainers.FirstOrDefault();

    private IEnumerable<string> HeadTrainers => ObjectivesThat(objective => objective.TrainsHead).Select(objective => objective.Name);

    private IEnumerable<ObjectiveAttribute> ObjectivesThat(Func<ObjectiveAttribute, bool> are) =>
        ObjectivesInForce.Where(entry => entry.Value > 0).OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => ObjectiveCatalogue.Find(entry.Key)).OfType<ObjectiveAttribute>().Where(are);

    /// <summary>The encoder of samples of a shape, one of <see cref="EncoderCatalogue.Names"/>: where none is named, the one that suits the objectives and the shape.</summary>
    /// <param name="shape">Their shape.</param>
    public string EncoderOf(SampleShape shape) =>
        string.Equals(Encoder, EncoderCatalogue.Auto, StringComparison.Ordinal) && ObjectivesThat(objective => objective.NeedsPatches).Any()
            ? EncoderCatalogue.Patchwise
            : EncoderCatalogue.Resolve(Encoder, shape, Objectives is not null);

    /// <summary>Whether the encoder of samples of a shape is moved by objectives.</summary>
    /// <param name="shape">Their shape.</param>
    public bool LearnsByGradient(SampleShape shape) => !string.Equals(EncoderOf(shape), PatchEncoder.Name, StringComparison.Ordinal);

    /// <summary>What is wrong with these options for samples of a shape, one sentence each; empty when nothing is.</summary>
    /// <param name="shape">Their shape.</param>
    public IReadOnlyList<string> Problems(SampleShape shape)
    {
        if (Problems() is { Count: > 0 } problems)
        {
            return problems;
        }

        var encoder = EncoderOf(shape);
        return
        [
            .. SampleTraits.Of(Kind).Problems(this, shape),
            .. EncoderCatalogue.Misfit(encoder, shape) is { } misfit ? [misfit] : Array.Empty<string>(),
            .. ObjectivesThat(_ => true).Select(objective => objective.Misfit(shape, Kind)).OfType<string>(),
            .. Objectives is null || LearnsByGradient(shape) ? [] : ObjectivesThat(objective => !objective.TrainsHead)
                .Select(objective => $"Objective '{objective.Name}' moves the encoder, and '{encoder}' learns without gradients; name another encoder, or no objectives."),
            .. !string.Equals(Views, ViewRecipes.MultiCrop, StringComparison.Ordinal) || ObjectivesThat(TakesCrops).Any() ? Array.Empty<string>()
                : [$"Views '{Views}' have small crops, from which none of these objectives learns; add one of {string.Join(", ", ObjectiveCatalogue.Names.Where(name => TakesCrops(ObjectiveCatalogue.Find(name)!)))}, or use views 'photograph'."],
            .. EncoderCatalogue.IsPatchwise(encoder) ? [] : ObjectivesThat(objective => objective.NeedsPatches)
                .Select(objective => $"Objective '{objective.Name}' shows the encoder some patches of a sample only, which '{encoder}' cannot see; use encoder '{EncoderCatalogue.Patchwise}' or '{EncoderCatalogue.Auto}'."),
            .. EncoderCatalogue.HasLatents(encoder) ? [] : ObjectivesThat(objective => objective.NeedsLatents)
                .Select(objective => $"Objective '{objective.Name}' foretells what an encoder sees in the course of time, which '{encoder}' does not show; it is for sound with the front end 'waveform', whose encoder is '{EncoderCatalogue.Waveform}'."),
        ];
    }

    private static bool TakesCrops(ObjectiveAttribute objective) => objective.Needs.HasFlag(ObjectiveNeeds.Crops);

    /// <summary>What is wrong with these options whatever is learned, one sentence each; empty when nothing is.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Clusters != 0)
        {
            Check(nameof(Clusters), Clusters, 2, 1000);
        }
        else if (HeadTrainer is { } name)
        {
            problems.Add($"Clusters is 0; objective '{name}' needs their number: 2 to 1000.");
        }

        Check(nameof(Replicas), Replicas, 1, 1_000);
        Check(nameof(Replica), Replica, 0, Replicas - 1);
        Check(nameof(ReplaySize), ReplaySize, LeastReplay, 1_000_000);
        Check(nameof(Segments), Segments, 1, 100);
        Check(nameof(FreshPerStep), FreshPerStep, 1, 4096);
        Check(nameof(ReplayPerFresh), ReplayPerFresh, 1, 16);
        Check(nameof(BankSize), BankSize, 0, 1_000_000);
        Check(nameof(Heads), Heads, 1, 16);
        Check(nameof(Scale), Scale, 1, 100);
        Check(nameof(LearningRate), LearningRate, 1e-9, 0.1);
        Check(nameof(WeightDecay), WeightDecay, 0, 1);
        Check(nameof(KeyMomentum), KeyMomentum, 0, 0.999999);
        Check(nameof(MineEvery), MineEvery, 1, 100_000);
        Check(nameof(NeighbourCount), NeighbourCount, 1, 100);
        Check(nameof(HoldOutOneIn), HoldOutOneIn, 2, 10_000);
        Check(nameof(HeldOutSize), HeldOutSize, LeastHeldOut, 100_000);
        string[] encoders = [EncoderCatalogue.Auto, .. EncoderCatalogue.Names];
        if (!encoders.Contains(Encoder, StringComparer.Ordinal))
        {
            problems.Add($"Encoder '{Encoder}' is unknown; there are: {string.Join(", ", encoders)}.");
        }

        if (ViewRecipes.Misfit(Views, Kind) is { } misfit)
        {
            problems.Add(misfit);
        }

        foreach (var (objective, weight) in ObjectivesInForce)
        {
            if (!ObjectiveCatalogue.Names.Contains(objective, StringComparer.Ordinal))
            {
                problems.Add($"Objective '{objective}' is unknown; there are: {string.Join(", ", ObjectiveCatalogue.Names)}.");
            }

            Check($"Objective '{objective}': Weight", weight, 0, 1000);
        }

        if (HeadTrainer is { } trainer && HeadTrainers.All(entry => ObjectiveCatalogue.Find(entry)!.Collapses))
        {
            problems.Add($"Objective '{trainer}' puts all samples into one cluster when it is alone; add one that makes clusters, for example 'scan'.");
        }

        if (!ObjectivesInForce.Values.Any(weight => weight > 0))
        {
            problems.Add("No objective has a weight above 0: nothing would be learned.");
        }

        return problems;

        void Check(string name, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
            {
                problems.Add($"{name} is {value}; must be {least} to {most}.");
            }
        }
    }
}
