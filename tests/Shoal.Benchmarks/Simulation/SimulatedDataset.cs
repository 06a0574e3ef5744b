namespace Shoal.Benchmarks.Simulation;

/// <summary>A dataset's model, bank and seats as they play together: deals, looks at seats, and what they are kept from while they wait.</summary>
/// <remarks>After ModelGrain: calls come one at a time, and keep others out while they wait; questions for an outcome, a version and a plan are answered in between, and take time of the same turn.</remarks>
internal sealed partial class SimulatedDataset
{
    private readonly Fleet _fleet;
    private readonly EventLoop _loop;
    private readonly Habits _habits;
    private readonly Costs _costs;
    private readonly Gate _gate;
    private readonly Station _blob;
    private readonly Dictionary<int, int> _late = [];
    private readonly int _first;
    private readonly List<int> _silos;
    private int? _dead;
    private bool _knowsDead;
    private bool _dealsAnew = true;
    private double _publishedAt;

    /// <summary>Makes one, on silos that are drawn.</summary>
    /// <param name="fleet">What it runs on.</param>
    /// <param name="number">Its number.</param>
    public SimulatedDataset(Fleet fleet, int number)
    {
        (_fleet, _loop, _habits, _costs) = (fleet, fleet.Loop, fleet.Scenario.Habits, fleet.Costs);
        _gate = new Gate(_loop);
        _blob = new Station(_loop);
        Scenario scenario = fleet.Scenario;
        ModelSilo = fleet.Random.Next(scenario.Busy);
        BankSilo = fleet.Random.Next(scenario.Busy);
        _first = fleet.Has(Remedy.FewerSeats) ? (int)((long)number * scenario.Silos / scenario.Datasets) : fleet.Random.Next(scenario.Silos);
        _silos = [.. Enumerable.Range(0, scenario.Silos)];
        Turn = new Station(_loop) { Background = fleet.Flows.ModelTurn };
        BankTurn = new Station(_loop);
        // What the plan takes of the model's link goes on all the time; the dataset's own grain is on another silo.
        fleet.LinkOutOf(ModelSilo).Background += fleet.Flows.PlanBytes / scenario.Platform.Link;
        Seats = scenario.Seats;
        Backlog = new Backlog(fleet.Flows.Arrivals / scenario.Datasets, scenario.Backlog / scenario.Datasets, scenario.Shards, Seats);
        Round = new SimulatedRound(_loop, 0, 0, _habits.RoundSeconds);
    }

    /// <summary>The silo of its model.</summary>
    public int ModelSilo { get; }

    /// <summary>The silo of its memory bank.</summary>
    public int BankSilo { get; }

    /// <summary>The model's turn.</summary>
    public Station Turn { get; }

    /// <summary>The bank's turn.</summary>
    public Station BankTurn { get; }

    /// <summary>The objects that all seats read at once.</summary>
    public Station Blob => _blob;

    /// <summary>Its items.</summary>
    public Backlog Backlog { get; }

    /// <summary>Seats of the deal.</summary>
    public int Seats { get; private set; }

    /// <summary>The number of the deal.</summary>
    public long Term { get; private set; }

    /// <summary>The round under way.</summary>
    public SimulatedRound Round { get; private set; }

    /// <summary>When rounds were committed, and how much was trained on until then.</summary>
    public List<(double At, double Trained)> Commits { get; } = [];

    /// <summary>Seconds that seats trained.</summary>
    public List<(double From, double To)> Trainings { get; } = [];

    /// <summary>Deliveries in time and too late.</summary>
    public (long InTime, long Late) Deliveries { get; private set; }

    /// <summary>Lets it run.</summary>
    public void Start()
    {
        _loop.Start(WatchAsync);
        if (_fleet.Scenario.Seats > 1)
        {
            _loop.Start(LookAsync);
        }
    }

    /// <summary>The silo of a seat.</summary>
    /// <param name="seat">The seat.</param>
    public int SiloOf(int seat) => _silos[(_first + seat) % _silos.Count];

