namespace Shoal.Benchmarks.Simulation;

/// <summary>What comes in great numbers of small pieces: items, queries and polls, as rates, and what share of each resource they take. The formulas of the capacity model.</summary>
internal sealed class Flows
{
    /// <summary>Seconds of a day.</summary>
    public const double Day = 86_400;

    private const double AppendsOfASilo = 20;

    private readonly Scenario _scenario;
    private readonly Costs _costs;
    private readonly Platform _platform;
    private readonly Habits _habits;

    /// <summary>Adds them up.</summary>
    /// <param name="scenario">The cluster.</param>
    /// <param name="costs">What things cost.</param>
    /// <param name="share">The share of what arrives that is taken in; the rest is turned away.</param>
    public Flows(Scenario scenario, Costs costs, double share = 1)
    {
        (_scenario, _costs, _platform, _habits) = (scenario, costs, scenario.Platform, scenario.Habits);
        IdealRate = scenario.Silos * ((_platform.Cores - (scenario.QueriesPerSilo * costs.Query)) / (costs.Train + costs.TrainOther + costs.Ingest + costs.Assign));
        Offered = IdealRate * scenario.Load;
        Arrivals = Offered * share;
        Batch = Math.Clamp(_habits.Batch.Gathered / (scenario.Shards * costs.RecordBytes), 1, _habits.Batch.Items);
        Calls = Arrivals / Batch;
        // One append of a shard is in flight while the next gathers.
        Appends = Math.Min(Calls, scenario.Remedies.Has(Remedy.OneLogASilo) ? scenario.Busy * AppendsOfASilo : AllShards / _platform.StoreLatency);
        var cores = (double)_platform.Cores * scenario.Busy;
        var aDay = scenario.Items * costs.Assign / Day / cores;
        var refreshShare = scenario.Remedies.Has(Remedy.MoreRefresh) ? Math.Clamp(aDay, _habits.RefreshShare, 10 * _habits.RefreshShare) : _habits.RefreshShare;
        MostRefreshed = refreshShare * cores / costs.Assign;
        Refreshed = Math.Min(MostRefreshed, scenario.Items / scenario.VersionSeconds);
    }

    /// <summary>Items a second that all silos could store, assign and train on, were there nothing else to do.</summary>
    public double IdealRate { get; }

    /// <summary>Items a second that producers send.</summary>
    public double Offered { get; }

    /// <summary>Items a second that are taken in.</summary>
    public double Arrivals { get; }

    /// <summary>Items of a producer's batch for one shard.</summary>
    public double Batch { get; }

    /// <summary>Such batches a second.</summary>
    public double Calls { get; }

    /// <summary>Appends a second.</summary>
    public double Appends { get; }

    /// <summary>Items a second that can be assigned anew.</summary>
    public double MostRefreshed { get; }

    /// <summary>Items a second that are.</summary>
    public double Refreshed { get; }

    /// <summary>Queries a second.</summary>
    public double Queries => _scenario.QueriesPerSilo * _scenario.Silos;

    private double AllShards => (double)_scenario.Datasets * _scenario.Shards;

    private double Elsewhere => 1 - (1.0 / _scenario.Silos);

    private double FreshReads => Arrivals * (_costs.TrainReads + _costs.AssignReads) * (_scenario.Remedies.Has(Remedy.KeepTails) ? 0 : 1);

    private double FreshReadBytes => Arrivals * 2 * _costs.RecordBytes * (_scenario.Remedies.Has(Remedy.KeepTails) ? 0 : 1);

    /// <summary>Reads of the store a second.</summary>
    public double Reads => FreshReads + (Refreshed / _habits.PumpBatch);

    /// <summary>Requests of the store a second.</summary>
    public double StoreRequests => Appends + Reads;

    /// <summary>Bytes a second into the store.</summary>
    public double StoreIn => Arrivals * _costs.RecordBytes;

    /// <summary>Bytes a second out of the store.</summary>
    public double StoreOut => FreshReadBytes + (Refreshed * _costs.RecordBytes);

    /// <summary>Questions a second of one dataset's shards for what there is to know.</summary>
    public double PollsOfADataset =>
        (_scenario.Remedies.Has(Remedy.PollPerSilo) ? Math.Min(_scenario.Shards, _scenario.Silos) : _scenario.Shards) / _habits.Poll;

    /// <summary>Bytes of the answer: the plan names every seat, and for each shard its place.</summary>
    public double AnnouncementBytes => 1_000 + (_scenario.Remedies.Has(Remedy.PlanWhenChanged) ? 0 : (_scenario.Seats * _platform.SeatKey) + (2.0 * _scenario.Shards));

    /// <summary>The share of a dataset's turn: a call of each shard, and three of its own for it.</summary>
    public double DatasetTurn => PollsOfADataset * ((4 * _costs.Call) + (2 * AnnouncementBytes * _costs.Byte));

