using Shoal.Contracts;
using Shoal.Pages.Data;

namespace Shoal.Pages.Models;

/// <summary>All datasets at a glance.</summary>
/// <param name="Datasets">The datasets, by name.</param>
public sealed record DatasetsModel(IReadOnlyList<DatasetCard> Datasets)
{
    /// <summary>Those that somebody may see.</summary>
    /// <param name="rights">What they may.</param>
    public IReadOnlyList<DatasetCard> For(PageRights rights) => [.. Datasets.Where(dataset => rights.Reads(dataset.Name))];
}

/// <summary>One dataset at a glance.</summary>
public sealed record DatasetCard
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>How it stands; null where that could not be read, as <see cref="Alarms"/> says.</summary>
    public DatasetStatus? Status { get; init; }

    /// <summary>Its shards added up; null with <see cref="Status"/>.</summary>
    public DatasetTotals? Totals { get; init; }

    /// <summary>Items that arrive a second; NaN while it is not known.</summary>
    public double Rate { get; init; } = double.NaN;

    /// <summary>What a person should know, the worst first.</summary>
    public IReadOnlyList<Alarm> Alarms { get; init; } = [];
}

/// <summary>Reads all datasets; keeps what rates are made of from one reading to the next.</summary>
/// <param name="source">Where from.</param>
/// <param name="time">The clock.</param>
internal sealed class DatasetsReader(IShoalSource source, TimeProvider time)
{
    // As many as hold the last version's event among others.
    private const int Events = 50;

    private readonly Dictionary<string, RateMeter> _rates = new(StringComparer.Ordinal);

    /// <summary>Reads.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ShoalException">The list cannot be read. A dataset that cannot be read has an alarm instead.</exception>
    public async Task<DatasetsModel> ReadAsync(CancellationToken cancellationToken)
    {
        string[] names = await source.ListDatasetsAsync(cancellationToken);
        foreach (string gone in _rates.Keys.Except(names, StringComparer.Ordinal).ToArray())
        {
            _rates.Remove(gone);
        }

        DatasetCard[] cards = await Task.WhenAll(names.Select(name => ReadAsync(name, cancellationToken)));
        return new DatasetsModel(Array.ConvertAll(cards, WithRate));
    }

    private async Task<DatasetCard> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            Task<LineageEvent[]> events = source.EventsAsync(name, Events, cancellationToken);
            DatasetStatus status = await source.StatusAsync(name, cancellationToken);
            return new DatasetCard
            {
                Name = name,
                Status = status,
                Totals = DatasetTotals.Of(status),
                Alarms = DatasetHealth.Of(status, await events),
            };
        }
        catch (ShoalException failure)
        {
            return new DatasetCard
            {
                Name = name,
                Alarms = [new Alarm(AlarmLevel.Error, failure.Message)],
            };
        }
    }

    private DatasetCard WithRate(DatasetCard card)
    {
        if (card.Status is not { } status)
        {
            return card;
        }

        if (!_rates.TryGetValue(card.Name, out RateMeter? meter))
        {
            _rates[card.Name] = meter = new RateMeter(time);
        }

        return card with { Rate = meter.Read(status.Shards.Sum(shard => shard.End)) };
    }
}