    /// <summary>Kills a silo: it delivers nothing any more. Whoever asks it waits, until the others know.</summary>
    /// <param name="silo">The silo.</param>
    public void Kill(int silo)
    {
        if (Enumerable.Range(0, Seats).Any(seat => SiloOf(seat) == silo))
        {
            _dead = silo;
        }
    }

    /// <summary>The cluster has voted it out.</summary>
    public void KnowDead() => _knowsDead = _dead is not null;

    private bool IsDead(int silo) => _dead == silo;

    private double Reports(int seats) => seats * _costs.Call;

    // One that is dead and not known to be answers to nobody.
    private double ReportTime => _dead is not null && !_knowsDead ? _habits.SeatPatience : _fleet.Scenario.Platform.RoundTrip;

    private double ReplayShare => Math.Max(_costs.Replay / Seats, _costs.Replay * 64 / 5_000);

    // The model, its clusters, and the clusters of rehearsed samples; the latter two are most of one seat's progress.
    private double SharedBytes => _costs.Model + _costs.Progress;

    // Of each seat three claims and its shards, in the checkpoint of each version that is kept.
    private double ManifestBytes => _costs.Manifest + ((1 + _habits.KeptVersions) * ((Seats > 1 ? Seats * 3 * _fleet.Scenario.Platform.ClaimInManifest : 0) + (_fleet.Scenario.Shards * 25.0)));

    private async Task WatchAsync()
    {
        while (true)
        {
            await _gate.Enter();
            if (_dealsAnew || _knowsDead)
            {
                await DealAsync();
            }
            else
            {
                await Turn.Use(Reports(Seats));
                await _loop.Delay(ReportTime);
            }

            _gate.Leave();
            await _loop.Delay(_habits.Watch);
        }
    }

    private async Task LookAsync()
    {
        while (true)
        {
            await _loop.Delay(_habits.RoundLook);
            if (Seats > 1)
            {
                await _gate.Enter();
                await EndRoundIfOverAsync(asks: true);
                _gate.Leave();
            }
        }
    }

    private async Task DealAsync()
    {
        if (_knowsDead && _dead is { } dead && _silos.Count > 1)
        {
            _silos.Remove(dead);
        }

        (_dealsAnew, _knowsDead, _dead) = (false, false, null);
        _late.Clear();
        Scenario scenario = _fleet.Scenario;
        Backlog.Advance(_loop.Now);
        Seats = Math.Min(_silos.Count, scenario.Seats);
        Backlog.Deal(scenario.Shards, Seats);
        Term++;
        // Whoever waits for the round before sees that its deal is over.
        Round.Over.Set();
        await _fleet.PutAsync(ModelSilo, ManifestBytes, 1);
        await _fleet.GetAsync(BankSilo, _costs.Bank, 1);
        // Every seat is told what each of the others kept, and takes what is of its shards.
        var told = _fleet.Has(Remedy.Groups) ? 16 : Seats;
        var bytes = Seats * told * 3.0 * scenario.Platform.ClaimInManifest;
        await Turn.Use((Seats * _costs.Call) + (bytes * _costs.Byte));
        await _fleet.LinkOutOf(ModelSilo).Use(bytes / scenario.Platform.Link);
        Round = new SimulatedRound(_loop, Round.Number + 1, _loop.Now, _habits.RoundSeconds);
        for (var seat = 0; seat < Seats; seat++)
        {
            (var one, var term) = (seat, Term);
            _loop.Start(() => Seats > 1 ? SeatAsync(one, term) : LoneSeatAsync(term));
        }
    }

    // Model, clusters, labels, and what the seat kept of its own; and all keys.
    private async Task BeginAsync(int silo)
    {
        await _fleet.GetAsync(silo, SharedBytes + _costs.Optimizer + ReplayShare + _costs.Progress, 6, _blob);
        await PullBankAsync(silo);
    }

    private async Task PullBankAsync(int silo)
    {
        if (_fleet.Has(Remedy.BankFromStore))
        {
            await _fleet.GetAsync(silo, _costs.Bank, 1, _blob);
            return;
        }

        await BankTurn.Use(_costs.Call + (_costs.Bank * _costs.Byte));
        await _fleet.SendAsync(BankSilo, silo, _costs.Bank);
    }
}
