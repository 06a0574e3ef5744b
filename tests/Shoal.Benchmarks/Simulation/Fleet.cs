namespace Shoal.Benchmarks.Simulation;

/// <summary>The silos with their links and compute threads, and the store that they share.</summary>
internal sealed class Fleet
{
    private readonly Station[] _in;
    private readonly Station[] _out;
    private readonly Processor[] _compute;
    private readonly Station _storeIn;
    private readonly Station _storeOut;
    private readonly Station _requests;

    /// <summary>Builds them, with what flows all the time as their background.</summary>
    /// <param name="loop">The simulated time.</param>
    /// <param name="scenario">The cluster.</param>
    /// <param name="costs">What things cost.</param>
    /// <param name="flows">What flows.</param>
    public Fleet(EventLoop loop, Scenario scenario, Costs costs, Flows flows)
    {
        (Loop, Scenario, Costs, Flows) = (loop, scenario, costs, flows);
        Random = new Random(scenario.Seed);
        Platform platform = scenario.Platform;
        _in = Made(flows.SiloIn / platform.Link);
        _out = Made(flows.SiloOut / platform.Link);
        _compute = [.. Enumerable.Range(0, scenario.Silos).Select(_ => new Processor(loop))];
        _requests = new Station(loop) { Background = flows.StoreRequests / RequestsASecond };
        _storeIn = new Station(loop) { Background = flows.StoreIn / (platform.StoreIngress * scenario.Accounts) };
        _storeOut = new Station(loop) { Background = flows.StoreOut / (platform.StoreEgress * scenario.Accounts) };

        Station[] Made(double background) => [.. Enumerable.Range(0, scenario.Silos).Select(_ => new Station(loop) { Background = background })];
    }

    /// <summary>The simulated time.</summary>
    public EventLoop Loop { get; }

    /// <summary>The cluster.</summary>
    public Scenario Scenario { get; }

    /// <summary>What things cost.</summary>
    public Costs Costs { get; }

    /// <summary>What flows.</summary>
    public Flows Flows { get; }

    /// <summary>All that is drawn.</summary>
    public Random Random { get; }

    /// <summary>Whether something is changed in the program.</summary>
    /// <param name="remedy">What.</param>
    public bool Has(Remedy remedy) => Scenario.Remedies.Has(remedy);

    /// <summary>Calls of the store that rounds made: writes, listings, reads.</summary>
    public (double Writes, double Lists, double Reads) Calls { get; private set; }

    /// <summary>How long parts of rounds took.</summary>
    public Phases Phases { get; } = new();

    /// <summary>Fresh samples that a second of all cores that are left for it is enough for.</summary>
    public double SamplesPerComputeSecond => Scenario.Platform.Cores * Flows.TrainCores / Flows.Sample;

    /// <summary>A step, in seconds of the whole thread.</summary>
    public double Step => Scenario.Habits.FreshPerStep / SamplesPerComputeSecond;

    /// <summary>The end of a round, in seconds of the whole thread: it is taken to use one core, however many there are.</summary>
    public double Settle => Costs.Settle / Math.Min(1, Scenario.Platform.Cores * Flows.TrainCores);

    /// <summary>The compute thread of a silo.</summary>
    /// <param name="silo">The silo.</param>
    public Processor Compute(int silo) => _compute[silo];

    /// <summary>The link into a silo.</summary>
    /// <param name="silo">The silo.</param>
    public Station LinkInto(int silo) => _in[silo];

    /// <summary>The link out of a silo.</summary>
    /// <param name="silo">The silo.</param>
    public Station LinkOutOf(int silo) => _out[silo];

    /// <summary>The store's requests, its link in and its link out.</summary>
    public (Station Requests, Station In, Station Out) Store => (_requests, _storeIn, _storeOut);

    private double RequestsASecond => Scenario.Platform.StoreRequests * Scenario.Accounts;

    /// <summary>Sends bytes from one silo to another.</summary>
    /// <param name="from">The one.</param>
    /// <param name="to">The other.</param>
    /// <param name="bytes">How many.</param>
    public async Task SendAsync(int from, int to, double bytes)
    {
        if (from != to)
        {
            await _out[from].Use(bytes / Scenario.Platform.Link);
            await _in[to].Use(bytes / Scenario.Platform.Link);
        }

        await Loop.Delay(Scenario.Platform.RoundTrip / 2);
    }

    /// <summary>Writes objects, one after the other.</summary>
    /// <param name="silo">Who writes.</param>
    /// <param name="bytes">Their bytes in all.</param>
    /// <param name="objects">How many.</param>
    public async Task PutAsync(int silo, double bytes, int objects)
    {
        Calls = Calls with { Writes = Calls.Writes + objects };
        await _out[silo].Use(bytes / Scenario.Platform.Link);
        await _requests.Use(objects / RequestsASecond);
        await _storeIn.Use(bytes / (Scenario.Platform.StoreIngress * Scenario.Accounts));
        await Loop.Delay(objects * Scenario.Platform.StoreLatency);
    }

    /// <summary>Reads objects, side by side.</summary>
    /// <param name="silo">Who reads.</param>
    /// <param name="bytes">Their bytes in all.</param>
    /// <param name="objects">How many.</param>
    /// <param name="blob">The object that all read at once; null where each is read by one.</param>
    public async Task GetAsync(int silo, double bytes, int objects, Station? blob = null)
    {
        Calls = Calls with { Reads = Calls.Reads + objects };
        await _requests.Use(objects / RequestsASecond);
        if (blob is not null)
        {
            await blob.Use(1 / Scenario.Platform.BlobRequests);
        }

        await _storeOut.Use(bytes / (Scenario.Platform.StoreEgress * Scenario.Accounts));
        await _in[silo].Use(bytes / Scenario.Platform.Link);
        await Loop.Delay(Scenario.Platform.StoreLatency);
    }

    /// <summary>Lists objects and removes some, beside whatever else goes on.</summary>
    /// <param name="listed">Objects that are listed.</param>
    /// <param name="removed">Objects that are removed.</param>
    public void Collect(double listed, double removed)
    {
        var pages = Math.Ceiling(listed / Scenario.Platform.ListPage);
        Calls = Calls with { Lists = Calls.Lists + pages };
        Loop.Start(async () => await _requests.Use((pages + removed) / RequestsASecond));
    }
}

/// <summary>How long things took, by name.</summary>
internal sealed class Phases
{
    private readonly Dictionary<string, (double Sum, long Count)> _times = new(StringComparer.Ordinal);

    /// <summary>Notes one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="seconds">How long it took.</param>
    public void Add(string name, double seconds)
    {
        (var sum, var count) = _times.GetValueOrDefault(name);
        _times[name] = (sum + seconds, count + 1);
    }

    /// <summary>The mean of a name; 0 when there was none.</summary>
    /// <param name="name">The name.</param>
    public double Mean(string name) => _times.TryGetValue(name, out (double Sum, long Count) so) ? so.Sum / so.Count : 0;
}
