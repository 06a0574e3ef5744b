using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Hosting;
using Shoal.Learning;

namespace Shoal.Benchmarks.Simulation;

/// <summary>The program's own intervals, patience and sizes. What it keeps to itself is repeated here, and a test compares.</summary>
internal sealed record Habits
{
    /// <summary>Seconds of a round by its settings.</summary>
    public double RoundSeconds { get; init; } = new DatasetSettings().RoundSeconds;

    /// <summary>Shards of a dataset of a cluster.</summary>
    /// <value>256, what the design gives a cluster; a dataset has 16 unless it is told otherwise.</value>
    public int Shards { get; init; } = 256;

    /// <summary>Seconds after which shards ask what there is to know, and seats look for what is new.</summary>
    public double Poll { get; init; } = new ShoalSiloOptions().PollSeconds;

    /// <summary>The least share of the compute thread's time that old assignments get.</summary>
    public double RefreshShare { get; init; } = new ComputeOptions().RefreshShare;

    /// <summary>Items that the pump reads and embeds at once.</summary>
    public int PumpBatch { get; init; } = new ShoalSiloOptions().PumpBatch;

    /// <summary>Items of a producer's batch for one shard at most, and the bytes that it gathers for all of them.</summary>
    public (int Items, double Gathered) Batch { get; init; } = (new IngestOptions().BatchItems, new IngestOptions().GatherBytes);

    /// <summary>Bytes of records that go out in one append.</summary>
    public double AppendBytes { get; init; } = new Storage.ShardLogOptions().BatchBytes;

    /// <summary>Seconds after which a client asks for the gateways.</summary>
    public double GatewayPoll { get; init; } = 5;

    /// <summary>Fresh samples of a step.</summary>
    public int FreshPerStep { get; init; } = new LearnerOptions().FreshPerStep;

    /// <summary>ModelGrain.RoundPatience: seconds after the end of a round that late seats have.</summary>
    public double RoundPatience { get; init; } = 5;

    /// <summary>ModelGrain.RoundLook.</summary>
    public double RoundLook { get; init; } = 1;

    /// <summary>ModelGrain.SettlePatience.</summary>
    public double SettlePatience { get; init; } = 60;

    /// <summary>ModelGrain.SeatPatience: a report of a dead seat that nobody knows to be dead.</summary>
    public double SeatPatience { get; init; } = 3;

    /// <summary>ModelGrain.WorkForEachWait: a round trains so many times as long as merging it takes.</summary>
    public double WorkForEachWait { get; init; } = 8;

    /// <summary>ModelGrain.MostRounds: at most so many times <see cref="RoundSeconds"/>.</summary>
    public double MostRounds { get; init; } = 3;

    /// <summary>ModelGrain.WatchInterval: seconds between two looks at the seats.</summary>
    public double Watch { get; init; } = 5;

    /// <summary>ModelGrain.MostLate: rounds that a seat was late for until all is dealt anew.</summary>
    public int MostLate { get; init; } = 2;

    /// <summary>SharedRoundEnds.Look: seconds between two questions whether the round is over.</summary>
    public double OutcomeLook { get; init; } = 0.05;

    /// <summary>DatasetStarter.Safety: seconds between two rounds of asking every shard for its status.</summary>
    public double Starter { get; init; } = 30;

    /// <summary>GoneSamples.Interval.</summary>
    public double Gone { get; init; } = 2;

    /// <summary>SiloMembership.ProbeTimeout, the interval of probes too, and how many a dead silo misses.</summary>
    public (double Seconds, int Missed) Probes { get; init; } = (2, 2);

    /// <summary>Versions whose checkpoints a manifest keeps at most.</summary>
    public int KeptVersions { get; init; } = 8;

    /// <summary>Queues of hints in a cluster.</summary>
    /// <value>8: Orleans' default for memory streams.</value>
    public int HintQueues { get; init; } = 8;

    /// <summary>Bytes of one read while a log is scanned.</summary>
    public double ScanBytes { get; init; } = new Storage.ShardLogOptions().ReadBytes;
}
