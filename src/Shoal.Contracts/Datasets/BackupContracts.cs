using Orleans.Concurrency;

namespace Shoal.Contracts;

/// <summary>How far a backup or a restore is.</summary>
public enum BackupActivity
{
    /// <summary>Nobody asked for one since the silo started.</summary>
    None = 0,

    /// <summary>It runs.</summary>
    Running = 1,

    /// <summary>It is complete, and every object has been read back and compared.</summary>
    Done = 2,

    /// <summary>It ended without a result; the problem says why.</summary>
    Failed = 3,
}

/// <summary>The last backup or restore of a dataset.</summary>
[GenerateSerializer, Immutable, Alias("shoal.backup-status")]
public sealed record BackupStatus
{
    /// <summary>How far it is.</summary>
    [Id(0)] public BackupActivity Activity { get; init; }

    /// <summary>Whether it restores.</summary>
    [Id(1)] public bool Restores { get; init; }

    /// <summary>The folder or container that the backup is in; empty when there was none.</summary>
    [Id(2)] public string Place { get; init; } = string.Empty;

    /// <summary>Objects copied.</summary>
    [Id(3)] public int Objects { get; init; }

    /// <summary>Bytes copied.</summary>
    [Id(4)] public long Bytes { get; init; }

    /// <summary>When it began; null when there was none.</summary>
    [Id(5)] public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    [Id(6)] public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it failed, and what to do; null when it did not.</summary>
    [Id(7)] public string? Problem { get; init; }
}

/// <summary>Backs a dataset up while it is in use, and brings one back. Key: the dataset's name.</summary>
[Alias("shoal.backup")]
public interface IBackupGrain : IGrainWithStringKey
{
    /// <summary>Begins a backup.</summary>
    /// <param name="target">A folder of the silo's host, whole path, or <c>blob:CONTAINER</c> in the silo's storage account.</param>
    /// <exception cref="ShoalException">NotFound (no such dataset), Invalid (no such target), Conflict (one runs, or a backup is there).</exception>
    [Alias("backup")]
    Task BackupAsync(string target);

    /// <summary>Begins to restore a backup as a dataset of this name.</summary>
    /// <param name="source">The target that it was backed up to.</param>
    /// <param name="name">The name that the dataset had.</param>
    /// <exception cref="ShoalException">NotFound (no such backup), Invalid (no such source, or a backup of another format), Conflict (one runs, or the dataset exists).</exception>
    [Alias("restore")]
    Task RestoreAsync(string source, string name);

    /// <summary>How far it is.</summary>
    [AlwaysInterleave, Alias("get")]
    Task<BackupStatus> GetAsync();
}
