using System.Globalization;
using Orleans.Concurrency;

namespace Shoal.Contracts;

/// <summary>A dataset's settings. Fixed at creation but for <see cref="Paused"/> and what <see cref="DatasetChange"/> holds.</summary>
[GenerateSerializer, Immutable, Alias("shoal.dataset-settings")]
public sealed record DatasetSettings
{
    /// <summary>What the items are: <see cref="Image"/> or <see cref="Sound"/>.</summary>
    [Id(0)] public string Modality { get; init; } = Image;

    /// <summary>Height of the samples, 8 to 256: pixels, to which images of other sizes are resized; of spectrograms mel bands; of no meaning for waveforms.</summary>
    [Id(1)] public int Height { get; init; } = 32;

    /// <summary>Width of the samples, 8 to 256: pixels; of spectrograms the frames of a window; of no meaning for waveforms.</summary>
    [Id(2)] public int Width { get; init; } = 32;

    /// <summary>Colour channels of the samples: 1 (grey, and sound) or 3 (red, green, blue).</summary>
    [Id(3)] public int Channels { get; init; } = 3;

    /// <summary>The most clusters, 2 to 1,000; 0 for as many as there are.</summary>
    [Id(4)] public int Clusters { get; init; } = 10;

    /// <summary>The number of shards, 1 to 1,024.</summary>
    [Id(5)] public int Shards { get; init; } = 16;

    /// <summary>The largest item taken, in bytes, 1 to 64 MiB. Default 16 MiB: a photograph as cameras write it.</summary>
    [Id(6)] public int MaxItemBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>The most pixels that an image's header may announce, 64 to 400,000,000. Default 100 million: larger than cameras, small enough to decode.</summary>
    [Id(7)] public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>The seed that all of the dataset's randomness is keyed by.</summary>
    [Id(8)] public int Seed { get; init; } = 1;

    /// <summary>How many samples the replay buffer holds, 256 to 1,000,000.</summary>
    [Id(9)] public int ReplaySize { get; init; } = 5_000;

    /// <summary>Seconds of training after which a round ends, 1 to 3,600. A crash costs what was trained since the last committed round: at most two rounds.</summary>
    [Id(10)] public double RoundSeconds { get; init; } = 10;

    /// <summary>
    /// Training steps on the replay buffer alone that idle time may be used for after the last fresh sample, 0 to 1,000,000. Up
    /// to six times as many until 720 steps were taken in all, so that a small dataset is learned, too.
    /// </summary>
    [Id(11)] public int IdleRehearsalSteps { get; init; } = 100;

    /// <summary>Whether training rests. Ingest and queries go on.</summary>
    [Id(12)] public bool Paused { get; init; }

    /// <summary>Objectives by name and weight; empty takes the learner's default.</summary>
    [Id(13)] public IReadOnlyDictionary<string, double>? Objectives { get; init; }

    /// <summary>Which past samples are rehearsed: <see cref="Reservoir"/> or <see cref="MinimumRedundancy"/>.</summary>
    [Id(14)] public string Replay { get; init; } = Reservoir;

    /// <summary>Days after which an item is deleted, at most 36,500; 0 keeps items for ever.</summary>
    [Id(15)] public double RetainDays { get; init; }

    /// <summary>The most bytes of items that are kept, at least 1,000,000: the oldest of each shard are deleted when its share is passed. 0 for no limit.</summary>
    [Id(16)] public long RetainBytes { get; init; }

    /// <summary>
    /// Training steps after which a round ends, in place of <see cref="RoundSeconds"/>, at most 1,000,000; 0 for seconds. With it nothing that is learned depends on the
    /// clock: training over the same log with the same settings on the same kind of processor ends with the same bits, however often it is interrupted.
    /// </summary>
    [Id(17)] public int RoundSteps { get; init; }

