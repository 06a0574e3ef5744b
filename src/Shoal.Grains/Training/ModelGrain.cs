using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Silos;
using Shoal.Grains.Telemetry;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>Rounds, checkpoints and versions of a dataset, and who trains on which shards.</summary>
/// <remarks>
/// Its one durable object is the manifest. Everything that a manifest names is written before the swap, under names
/// that hold term and round, so that a crash at any moment leaves either the old or the new manifest whole.
/// </remarks>
[Immovable]
[RequiresRole(SiloRoles.Data)]
[CollectionAgeLimit(AlwaysActive = true)]
internal sealed partial class ModelGrain(
    IObjectStore store, SiloDirectory silos, TimeProvider time, ModelMetrics metrics, ILogger<ModelGrain> logger) : Grain, IModelGrain
{
    // A message of 4 MiB takes milliseconds; the rest is asked for anew.
    private const int MostOfAFile = 4 << 20;

    private StoredDocument<Manifest> _manifest = null!;
    private DatasetSettings? _settings;
    private BankPosition _bank;
    private string? _problem;
    private bool _paused;

    // The version that the registry of clusters is known to have.
    private int _registered;
    private Task _collecting = Task.CompletedTask;
    private IDisposable[] _gauges = [];
    private IDisposable? _seats;

    private string Dataset => this.GetPrimaryKeyString();

    private Manifest Current => _manifest.Value ?? new Manifest();

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _manifest = new StoredDocument<Manifest>(store, StoreNames.Manifest(Dataset));
        await _manifest.LoadAsync();
        if (Current.FormatProblem() is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, $"The model of '{Dataset}' cannot be read: {problem}");
        }

        metrics.Open(Dataset);
        // Read on other threads: a manifest is replaced whole.
        _gauges =
        [
            metrics.Version.Add(Dataset, () => Current.Version?.Version ?? 0),
            metrics.Age.Add(Dataset, () => Current.Version is { } version ? (long)Math.Max(0, (time.GetUtcNow() - version.PublishedAt).TotalSeconds) : 0),
        ];
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _seats?.Dispose();
        Array.ForEach(_gauges, gauge => gauge.Dispose());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<PublishedVersion[]> GetVersionsAsync() => Task.FromResult(Array.ConvertAll(Current.Versions, kept => kept.Version));

    /// <inheritdoc/>
    public async Task<PublishedVersion> RollbackAsync(int version)
    {
        if (Current.Version is { } published && published.Restores == version)
        {
            // The answer to this very call may have been lost.
            return published;
        }

        if (Current.Version?.Version == version)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"Version {version} is the published one.");
        }

        KeptVersion kept = Kept(version);
        _settings ??= await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetSettingsAsync();
        await RegisterAsync();
        await SwapAsync(Current.Restore(kept, time.GetUtcNow()));
        PublishedVersion restored = Current.Version!;
        await NewsAsync([new LineageEvent(time.GetUtcNow(), "rolled back", null, restored.Version, restored.Reason)]);

        // The seat works on what is given up: its rounds are of an old deal now, and it ends when the next deal begins.
        await StartAsync();
        return restored;
    }

    /// <inheritdoc/>
    public async Task<ModelPart> ReadVersionAsync(int version, long offset, int maxBytes)
    {
        Claim file = Kept(version).Version.Model;
        var bytes = new byte[Math.Clamp(file.Length - Math.Max(0, offset), 0, Math.Clamp(maxBytes, 1, MostOfAFile))];
        var read = await store.ReadAsync(file.Name, Math.Max(0, offset), bytes);
        // Objects of rounds are removed once no version names them, which this one may have become meanwhile.
        return read == bytes.Length
            ? new ModelPart(bytes, file.Length)
            : throw new ShoalException(ShoalErrorKind.Unavailable, $"'{file.Name}' is missing from the store; take another version, or restore it from a backup.");
    }

    private KeptVersion Kept(int version) => Array.Find(Current.Versions, v => v.Version.Version == version)
        ?? throw new ShoalException(ShoalErrorKind.NotFound, $"Version {version} is not kept; there are: {string.Join(", ", Current.Versions.Select(v => v.Version.Version))}.");

    /// <inheritdoc/>
    public Task<PublishedVersion?> GetVersionAsync() => Task.FromResult(Current.Version);

    /// <inheritdoc/>
    public async Task<TrainingStatus> GetStatusAsync()
    {
        SeatReport[] reports = [.. (await ReportsAsync()).OfType<SeatReport>()];
        Manifest manifest = Current;
        Dictionary<int, ShardCursor> cursors = manifest.State.Cursors.Concat(reports.SelectMany(report => report.Cursors)).GroupBy(c => c.Shard).ToDictionary(of => of.Key, of => of.Last());
        return new TrainingStatus
        {
            Activity = _paused ? "paused" : reports.Select(report => report.Activity).MaxBy(Importance) ?? "starting",
            Round = manifest.Round,
            Term = manifest.Term,
            Version = manifest.Version,
            Cursors = [.. cursors.Values.OrderBy(c => c.Shard)],
            Progress = SeatProgresses.Now(manifest.State.Progress, [.. reports.Select(report => report.Progress).OfType<SeatProgress>()]),
            Refused = manifest.Refused,
            Bank = _bank,
            Skipped = manifest.State.Skipped,
            Problem = reports.Select(report => report.Problem).FirstOrDefault(problem => problem is not null) ?? _problem,
        };

        // What several seats do at once is called by what most matters to who waits.
        static int Importance(string activity) => activity switch
        {
            "waiting for storage" => 5,
            "training" => 4,
            "rehearsing" => 3,
            "settling" => 2,
            "starting" => 1,
            _ => 0,
        };
    }

    /// <inheritdoc/>
    public Task ForgetAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private async Task SwapAsync(Manifest manifest)
    {
        try
        {
            await _manifest.SaveAsync(manifest);
        }
        catch (ObjectConflictException e)
        {
            DeactivateOnIdle();
            throw new ShoalException(ShoalErrorKind.Conflict, $"Another activation of the model of '{Dataset}' swapped the manifest first; begin again from it.", e);
        }
        catch (StorageUnavailableException e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, e.Message, e);
        }
    }
}
