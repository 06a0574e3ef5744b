namespace Shoal.Storage;

/// <summary>When the file store tells the disk to keep what was written.</summary>
public enum FsyncPolicy
{
    /// <summary>Before every return from a write: an acknowledgement survives a power cut.</summary>
    EveryWrite,

    /// <summary>Never: an acknowledgement survives the process but not the machine. For tests and for benchmarks of the limit.</summary>
    None,
}

/// <summary>Settings of <see cref="FileObjectStore"/>.</summary>
public sealed record FileObjectStoreOptions
{
    /// <summary>When to sync.</summary>
    /// <value>Default <see cref="FsyncPolicy.EveryWrite"/>.</value>
    public FsyncPolicy Fsync { get; init; } = FsyncPolicy.EveryWrite;

    /// <summary>Threads that write and sync, so that a slow disk never blocks the thread pool.</summary>
    /// <value>Default 16: fdatasync of 1 file 300/s, of 4 files 3,700/s, of 16 files 6,400/s at once (measured, virtio disk, ext4). Range 1 to 256.</value>
    public int WriteThreads { get; init; } = 16;

    /// <summary>Threads that read: apart from the writers, so that a read never waits for a sync.</summary>
    /// <value>Default 4: reads come from the page cache or queue at one disk anyway. Range 1 to 64.</value>
    public int ReadThreads { get; init; } = 4;

    /// <summary>Files kept open.</summary>
    /// <value>Default 256: two segments each for 128 shards, a quarter of the usual limit of 1,024 descriptors. Range 4 to 65,536.</value>
    public int MaxOpenFiles { get; init; } = 256;

    /// <summary>Bytes of the disk that appends leave free, so that what is put, a checkpoint and its manifest above all, still has room when the disk fills up.</summary>
    /// <value>Default 128 MiB: a checkpoint of a small model has 5 MB, and three are kept. Range 0 to 1 TiB.</value>
    public long HeadroomBytes { get; init; } = 128L << 20;

    /// <summary>Every problem with these settings; empty when they are fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        List<string> problems = [];
        OptionChecks.Range(problems, nameof(WriteThreads), WriteThreads, 1, 256);
        OptionChecks.Range(problems, nameof(ReadThreads), ReadThreads, 1, 64);
        OptionChecks.Range(problems, nameof(MaxOpenFiles), MaxOpenFiles, 4, 65_536);
        OptionChecks.Range(problems, nameof(HeadroomBytes), HeadroomBytes, 0, 1L << 40);
        if (!Enum.IsDefined(Fsync))
        {
            problems.Add($"{nameof(Fsync)} is {Fsync}; must be {nameof(FsyncPolicy.EveryWrite)} or {nameof(FsyncPolicy.None)}");
        }

        return problems;
    }

    /// <summary>Throws when a setting is wrong.</summary>
    /// <exception cref="ArgumentException">Lists every problem.</exception>
    public void Validate() => OptionChecks.Throw("File store", Problems());
}
