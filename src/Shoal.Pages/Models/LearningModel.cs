using Shoal.Client;
using Shoal.Contracts;
using Shoal.Pages.Data;

namespace Shoal.Pages.Models;

/// <summary>How a dataset is learned.</summary>
public sealed record LearningModel
{
    /// <summary>How the dataset stands.</summary>
    public required DatasetStatus Status { get; init; }

    /// <summary>Its shards added up.</summary>
    public required DatasetTotals Totals { get; init; }

    /// <summary>Losses by named term over steps, the sum first, since somebody began to watch.</summary>
    public required IReadOnlyList<Curve> Losses { get; init; }

    /// <summary>Fresh samples trained on a second over seconds, since somebody began to watch.</summary>
    public required Curve Throughput { get; init; }

    /// <summary>Where the stream changed, newest first.</summary>
    public required IReadOnlyList<LineageEvent> Drifts { get; init; }

    /// <summary>What became of candidates, newest first: published, refused, rolled back.</summary>
    public required IReadOnlyList<LineageEvent> Verdicts { get; init; }

    /// <summary>The seats that train, and their shards.</summary>
    public required IReadOnlyList<SeatPlace> Seats { get; init; }

    /// <summary>Why there are no losses, for who looks at an empty chart.</summary>
    public string WithoutLosses => Status.Training.Progress switch
    {
        null or { Steps: 0 } => "Nothing was trained yet.",
        { BackwardPasses: 0 } progress => $"There are none: this dataset's encoder learns without gradients, from {Texts.Count(progress.Steps, "step")} so far.",
        _ => "No step was taken since training was dealt anew.",
    };

    /// <summary>How fast it learns, in words.</summary>
    public string Pace => Status.Training.Progress switch
    {
        null or { Steps: 0 } => "Nothing was trained yet.",
        { SamplesPerSecond: 0 } => $"0/s in the last round: nothing new came. It is {Status.Training.Activity} now.",
        { SamplesPerSecond: var rate } => $"{Texts.Rate(rate)} in the last round. It is {Status.Training.Activity} now.",
    };

    /// <summary>How full the replay buffer is, 0 to 1.</summary>
    public double ReplayShare => Math.Min(1, (double)(Status.Training.Progress?.ReplayCount ?? 0) / Status.Settings.ReplaySize);
}

/// <summary>A named series.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Readings">Its readings, oldest first.</param>
public sealed record Curve(string Name, IReadOnlyList<Reading> Readings);

/// <summary>Reads how a dataset is learned; keeps curves from one reading to the next.</summary>
/// <param name="source">Where from.</param>
/// <param name="dataset">The dataset's name.</param>
/// <param name="time">The clock.</param>
internal sealed class LearningReader(IShoalSource source, string dataset, TimeProvider time)
{
    /// <summary>Twice the pixels of a curve on a phone.</summary>
    private const int Points = 500;

    private const int Events = 200;
    private const string Sum = "total";

    private readonly SortedDictionary<string, History> _losses = new(StringComparer.Ordinal);
    private readonly History _throughput = new(Points);
    private long? _began;

    /// <summary>Reads.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ShoalException">It cannot be read.</exception>
    public async Task<LearningModel> ReadAsync(CancellationToken cancellationToken)
    {
        Task<LineageEvent[]> events = source.EventsAsync(dataset, Events, cancellationToken);
        Task<IReadOnlyList<SeatPlace>> seats = source.SeatsAsync(dataset, cancellationToken);
        DatasetStatus status = await source.StatusAsync(dataset, cancellationToken);
        LineageEvent[] happened = await events;
        if (status.Training.Progress is { } progress)
        {
            Keep(progress);
        }

        return new LearningModel
        {
            Status = status,
            Totals = DatasetTotals.Of(status),
            Losses = [.. _losses.OrderByDescending(term => term.Key is Sum).Select(term => new Curve(term.Key, term.Value.Readings))],
            Throughput = new Curve("fresh samples a second", _throughput.Readings),
            Drifts = [.. happened.Where(one => one.Kind is "drift")],
            Verdicts = [.. happened.Where(one => one.Kind is "published" or "refused" or "rolled back")],
            Seats = await seats,
        };
    }

    private void Keep(SeatProgress progress)
    {
        foreach ((string term, double loss) in progress.Losses)
        {
            if (!_losses.TryGetValue(term, out History? history))
            {
                _losses[term] = history = new History(Points);
            }

            history.Add(progress.Steps, loss);
        }

        _throughput.Add(time.GetElapsedTime(_began ??= time.GetTimestamp()).TotalSeconds, progress.SamplesPerSecond);
    }
}
