using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Hosting;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Datasets;

/// <summary>Runs a dataset's backup or restore beside everything else, one at a time.</summary>
[Immovable]
[RequiresRole(SiloRoles.Data)]
internal sealed partial class BackupGrain(IObjectStore store, ShoalSiloOptions options, TimeProvider time, ILogger<BackupGrain> logger) : Grain, IBackupGrain
{
    private BackupStatus _status = new();

    private string Dataset => this.GetPrimaryKeyString();

    /// <inheritdoc/>
    public async Task BackupAsync(string target)
    {
        DatasetSettings settings = await GrainFactory.GetGrain<IDatasetGrain>(Dataset).GetSettingsAsync();
        DateTimeOffset now = time.GetUtcNow();
        await BeginAsync(target, restores: false, async other => await DescriptionAsync(other, Dataset) is { } before
            ? throw new ShoalException(ShoalErrorKind.Conflict, $"'{target}' holds a backup of '{Dataset}' of {before.TakenAt:yyyy-MM-dd HH:mm:ss} UTC; give another place.")
            : () => new DatasetBackup(store, other, Progress).BackUpAsync(Dataset, settings.Shards, now));
    }

    /// <inheritdoc/>
    public async Task RestoreAsync(string source, string name)
    {
        if ((Names.DatasetProblem(Dataset) ?? Names.DatasetProblem(name)) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        if (await store.StatAsync(StoreNames.Dataset(Dataset)) is not null)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"The dataset '{Dataset}' exists; restore under another name, or delete it first.");
        }

        await BeginAsync(source, restores: true, async other =>
        {
            BackupDescription backup = await DescriptionAsync(other, name)
                ?? throw new ShoalException(ShoalErrorKind.NotFound, $"'{source}' holds no complete backup of a dataset '{name}'.");
            return backup.Format == BackupDescription.CurrentFormat
                ? () => new DatasetBackup(store, other, Progress).RestoreAsync(backup, Dataset)
                : throw new ShoalException(ShoalErrorKind.Invalid, $"The backup has format {backup.Format}, this program reads {BackupDescription.CurrentFormat}. Use the program that made it, or a newer one.");
        });
    }

    /// <inheritdoc/>
    public Task<BackupStatus> GetAsync() => Task.FromResult(Volatile.Read(ref _status));

    /// <summary>Looks whether it can be done, and then does it in the background.</summary>
    private async Task BeginAsync(string place, bool restores, Func<IObjectStore, Task<Func<Task>>> prepare)
    {
        if (_status.Activity == BackupActivity.Running)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"A {(_status.Restores ? "restore" : "backup")} of '{Dataset}' is running; wait for it.");
        }

        IObjectStore other = Open(place, restores);
        try
        {
            Func<Task> work = await prepare(other);
            _status = new BackupStatus { Activity = BackupActivity.Running, Restores = restores, Place = place, StartedAt = time.GetUtcNow() };
            RunAsync(work, other).Ignore();
        }
        catch
        {
            (other as IDisposable)?.Dispose();
            throw;
        }
    }

    private async Task RunAsync(Func<Task> work, IObjectStore other)
    {
        DelayDeactivation(TimeSpan.FromDays(1));
        string? problem = null;
        try
        {
            // Off the turn: it reads and writes gigabytes.
            await Task.Run(work);
            if (_status.Restores)
            {
                await GrainFactory.GetGrain<ICatalogGrain>(GrainKeys.Catalog).AdoptAsync(Dataset);
            }
        }
#pragma warning disable CA1031 // Nobody waits for this task: whatever it is, the status tells it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            problem = e.Message;
            LogFailed(Dataset, _status.Place, e);
        }

        (other as IDisposable)?.Dispose();
        _status = _status with { Activity = problem is null ? BackupActivity.Done : BackupActivity.Failed, Problem = problem, EndedAt = time.GetUtcNow() };
        LogEnded(Dataset, _status.Place, _status.Activity, _status.Objects, _status.Bytes);
        DelayDeactivation(TimeSpan.FromHours(1));
    }

    private void Progress(ObjectCopy copy)
    {
        BackupStatus status = Volatile.Read(ref _status);
        Volatile.Write(ref _status, status with { Objects = status.Objects + 1, Bytes = status.Bytes + copy.Length });
    }

    private IObjectStore Open(string place, bool mustExist)
    {
        const string Blob = "blob:";
        if (place is null || !(place.StartsWith(Blob, StringComparison.Ordinal) ? place.Length > Blob.Length : Path.IsPathFullyQualified(place)))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"'{place}' is no place for backups; give the whole path of a folder on the silo's host, or {Blob}CONTAINER.");
        }

        if (mustExist && !place.StartsWith(Blob, StringComparison.Ordinal) && !Directory.Exists(place))
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"There is no folder '{place}' on the silo's host.");
        }

        try
        {
            return place.StartsWith(Blob, StringComparison.Ordinal)
                ? BlobContainers.Open(
                    options.Blobs ?? throw new ShoalException(ShoalErrorKind.Invalid, "This silo has no storage account for blobs; start it with --blobs, or give a folder."), place[Blob.Length..])
                : new FileObjectStore(place);
        }
        catch (StorageUnavailableException e)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, e.Message, e);
        }
    }

    private static async Task<BackupDescription?> DescriptionAsync(IObjectStore other, string dataset)
    {
        var description = new StoredDocument<BackupDescription>(other, DatasetBackup.DescriptionName(dataset));
        await description.LoadAsync();
        return description.Value;
    }

    [LoggerMessage(EventId = 220, EventName = "BackupEnded", Level = LogLevel.Information, Message = "{Dataset}: backup or restore with {Place}: {Activity}, {Objects} objects, {Bytes} bytes")]
    private partial void LogEnded(string dataset, string place, BackupActivity activity, int objects, long bytes);

    [LoggerMessage(EventId = 221, EventName = "BackupFailed", Level = LogLevel.Error, Message = "{Dataset}: backup or restore with {Place} failed")]
    private partial void LogFailed(string dataset, string place, Exception exception);
}