    /// <summary>
    /// Items that training may lag behind before it trains on a uniform sample of what came instead of all of it, at least 1,000; 0 never. What is skipped is
    /// stored, assigned and counted like everything else, and stands in the status.
    /// </summary>
    [Id(18)] public long MaxLag { get; init; }

    /// <summary>
    /// Where several silos train, and the encoder learns by gradients: how much of a round's movement the next ones go on with, 0 to 0.99 (Nesterov momentum over rounds,
    /// DiLoCo); 0 takes the replicas' mean. Default 0.5: four replicas take a quarter of one's steps each, and reach what one does only with it.
    /// </summary>
    [Id(19)] public double OuterMomentum { get; init; } = 0.5;

    /// <summary>What makes embeddings: <c>strided</c>, <c>resnet18</c>, <c>vit</c>, <c>patches</c>, <c>logmel</c>, <c>waveform</c>, or <see cref="AutoEncoder"/>.</summary>
    [Id(20)] public string Encoder { get; init; } = AutoEncoder;

    /// <summary>Of sound: samples a second that windows are kept at, 4,000 to 48,000. Recordings of other rates are resampled.</summary>
    [Id(21)] public int SampleRate { get; init; } = 16_000;

    /// <summary>Of sound: seconds of a window, 0.1 to 30. A window is an item; recordings are cut into them.</summary>
    [Id(22)] public double WindowSeconds { get; init; } = 1;

    /// <summary>Of sound: seconds from the beginning of one window of a recording to that of the next, 0.05 to <see cref="WindowSeconds"/>.</summary>
    [Id(23)] public double HopSeconds { get; init; } = 0.5;

    /// <summary>Of sound: what the learner sees of a window, <see cref="LogMel"/> or <see cref="Waveform"/>.</summary>
    [Id(24)] public string FrontEnd { get; init; } = LogMel;

    /// <summary>The dataset whose published encoder this one begins with, copied when it is created; null for fresh weights.</summary>
    [Id(25)] public string? StartFrom { get; init; }

    /// <summary>Which changes leave samples what they are, for objectives that compare views of one: <c>drawing</c>, <c>multicrop</c>, <c>photograph</c>, <c>randaugment</c> of images, <c>byol-a</c>, <c>speech</c>, <c>timbre</c> of spectrograms, or <see cref="AutoViews"/>.</summary>
    [Id(26)] public string Views { get; init; } = AutoViews;

    /// <summary>A <see cref="Modality"/>: pictures.</summary>
    public const string Image = "image";

    /// <summary>A <see cref="Modality"/>: windows of recordings.</summary>
    public const string Sound = "sound";

    /// <summary>A <see cref="FrontEnd"/>: a spectrogram of <see cref="Height"/> bands and <see cref="Width"/> frames.</summary>
    public const string LogMel = "log-mel";

    /// <summary>A <see cref="FrontEnd"/>: the values themselves, of which a window has 1,600 to 32,000.</summary>
    public const string Waveform = "waveform";

    /// <summary>An <see cref="Encoder"/>: the one that suits the samples' shape and the objectives.</summary>
    public const string AutoEncoder = "auto";

    /// <summary>A <see cref="Views"/>: those that suit the samples' kind and channels.</summary>
    public const string AutoViews = "auto";

    /// <summary>A <see cref="Replay"/>: a uniform sample of each segment of the stream.</summary>
    public const string Reservoir = "reservoir";

    /// <summary>A <see cref="Replay"/>: everything new, for what another sample resembles most.</summary>
    public const string MinimumRedundancy = "minimum-redundancy";

    /// <summary>Reads an objective and its weight as people write them, for example <c>moco=1</c>.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The name and the weight, either of which may still be refused; null when the text is not of that form.</returns>
    public static KeyValuePair<string, double>? ParseObjective(string? text) =>
        text?.Split('=') is [{ Length: > 0 } name, var number] && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
            ? new(name, weight)
            : null;

