namespace Shoal.Benchmarks.Simulation;

/// <summary>A cluster, what is asked of it, and what of the program is changed.</summary>
internal sealed record Scenario
{
    /// <summary>Silos, each with every role.</summary>
    public required int Silos { get; init; }

    /// <summary>Items that are stored already, in all datasets together.</summary>
    public required double Items { get; init; }

    /// <summary>Datasets, all alike.</summary>
    public required int Datasets { get; init; }

    /// <summary>What is changed.</summary>
    public Remedy Remedies { get; init; }

    /// <summary>The seed of everything that is drawn.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Queries a second for each silo.</summary>
    public double QueriesPerSilo { get; init; } = 1_000;

    /// <summary>Clients for each silo, which ask for gateways.</summary>
    public double ClientsPerSilo { get; init; } = 2;

    /// <summary>Items that arrive, as a share of what all silos together could store, assign and train on.</summary>
    public double Load { get; init; } = 1;

    /// <summary>Items that wait to be trained on at the beginning.</summary>
    public double Backlog { get; init; }

    /// <summary>Seconds between two versions, whose items are assigned anew.</summary>
    public double VersionSeconds { get; init; } = 600;

    /// <summary>Shards of a dataset; null for the program's own number.</summary>
    public int? ShardsPerDataset { get; init; }

    /// <summary>Whether a silo is killed once what is steady was measured.</summary>
    public bool Kills { get; init; } = true;

    /// <summary>What it runs on.</summary>
    public Platform Platform { get; init; } = new();

    /// <summary>The program's intervals and sizes.</summary>
    public Habits Habits { get; init; } = new();

    /// <summary>Shards of a dataset.</summary>
    public int Shards => ShardsPerDataset ?? (Remedies.Has(Remedy.MoreShards) ? Math.Max(Habits.Shards, (4 * Silos) / Datasets) : Habits.Shards);

    /// <summary>Seats of a dataset: one on each silo, at most one a shard.</summary>
    public int Seats => Math.Min(Remedies.Has(Remedy.FewerSeats) ? Math.Max(1, Silos / Datasets) : Silos, Shards);

    /// <summary>Seats of all datasets on a silo.</summary>
    public double SeatsOfASilo => (double)Datasets * Seats / Silos;

    /// <summary>Silos that have shards and seats; the others have nothing to do.</summary>
    public int Busy => (int)Math.Min(Silos, (long)Datasets * Shards);

    /// <summary>Storage accounts.</summary>
    public int Accounts => Remedies.Has(Remedy.MoreAccounts) ? (Silos + 99) / 100 : 1;
}
