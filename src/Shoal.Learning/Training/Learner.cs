using TorchSharp;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Learns one dataset without ever stopping: a step for every batch of fresh samples, rehearsal between them.</summary>
/// <remarks>
/// Used by one thread at a time. All randomness is a function of (seed, step), so that a restored learner goes on
/// bit-exactly on the same CPU type and number of threads. What it shows (<see cref="Export"/>) is the key encoder and the
/// mean of the head's weights: exponential means over about 1 / (1 - momentum) steps (fewer at first), which stand in for the
/// learning-rate decay that an endless stream cannot have.
/// </remarks>
public sealed partial class Learner : IDisposable
{
    // The means reach back over a quarter of the steps taken so far, until KeyMomentum limits them: a young learner
    // outgrows its past quickly.
    private const double RampSteps = 4;

    private readonly Device _device;
    private readonly string _encoderName;

    // Without gradients in the encoder only heads are left to move: communities are shown as means of embeddings.
    private readonly bool _descends;

    // Views cost most of a step: they are not made where no objective compares them.
    private readonly bool _comparesViews;

    // Within a round neighbours are mined where what is learned or kept depends on them: it costs as much as a few steps.
    private readonly bool _minesInRounds;
    private readonly Encoder _encoder;
    private readonly Encoder _keyEncoder;
    private readonly ClusterHead _head;
    private readonly ClusterHead _keyHead;
    private readonly SortedDictionary<string, (IObjective Objective, double Weight)> _objectives = new(StringComparer.Ordinal);
    private readonly AdamW _optimizer;

    // One row for each sample of a step: the keys of all objectives that have any, side by side in the order of their names.
    private readonly MemoryBank _bank;
    private readonly ReplayBuffer _replay;
    private readonly ReplayBuffer _heldOut;
    private readonly RecentSamples _recent;
    private readonly InputStatistics _statistics;
    private readonly IViewMaker _views;
    private readonly IClusterer _clusterer;
    private readonly ShownClusters _shown;