    /// <summary>Reads a number of clusters as people write it: a number, 1 or more, or <c>auto</c> for as many as there are.</summary>
    /// <param name="text">The text.</param>
    /// <returns>A value for <see cref="Clusters"/>, which may still be out of range; null when the text is neither.</returns>
    public static int? ParseClusters(string? text) =>
        string.Equals(text, "auto", StringComparison.Ordinal) ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var clusters) && clusters > 0 ? clusters
        : null;

    /// <summary>Lists every setting that is out of range, one sentence each; empty when all are fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Modality is not (Image or Sound))
        {
            problems.Add($"Modality is '{Modality}'; must be '{Image}' or '{Sound}'.");
        }

        if (FrontEnd is not (LogMel or Waveform))
        {
            problems.Add($"FrontEnd is '{FrontEnd}'; must be '{LogMel}' or '{Waveform}'.");
        }

        if (FrontEnd is Waveform && Modality is Image)
        {
            problems.Add($"FrontEnd is '{Waveform}', which sound has; images have none.");
        }

        if (Modality is Sound)
        {
            Range(nameof(SampleRate), SampleRate, 4_000, 48_000);
            Range(nameof(WindowSeconds), WindowSeconds, 0.1, 30);
            Range(nameof(HopSeconds), HopSeconds, 0.05, WindowSeconds);
            if (Channels != 1)
            {
                problems.Add($"Channels is {Channels}; must be 1 for sound, whose recordings are mixed to one channel.");
            }

            // Fewer are no sequence to learn from; more take seconds a step, and a replay buffer of gigabytes.
            if (FrontEnd is Waveform && problems.Count == 0 && WindowSeconds * SampleRate is var values && values is < 1_600 or > 32_000)
            {
                problems.Add($"A window has {values:N0} values (SampleRate x WindowSeconds); must be 1,600 to 32,000 for the front end '{Waveform}'.");
            }
        }

        if (StartFrom is { } other && Names.DatasetProblem(other) is { } problem)
        {
            problems.Add($"StartFrom: {problem}");
        }

        Range(nameof(Height), Height, 8, 256);
        Range(nameof(Width), Width, 8, 256);
        if (Channels is not (1 or 3))
        {
            problems.Add($"Channels is {Channels}; must be 1 or 3.");
        }

        if (Clusters != 0)
        {
            Range(nameof(Clusters), Clusters, 2, 1_000);
        }

        Range(nameof(Shards), Shards, 1, 1_024);
        Range(nameof(MaxItemBytes), MaxItemBytes, 1, 64 * 1024 * 1024);
        Range(nameof(MaxPixels), MaxPixels, 64, 400_000_000);
        Range(nameof(ReplaySize), ReplaySize, 256, 1_000_000);
        if (Replay is not (Reservoir or MinimumRedundancy))
        {
            problems.Add($"Replay is '{Replay}'; must be '{Reservoir}' or '{MinimumRedundancy}'.");
        }

        Range(nameof(RoundSeconds), RoundSeconds, 1, 3_600);
        Range(nameof(RoundSteps), RoundSteps, 0, 1_000_000);
        Range(nameof(IdleRehearsalSteps), IdleRehearsalSteps, 0, 1_000_000);
        Range(nameof(RetainDays), RetainDays, 0, 36_500);
        if (RetainBytes != 0)
        {
            Range(nameof(RetainBytes), RetainBytes, 1_000_000, long.MaxValue);
        }

        if (OuterMomentum is not (>= 0 and <= 0.99))
        {
            problems.Add($"OuterMomentum is {OuterMomentum}; must be 0 to 0.99.");
        }

        if (MaxLag != 0)
        {
            Range(nameof(MaxLag), MaxLag, 1_000, long.MaxValue);
            if (RoundSteps > 0)
            {
                problems.Add("MaxLag skips items by how fast training is; with RoundSteps what is learned must not depend on that. Leave one of them 0.");
            }
        }

        return problems;

        static string Text(double value) => double.IsInteger(value) ? $"{value:N0}" : $"{value:0.##}";

        void Range(string name, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
            {
                problems.Add($"{name} is {Text(value)}; must be {Text(least)} to {Text(most)}.");
            }
        }
    }
}

