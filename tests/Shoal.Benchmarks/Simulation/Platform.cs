namespace Shoal.Benchmarks.Simulation;

/// <summary>What a cluster runs on: assumptions, each with its source. None of it is measured here.</summary>
internal sealed record Platform
{
    private const double Gigabit = 1e9 / 8;

    /// <summary>Cores of a silo.</summary>
    /// <value>8: a Standard_D8s_v5 (learn.microsoft.com/azure/virtual-machines/dsv5-series).</value>
    public int Cores { get; init; } = 8;

    /// <summary>Bytes of a silo's memory.</summary>
    /// <value>32 GiB, the same machine.</value>
    public double Memory { get; init; } = 32.0 * (1L << 30);

    /// <summary>Bytes a second of a silo's link, each way.</summary>
    /// <value>12.5 Gbit/s, the same machine.</value>
    public double Link { get; init; } = 12.5 * Gigabit;

    /// <summary>Bytes of a silo's local disk.</summary>
    /// <value>1 TiB: a P30 (learn.microsoft.com/azure/virtual-machines/disks-types).</value>
    public double Disk { get; init; } = 1L << 40;

    /// <summary>Seconds there and back between two silos.</summary>
    /// <value>0.5 ms: within a region, assumed.</value>
    public double RoundTrip { get; init; } = 0.0005;

    /// <summary>Seconds of a small request of the store.</summary>
    /// <value>10 ms: a blob in the same region, assumed.</value>
    public double StoreLatency { get; init; } = 0.010;

    /// <summary>Requests a second of one storage account.</summary>
    /// <value>20,000 (learn.microsoft.com/azure/storage/common/scalability-targets-standard-account; 40,000 in some regions).</value>
    public double StoreRequests { get; init; } = 20_000;

    /// <summary>Bytes a second that one storage account takes.</summary>
    /// <value>25 Gbit/s, the same page (60 in some regions).</value>
    public double StoreIngress { get; init; } = 25 * Gigabit;

    /// <summary>Bytes a second that one storage account gives.</summary>
    /// <value>50 Gbit/s, the same page (200 in some regions).</value>
    public double StoreEgress { get; init; } = 50 * Gigabit;

    /// <summary>Requests a second of one blob.</summary>
    /// <value>500 (learn.microsoft.com/azure/storage/blobs/scalability-targets).</value>
    public double BlobRequests { get; init; } = 500;

    /// <summary>Names in one answer of a listing.</summary>
    /// <value>5,000: List Blobs' limit.</value>
    public int ListPage { get; init; } = 5_000;

    /// <summary>Seconds between two failures of one silo.</summary>
    /// <value>30 days, assumed: updates of the machine below included.</value>
    public double TimeBetweenFailures { get; init; } = 30 * 86_400.0;

    /// <summary>Bytes a second of the table of members.</summary>
    /// <value>10 Gbit/s: the link of a Redis.</value>
    public double TableLink { get; init; } = 10 * Gigabit;

    /// <summary>Bytes of a row of that table, as a reader gets it.</summary>
    /// <value>700, assumed.</value>
    public double TableRow { get; init; } = 700;

    /// <summary>Silos that each silo probes.</summary>
    /// <value>10: Orleans' default (learn.microsoft.com/dotnet/orleans/implementation/cluster-management).</value>
    public int Probed { get; init; } = 10;

    /// <summary>Seconds between two looks of a silo at the table.</summary>
    /// <value>60: Orleans' default.</value>
    public double TableRefresh { get; init; } = 60;

    /// <summary>Bytes that a seat's key takes in a message or a manifest.</summary>
    /// <value>64: dataset, address, port and generation, assumed.</value>
    public double SeatKey { get; init; } = 64;

    /// <summary>Bytes that a claim takes in a manifest.</summary>
    /// <value>110: its name, its length, and what JSON puts around them.</value>
    public double ClaimInManifest { get; init; } = 110;

    /// <summary>Dollars for a write, a listing and a read.</summary>
    /// <value>
    /// Microsoft's sample prices for the hot tier, of July 2024: $0.055, 0.055 and 0.0044 for 10,000 (learn.microsoft.com/azure/storage/blobs/blob-storage-estimate-costs);
    /// which call is which: learn.microsoft.com/azure/storage/blobs/map-rest-apis-transaction-categories, of May 2025. A deletion is free.
    /// </value>
    public (double Write, double List, double Read) Prices { get; init; } = (0.055 / 1e4, 0.055 / 1e4, 0.0044 / 1e4);

    /// <summary>Dollars for a byte kept for a day.</summary>
    /// <value>$0.018 for a GB and month: hot tier, US East, the pricing page in May 2026.</value>
    public double StoredByteDay { get; init; } = 0.018 / 1e9 / 30;

    /// <summary>One host, as <c>./shoal bench scale</c> has it: silos of one core, folders for a store, nothing far away.</summary>
    public static Platform OneHost { get; } = new()
    {
        Cores = 1,
        Link = 5e9,
        RoundTrip = 0.0002,
        // A write with a sync; what others say of limits does not hold for a folder.
        StoreLatency = 0.002,
        StoreRequests = 1e9,
        StoreIngress = 5e8,
        StoreEgress = 5e9,
        BlobRequests = 1e9,
    };
}
