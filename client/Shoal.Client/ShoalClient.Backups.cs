using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Backups.</content>
public sealed partial class ShoalClient
{
    private static readonly TimeSpan BackupPoll = TimeSpan.FromSeconds(0.5);

    /// <summary>Begins to copy a dataset elsewhere while it is in use.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="target">A folder of the silo's host, whole path, or <c>blob:CONTAINER</c> in the silo's storage account.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid (no such target), NotFound (no such dataset), Conflict (a backup is there, or one runs), Unavailable.</exception>
    public async Task<BackupStatus> BeginBackupAsync(string dataset, string target, CancellationToken cancellationToken = default)
    {
        IBackupGrain grain = Backup(dataset);
        await CallOnceAsync(() => grain.BackupAsync(target), cancellationToken);
        return await BackupStatusAsync(dataset, cancellationToken);
    }

    /// <summary>Begins to bring a backup back as a new dataset.</summary>
    /// <param name="dataset">The name of the new dataset.</param>
    /// <param name="source">The target that it was backed up to.</param>
    /// <param name="name">The name that it had; null for the same.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid (no such source), NotFound (no such backup), Conflict (the dataset exists), Unavailable.</exception>
    public async Task<BackupStatus> BeginRestoreAsync(string dataset, string source, string? name = null, CancellationToken cancellationToken = default)
    {
        IBackupGrain grain = Backup(dataset);
        await CallOnceAsync(() => grain.RestoreAsync(source, name ?? dataset), cancellationToken);
        return await BackupStatusAsync(dataset, cancellationToken);
    }

    /// <summary>How far the last backup or restore of a dataset is.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, Unavailable.</exception>
    public Task<BackupStatus> BackupStatusAsync(string dataset, CancellationToken cancellationToken = default)
    {
        IBackupGrain grain = Backup(dataset);
        return CallAsync(grain.GetAsync, cancellationToken);
    }

    /// <summary>Waits until the backup or restore of a dataset has ended.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="progress">Told how far it is; null when nobody wants to know.</param>
    /// <param name="cancellationToken">Stops the wait, not the work.</param>
    /// <exception cref="ShoalException">Unavailable (it failed, or the silo stopped; the message says why), Invalid.</exception>
    public async Task<BackupStatus> WaitForBackupAsync(string dataset, IProgress<BackupStatus>? progress = null, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            BackupStatus status = await BackupStatusAsync(dataset, cancellationToken);
            progress?.Report(status);
            switch (status.Activity)
            {
                case BackupActivity.Done:
                    return status;
                case BackupActivity.Failed:
                    throw new ShoalException(ShoalErrorKind.Unavailable, status.Problem ?? "It failed.");
                case BackupActivity.None:
                    throw new ShoalException(ShoalErrorKind.Unavailable, "The silo was restarted meanwhile; begin anew.");
            }

            await Task.Delay(BackupPoll, _options.Time, cancellationToken);
        }
    }

    private IBackupGrain Backup(string dataset)
    {
        CheckDataset(dataset);
        return _cluster.GetGrain<IBackupGrain>(dataset);
    }

    // Beginning something twice is an error that the first call would be blamed for.
    private static async Task CallOnceAsync(Func<Task> call, CancellationToken cancellationToken)
    {
        try
        {
            await call().WaitAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is not ShoalException && CallFailures.IsTransient(failure, cancellationToken))
        {
            throw CallFailures.Explain(failure);
        }
    }
}