/// <summary>Everything a shard must know beside its own items.</summary>
[GenerateSerializer, Immutable, Alias("shoal.dataset-announcement")]
public sealed record DatasetAnnouncement
{
    /// <summary>The dataset's settings.</summary>
    [Id(0)] public required DatasetSettings Settings { get; init; }

    /// <summary>The published version; null when none is.</summary>
    [Id(1)] public PublishedVersion? Version { get; init; }

    /// <summary>Which seat trains on which shard.</summary>
    [Id(4)] public SeatPlan Seats { get; init; } = SeatPlan.None;

    /// <summary>Names and redirects of clusters.</summary>
    [Id(3)] public ClusterDirectory? Directory { get; init; }
}

/// <summary>Which seat trains on which shard.</summary>
/// <param name="Seats">The grain keys of the seats that train; empty when none does.</param>
/// <param name="Dealt">For each shard the place of its seat in that list.</param>
[GenerateSerializer, Immutable, Alias("shoal.seat-plan")]
public sealed record SeatPlan([property: Id(0)] string[] Seats, [property: Id(1)] short[] Dealt)
{
    /// <summary>Nobody trains.</summary>
    public static readonly SeatPlan None = new([], []);

    /// <summary>The seat that trains on a shard; null when none does.</summary>
    /// <param name="shard">The shard's number.</param>
    public string? SeatOf(int shard) => shard < Dealt.Length ? Seats[Dealt[shard]] : null;
}

/// <summary>A dataset at a glance.</summary>
[GenerateSerializer, Immutable, Alias("shoal.dataset-status")]
public sealed record DatasetStatus
{
    /// <summary>The dataset's name.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>Its settings.</summary>
    [Id(1)] public required DatasetSettings Settings { get; init; }

    /// <summary>When it was created.</summary>
    [Id(2)] public DateTimeOffset CreatedAt { get; init; }

    /// <summary>One entry a shard.</summary>
    [Id(3)] public required ShardStatus[] Shards { get; init; }

    /// <summary>How training stands.</summary>
    [Id(4)] public required TrainingStatus Training { get; init; }
}

/// <summary>Which datasets exist. Key: <see cref="GrainKeys.Catalog"/>.</summary>
[Alias("shoal.catalog")]
public interface ICatalogGrain : IGrainWithStringKey
{
    /// <summary>Creates a dataset. Repeating it with the same settings is a no-op.</summary>
    /// <param name="name">1 to 63 of a-z, 0-9, '-' and '_'.</param>
    /// <param name="settings">Its settings.</param>
    /// <returns>True when it was created now, false when it existed with these settings.</returns>
    /// <exception cref="ShoalException">Invalid (name, settings), Conflict (it exists with other settings).</exception>
    [ResponseTimeout(Management.Patience), Alias("create")]
    Task<bool> CreateAsync(string name, DatasetSettings settings);

    /// <summary>Takes in a dataset whose objects were restored, and starts it.</summary>
    /// <param name="name">The dataset's name.</param>
    [Alias("adopt")]
    Task AdoptAsync(string name);

    /// <summary>The names of all datasets, sorted.</summary>
    [AlwaysInterleave, Alias("list")]
    Task<string[]> ListAsync();

    /// <summary>Forgets a dataset; its grains and bytes go after it.</summary>
    /// <param name="name">The dataset's name.</param>
    /// <exception cref="ShoalException">NotFound.</exception>
    [ResponseTimeout(Management.Patience), Alias("delete")]
    Task DeleteAsync(string name);
}

/// <summary>A dataset's settings and life. Key: its name.</summary>
[Alias("shoal.dataset")]
public interface IDatasetGrain : IGrainWithStringKey
{
    /// <summary>Writes a new dataset's settings; asked by the catalog.</summary>
    /// <param name="settings">Its settings.</param>
    [ResponseTimeout(Management.Patience), Alias("create")]
    Task<bool> CreateAsync(DatasetSettings settings);