    /// <summary>With fresh weights.</summary>
    /// <param name="shape">The shape of all samples.</param>
    /// <param name="options">How to learn.</param>
    /// <param name="device">libtorch's name of the device.</param>
    /// <exception cref="ArgumentException">The options have problems; the text lists them all.</exception>
    public Learner(SampleShape shape, LearnerOptions options, string device = "cpu")
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems(shape) is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, problems), nameof(options));
        }

        (Shape, Options, _device) = (shape, options, new Device(device));
        manual_seed((long)(Keyed.Mix(options.WeightSeed, 0, (long)Purpose.Weights) >> 1));
        _encoderName = options.EncoderOf(shape);
        _encoder = EncoderCatalogue.Create(_encoderName, shape);
        _keyEncoder = EncoderCatalogue.Create(_encoderName, shape);
        var trainsHeads = options.HeadTrainer is not null;
        var heads = trainsHeads ? options.Heads : 1;
        _head = new ClusterHead(heads, options.Prototypes, _encoder.Width, options.Scale);
        _keyHead = new ClusterHead(heads, options.Prototypes, _encoder.Width, options.Scale);
        foreach (var (name, weight) in options.ObjectivesInForce.Where(entry => entry.Value > 0).OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            _objectives[name] = (ObjectiveCatalogue.Create(name, _encoder.Width, shape), weight);
        }

        _descends = _encoder.LearnsByGradient || trainsHeads;
        _comparesViews = _objectives.Any(entry => entry.Value.Objective is not PretextObjective || ObjectiveCatalogue.Find(entry.Key)!.Needs.HasFlag(ObjectiveNeeds.KeyEncoder));
        foreach (var (_, module) in Modules)
        {
            module.to(_device);
        }

        _encoder.ComputeType = _keyEncoder.ComputeType = options.Precision.ComputeType(_device);

        Momentum.Follow(_keyEncoder, _encoder, 0);
        Momentum.Follow(_keyHead, _head, 0);
        Momentum.Freeze(_keyEncoder);
        Momentum.Freeze(_keyHead);
        _optimizer = new AdamW(
            Modules.SelectMany(part => part.Module.named_parameters().Select(p => (part.Prefix + p.name, (Tensor)p.parameter))),
            options.WeightDecay);
        var keyWidth = _objectives.Values.Sum(entry => entry.Objective.KeyWidth);
        _bank = new MemoryBank(keyWidth > 0 ? options.BankSize : 0, keyWidth, _device);
        _replay = new ReplayBuffer(
            shape, options.ReplayShare, options.NeighbourCount,
            options.Replay == ReplayPolicy.MinimumRedundancy ? new MinimumRedundancy(options.ReplayShare, _encoder.Width) : null);
        _minesInRounds = _replay.NeedsEmbeddings || options.NeedsNeighbours;
        _heldOut = new ReplayBuffer(shape, options.HeldOutShare, options.NeighbourCount);
        _clusterer = options.NeedsLabels || !trainsHeads
            ? new CommunityClusterer(options, _replay, _head, _keyHead, _optimizer)
            : new HeadClusterer(options, _head, _keyHead, _optimizer);
        _shown = new ShownClusters(_clusterer, _encoder.Width);
        _recent = new RecentSamples(shape, DriftSamples);
        _statistics = new InputStatistics(shape, SampleTraits.Of(options.Kind).Input);
        _views = ViewRecipes.Create(options.Views, options.Kind, shape, _device);
    }

    /// <summary>The shape of all samples.</summary>
    public SampleShape Shape { get; }

    /// <summary>How it learns.</summary>
    public LearnerOptions Options { get; }

    /// <summary>Optimisation steps ever taken.</summary>
    public long Steps { get; private set; }

    /// <summary>Fresh samples ever observed, held-out ones included.</summary>
    public long SamplesSeen { get; private set; }

    /// <summary>Samples that a backward pass ever went through: views x steps x batch.</summary>
    public long BackwardPasses { get; private set; }

    /// <summary>Samples that can be rehearsed.</summary>
    public int ReplayCount => _replay.Count;

    /// <summary>Segments of the stream that the replay buffer tells apart; each has an equal share of it.</summary>
    public int SegmentCount => _replay.SegmentCount;

    /// <summary>Called between the pieces of long work (mining, refitting), by the thread that works; may embed with published versions.</summary>
    public Action? Between { get; set; }

    // Every module with the prefix of its tensors in the part "model".
    private IEnumerable<(string Prefix, nn.Module Module)> Modules =>
    [
        ("encoder.", _encoder),
        ("key.", _keyEncoder),
        ("head.", _head),
        ("keyhead.", _keyHead),
        .. _encoder.Memories is { } memories ? [("memories.", memories)] : Array.Empty<(string, nn.Module)>(),
        .. _objectives.Select(entry => ($"objective.{entry.Key}.", entry.Value.Objective.Own)),
    ];

    /// <summary>One optimisation step over fresh and replayed samples; then offers the fresh ones to the replay buffer.</summary>
    /// <param name="fresh">1 to <see cref="LearnerOptions.FreshPerStep"/> samples of <see cref="Shape"/>.</param>
    /// <returns>What it did; no losses when all of a first batch was held out, or no objective learns from it.</returns>
    /// <exception cref="ArgumentException">Another count or shape.</exception>
    public StepReport Observe(SampleBatch fresh)
    {
        ArgumentNullException.ThrowIfNull(fresh);
        if (fresh.Shape != Shape || fresh.Count < 1 || fresh.Count > Options.FreshPerStep)
        {
            throw new ArgumentException($"A batch of {fresh.Count} samples of {fresh.Shape}; expected 1 to {Options.FreshPerStep} of {Shape}.", nameof(fresh));
        }

        _statistics.Add(fresh);
        SamplesSeen += fresh.Count;
        var random = Keyed.Random(Options.StepSeed, Steps, Purpose.Reservoir);
        var trained = new List<int>();
        for (var i = 0; i < fresh.Count; i++)
        {
            var key = fresh.Keys[i].Packed;
            if (Keyed.Mix(Options.Seed, key, (long)Purpose.HoldOut) % (ulong)Options.HoldOutOneIn == 0)
            {
                _heldOut.Offer(fresh[i], key, random);
            }
            else
            {
                trained.Add(i);
            }
        }

        var report = Step(fresh, trained);
        float[] embeddings = _replay.NeedsEmbeddings ? EmbedFresh(fresh, trained) : [];
        foreach (var (row, i) in trained.Index())
        {
            _replay.Offer(fresh[i], fresh.Keys[i].Packed, random, embeddings.Length == 0 ? [] : embeddings.AsSpan(row * _encoder.Width, _encoder.Width));
            _recent.Add(fresh[i], fresh.Keys[i].Packed);
        }

        return report with { Drift = LookForDrift(random) };
    }

    /// <summary>One optimisation step over replayed samples alone.</summary>
    /// <exception cref="InvalidOperationException">There is nothing to rehearse yet.</exception>
    public StepReport Rehearse()
        => _replay.Count > 0
            ? Step(null, [])
            : throw new InvalidOperationException("There is nothing to rehearse: the replay buffer is empty until a first batch was observed.");

    /// <summary>The packed keys of all samples whose pixels it holds, in no order.</summary>
    public IReadOnlyCollection<long> HeldSamples() => [.. _replay.Keys.ToArray().Concat(_heldOut.Keys.ToArray()).Concat(_recent.Keys.ToArray()).Distinct()];

    /// <summary>Forgets samples: they are not rehearsed, compared with or judged by again. What their steps did to the weights stays.</summary>
    /// <param name="keys">Packed keys; others than those held are passed over.</param>
    /// <returns>How many samples were rehearsed or held out.</returns>
    public int Forget(IReadOnlySet<long> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _recent.Forget(keys);
        _bank.Forget(keys);
        _shown.Forget(keys);
        return _replay.Forget(keys) + _heldOut.Forget(keys);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _clusterer.Dispose();
        _bank.Dispose();
        foreach (var (_, module) in Modules.ToList())
        {
            module.Dispose();
        }

        foreach (var (objective, _) in _objectives.Values)
        {
            objective.Dispose();
        }
    }

    private StepReport Step(SampleBatch? fresh, List<int> trained)
    {
        using var scope = NewDisposeScope();

        // A trickle of fresh samples still makes a full step: BatchNorm and the clusters' prior need many samples. And always as many: of each
        // other size the native library compiles and keeps its convolutions anew.
        var (slots, paired) = _replay.Draw(
            (Options.FreshPerStep * (1 + Options.ReplayPerFresh)) - trained.Count,
            Keyed.Random(Options.StepSeed, Steps, Purpose.Rehearsal));
        if (trained.Count + slots.Length == 0)
        {
            return new StepReport(new Dictionary<string, double>(StringComparer.Ordinal), 0, 0);
        }

        if (_minesInRounds && Steps % Options.MineEvery == 0)
        {
            Mine();
        }

        var (pixels, keys) = Gather(fresh, trained, slots);
        using var generator = Keyed.Generator(Options.StepSeed, Steps, Purpose.Views, _device);
        var samples = TorchTensors.ToUnit(pixels, Shape, _device);
        Watch(samples, trained.Count, generator);
        if (!_descends)
        {
            Steps++;
            return new StepReport(new Dictionary<string, double>(StringComparer.Ordinal), trained.Count, slots.Length);
        }

        var (embedded, keyFeatures) = _comparesViews ? CompareViews(samples, generator) : SeeSamples(samples);
        var (bankKeys, bankSamples) = _bank.Read();
        var (anchors, neighbours) = Pairs(trained.Count, paired);
        long[] labels = [.. trained.Select(_ => -1L), .. slots.Select(slot => (long)_replay.LabelOf(slot))];
        var batch = new StepBatch
        {
            Features = embedded,
            KeyFeatures = keyFeatures,
            CropFeatures = _comparesViews && _views is ICropMaker maker ? _encoder.forward(Normalise(maker.MakeCrops(samples, generator))) : null,
            Samples = tensor(keys, device: _device),
            BankKeys = bankKeys,
            BankSamples = bankSamples,
            Anchors = tensor(anchors, device: _device),
            Neighbours = tensor(neighbours, device: _device),
            Replayed = arange(trained.Count, trained.Count + slots.Length, ScalarType.Int64, _device),
            Labels = tensor(labels, device: _device),
            Head = _head,
            Pixels = samples,
            Encode = pixels => _encoder.forward(Normalise(pixels)),
            EncodeVisible = _encoder is IPatchwiseEncoder patchwise ? (pixels, visible) => patchwise.EncodeVisible(Normalise(pixels), visible) : null,
            EncodeLatents = _encoder is ILatentEncoder sequential ? pixels => sequential.EncodeLatents(Normalise(pixels)) : null,
            Seed = unchecked((long)Keyed.Mix(Options.StepSeed, Steps, (long)Purpose.Pretext)),
        };
        var losses = Descend(batch, keys);
        Steps++;
        return new StepReport(losses, trained.Count, slots.Length);
    }

    private Dictionary<string, double> Descend(StepBatch batch, long[] keys)
    {
        var losses = new Dictionary<string, double>(StringComparer.Ordinal);
        var total = zeros(1, device: _device);
        var newKeys = new List<Tensor>();
        var column = 0;
        foreach (var (name, (objective, weight)) in _objectives)
        {
            var result = objective.Compute(batch with { BankKeys = batch.BankKeys.narrow(1, column, objective.KeyWidth) });
            column += objective.KeyWidth;
            foreach (var (term, value) in result.Terms)
            {
                losses[$"{name}.{term}"] = value.item<float>();
                total = total + (value * weight);
            }

            if (result.Keys is not null)
            {
                newKeys.Add(result.Keys);
            }
        }

        if (losses.Count == 0)
        {
            // No objective had anything to say of these samples: one that learns from labels before there are any, or one sample alone.
            return losses;
        }

        total.backward();
        BackwardPasses += (2L * keys.Length) + (batch.CropFeatures?.shape[0] ?? 0);
        if (newKeys.Count > 0 && newKeys.Sum(made => made.shape[1]) == _bank.Width)
        {
            // Behind the backward pass, which still reads the keys that these push out. Where one objective makes none of a batch, no row would be whole.
            _bank.Push(cat(newKeys, 1), keys, Steps);
        }

        var momentum = Math.Min(Options.KeyMomentum, Steps / (Steps + RampSteps));
        _optimizer.Step(Options.LearningRate);
        Momentum.Follow(_keyEncoder, _encoder, momentum);
        Momentum.Follow(_keyHead, _head, momentum);
        foreach (var (objective, _) in _objectives.Values)
        {
            objective.AfterStep(momentum);
        }

        losses["total"] = total.item<float>();
        return losses;
    }

    // Fresh samples first, then replayed ones.
    private (byte[] Pixels, long[] Keys) Gather(SampleBatch? fresh, List<int> trained, int[] slots)
    {
        var pixels = new byte[(trained.Count + slots.Length) * Shape.Size];
        var keys = new long[trained.Count + slots.Length];
        for (var row = 0; row < keys.Length; row++)
        {
            var target = pixels.AsSpan(row * Shape.Size);
            if (row < trained.Count)
            {
                fresh![trained[row]].CopyTo(target);
                keys[row] = fresh.Keys[trained[row]].Packed;
            }
            else
            {
                var slot = slots[row - trained.Count];
                _replay[slot].CopyTo(target);
                keys[row] = _replay.Keys[slot];
            }
        }

        return (pixels, keys);
    }

    // Rows of the batch whose replayed samples were drawn as neighbours.
    private static (long[] Anchors, long[] Neighbours) Pairs(int offset, bool[] paired)
    {
        var anchors = Enumerable.Range(0, paired.Length).Where(i => paired[i]).Select(i => (long)(offset + (2 * i))).ToArray();
        return (anchors, Array.ConvertAll(anchors, anchor => anchor + 1));
    }
}
