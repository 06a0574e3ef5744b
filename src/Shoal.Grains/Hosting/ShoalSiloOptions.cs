using Shoal.Grains.Compute;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Hosting;

/// <summary>Settings of a silo.</summary>
public sealed record ShoalSiloOptions
{
    /// <summary>The folder of this silo: its store (unless blobs are used), its rebuildable sidecars, its endpoints.</summary>
    public string DataDirectory { get; init; } = "shoal-data";

    /// <summary>What this silo does in its cluster. Default everything.</summary>
    public SiloRoles Roles { get; init; } = SiloRoles.All;

    /// <summary>The folder of the store where silos of one host share it; null has it in <see cref="DataDirectory"/>. Not for a network file system.</summary>
    public string? SharedStore { get; init; }

    /// <summary>The Azure storage account of the store: a connection string, or its address, which the process enters by its identity; null keeps everything in folders.</summary>
    public string? Blobs { get; init; }

    /// <summary>The blob container. Default <c>shoal</c>.</summary>
    public string BlobContainer { get; init; } = "shoal";

    /// <summary>The compute thread.</summary>
    public ComputeOptions Compute { get; init; } = new();

    /// <summary>Items that a shard's index pump decodes and embeds at once, 1 to 2,048. Default 256: 9 ms of two cores.</summary>
    public int PumpBatch { get; init; } = 256;

    /// <summary>Seconds after which lost hints are made up for by looking, 0.1 to 60. Default 2.</summary>
    public double PollSeconds { get; init; } = 2;

    /// <summary>Seconds after which the bytes of deleted and replaced items are taken out of the log at the latest, 1 to 86,400. Default 600: each time ends a segment.</summary>
    public double EraseSeconds { get; init; } = 600;

    /// <summary>
    /// Seconds after which what changed in a shard's sidecars is copied to the store, 0 for never to 86,400: a shard that opens elsewhere then need not read its log
    /// and embed its items again. Default 0; <c>shoal serve</c> takes 30 where other silos, or another machine, may open it.
    /// </summary>
    public double SidecarCopySeconds { get; init; }

    /// <summary>MiB of the disk that appends leave free for checkpoints when the store is on files, 0 to 1,048,576. Default 128.</summary>
    public long DiskHeadroomMiB { get; init; } = 128;

    /// <summary>Folder of the store when it is on files.</summary>
    public string StoreDirectory => SharedStore ?? Path.Combine(DataDirectory, "store");

    /// <summary>Folder of sidecars: views that are rebuilt from the store when they are missing.</summary>
    public string SidecarDirectory => Path.Combine(DataDirectory, "sidecars");

    /// <summary>Lists every setting that is out of range; empty when all are fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>(Compute.Problems());
        if (string.IsNullOrWhiteSpace(DataDirectory))
        {
            problems.Add("DataDirectory is empty; name a folder.");
        }

        if (PumpBatch is < 1 or > 2_048)
        {
            problems.Add($"PumpBatch is {PumpBatch}; must be 1 to 2,048.");
        }

        if (PollSeconds is not (>= 0.1 and <= 60))
        {
            problems.Add($"PollSeconds is {PollSeconds}; must be 0.1 to 60.");
        }

        if (EraseSeconds is not (>= 1 and <= 86_400))
        {
            problems.Add($"EraseSeconds is {EraseSeconds}; must be 1 to 86,400.");
        }

        if (SidecarCopySeconds is not (>= 0 and <= 86_400))
        {
            problems.Add($"SidecarCopySeconds is {SidecarCopySeconds}; must be 0 to 86,400.");
        }

        if (DiskHeadroomMiB is < 0 or > 1_048_576)
        {
            problems.Add($"DiskHeadroomMiB is {DiskHeadroomMiB}; must be 0 to 1,048,576.");
        }

        if (BlobContainers.Problem(Blobs) is { } problem)
        {
            problems.Add(problem);
        }

        return problems;
    }
}