    /// <summary>Reads the settings anew; asked by the catalog when they were restored.</summary>
    [Alias("reload")]
    Task ReloadAsync();

    /// <summary>The settings.</summary>
    /// <exception cref="ShoalException">NotFound.</exception>
    [AlwaysInterleave, Alias("settings")]
    Task<DatasetSettings> GetSettingsAsync();

    /// <summary>What shards must know; asked by a shard at activation and when it polls.</summary>
    /// <exception cref="ShoalException">NotFound.</exception>
    [AlwaysInterleave, Alias("announcement")]
    Task<DatasetAnnouncement> GetAnnouncementAsync();

    /// <summary>The dataset at a glance.</summary>
    /// <exception cref="ShoalException">NotFound.</exception>
    [AlwaysInterleave, Alias("status")]
    Task<DatasetStatus> GetStatusAsync();

    /// <summary>Lets training rest or go on.</summary>
    /// <param name="paused">True to rest.</param>
    /// <exception cref="ShoalException">NotFound.</exception>
    [ResponseTimeout(Management.Patience), Alias("pause")]
    Task SetPausedAsync(bool paused);

    /// <summary>Changes settings that may change; training goes on with them from its last round.</summary>
    /// <param name="change">What changes.</param>
    /// <returns>The settings that hold now.</returns>
    /// <exception cref="ShoalException">NotFound, Invalid.</exception>
    [ResponseTimeout(Management.Patience), Alias("change")]
    Task<DatasetSettings> ChangeAsync(DatasetChange change);

    /// <summary>Takes the encoder that the dataset begins with instead of fresh weights; training begins anew.</summary>
    /// <param name="weights">A safetensors file with the tensors <c>encoder.…</c> of a model version.</param>
    /// <exception cref="ShoalException">NotFound, Invalid (they do not fit), Conflict (a round was learned already), Unavailable.</exception>
    [ResponseTimeout(Management.Patience), Alias("weights")]
    Task SetFirstWeightsAsync(byte[] weights);

    /// <summary>Stops training, ends the dataset's grains and removes its bytes; asked by the catalog.</summary>
    [ResponseTimeout(Management.Patience), Alias("delete")]
    Task DeleteAsync();

    /// <summary>Makes sure that training runs; asked at silo start.</summary>
    [Alias("start")]
    Task StartAsync();

    /// <summary>Makes damaged logs readable again: saves what it takes out. Items that stood there are deleted from then on.</summary>
    /// <param name="shard">One shard; null for all.</param>
    /// <returns>What was damaged; empty when nothing is.</returns>
    /// <exception cref="ShoalException">NotFound, Invalid (no such shard), Unavailable (storage away, or a log is written to), Damaged (it cannot be repaired).</exception>
    [ResponseTimeout(Management.Patience), Alias("repair")]
    Task<ShardDamage[]> RepairAsync(int? shard);
}

/// <summary>What a repair took out of a shard's log.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Segment">The segment, from 1.</param>
/// <param name="Offset">Where the damage began in it, in bytes.</param>
/// <param name="Bytes">How many bytes were damaged; 0 where whole records are missing.</param>
/// <param name="FirstSequence">The first item that stood there.</param>
/// <param name="Items">How many items are lost.</param>
/// <param name="SavedAs">The object in the store that holds the damaged bytes; empty where there are none.</param>
[GenerateSerializer, Immutable, Alias("shoal.shard-damage")]
public sealed record ShardDamage(
    [property: Id(0)] int Shard, [property: Id(1)] int Segment, [property: Id(2)] long Offset, [property: Id(3)] long Bytes,
    [property: Id(4)] long FirstSequence, [property: Id(5)] long Items, [property: Id(6)] string SavedAs);