    /// <summary>The share of a model's turn: two questions for each of a shard, and a report of each seat at every look.</summary>
    public double ModelTurn => (PollsOfADataset * ((2 * _costs.Call) + (AnnouncementBytes * _costs.Byte))) + (_scenario.Seats * _costs.Call / _habits.Watch);

    /// <summary>Bytes a second out of the silo of a model, and out of and into that of a dataset.</summary>
    public double PlanBytes => PollsOfADataset * AnnouncementBytes;

    /// <summary>The share of the queue of hints that each of eight takes; two calls a hint.</summary>
    public double Hints => Math.Min(Calls, _scenario.Remedies.Has(Remedy.FewerHints) ? AllShards * 10 : Calls) * 2 * _costs.Call / _habits.HintQueues;

    /// <summary>The share of one core of the silo that opens every dataset.</summary>
    public double Starter => AllShards * _costs.Call / _habits.Starter / (_scenario.Remedies.Has(Remedy.StarterPerSilo) ? _scenario.Silos : 1);

    /// <summary>Bytes a second out of the table of members: each reader is given every row.</summary>
    public double TableBytes
    {
        get
        {
            var readers = _scenario.Silos / _platform.TableRefresh;
            var clients = _scenario.Remedies.Has(Remedy.GatewaysByGossip) ? 0 : _scenario.ClientsPerSilo * _scenario.Silos / _habits.GatewayPoll;
            // A failure is told to all, and each looks.
            var changes = _scenario.Silos * _scenario.Silos / _platform.TimeBetweenFailures;
            return (readers + clients + changes) * _scenario.Silos * _platform.TableRow;
        }
    }

    /// <summary>The share of a busy silo's cores that is not the compute thread's.</summary>
    public double OtherCores
    {
        get
        {
            var ingest = (Arrivals * (_costs.Ingest - (_costs.Call / _costs.BatchItems))) + (Calls * _costs.Call);
            var forwarded = Elsewhere * ((Arrivals * _costs.RecordBytes * _costs.Byte) + (Calls * _costs.Call) + (Queries * _costs.Call));
            var gone = AllShards / _habits.Gone * _costs.Call;
            var polls = _scenario.Datasets * ((DatasetTurn * 2) + (_scenario.Seats * 2 * _costs.Call / _habits.Watch));
            var members = (_scenario.Silos * _platform.Probed * 2 / _habits.Probes.Seconds * _costs.Call) + (TableBytes * _costs.Byte);
            return (ingest + forwarded + (Queries * _costs.Query) + gone + polls + members) / (_scenario.Busy * _platform.Cores);
        }
    }

    /// <summary>The share of a busy silo's cores that assigning takes, of arrivals and of old assignments.</summary>
    public double AssignCores => (Arrivals + Refreshed) * _costs.Assign / (_scenario.Busy * _platform.Cores);

    /// <summary>A fresh sample: read, sent, decoded, trained on.</summary>
    public double Sample => _costs.Train + _costs.TrainOther + (Elsewhere * _costs.RecordBytes * _costs.Byte);

    /// <summary>The share of a silo's cores that is left for training and settling.</summary>
    public double TrainCores => Math.Clamp(1 - OtherCores - AssignCores, 0.01, 1);

    /// <summary>Bytes a second into a busy silo.</summary>
    public double SiloIn => ((Arrivals * _costs.RecordBytes * (1 + (2 * Elsewhere))) + StoreOut) / _scenario.Busy;

    /// <summary>Bytes a second out of a busy silo.</summary>
    public double SiloOut => ((Arrivals * _costs.RecordBytes * (2 * Elsewhere)) + StoreIn) / _scenario.Busy;

    /// <summary>The share of a shard's turn that is not queries: items stored, read, assigned, and polls.</summary>
    public double ShardTurn =>
        ((Arrivals * (_costs.Ingest + (2 * _costs.RecordBytes * _costs.Byte))) + (Calls * _costs.Call)) / AllShards
        + ((1 / _habits.Poll) + (1 / _habits.Gone) + (1 / _habits.Starter)) * _costs.Call;

    /// <summary>Queries a second of one shard.</summary>
    public double QueriesOfAShard => Queries / AllShards;

    /// <summary>The share of what arrives that can be taken in; below 1 where a resource on the way is asked for more than it has.</summary>
    public double Admitted
    {
        get
        {
            double[] way =
            [
                OtherCores + AssignCores,
                StoreRequests / (_platform.StoreRequests * _scenario.Accounts),
                StoreIn / (_platform.StoreIngress * _scenario.Accounts),
                StoreOut / (_platform.StoreEgress * _scenario.Accounts),
                SiloIn / _platform.Link,
                SiloOut / _platform.Link,
                ShardTurn + (QueriesOfAShard * _costs.Query),
                Arrivals * _costs.RecordBytes * _platform.StoreLatency / (AllShards * _habits.AppendBytes),
            ];
            return Math.Min(1, 1 / Math.Max(1e-9, way.Max()));
        }
    }
}
