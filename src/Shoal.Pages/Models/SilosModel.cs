using Shoal.Client;
using Shoal.Contracts;
using Shoal.Pages.Data;

namespace Shoal.Pages.Models;

/// <summary>Who runs what.</summary>
/// <param name="Silos">The silos, the oldest first.</param>
/// <param name="Closed">Shards that are open nowhere, because nobody asked for them lately: how many by dataset.</param>
public sealed record SilosModel(IReadOnlyList<SiloCard> Silos, IReadOnlyDictionary<string, int> Closed);

/// <summary>One silo.</summary>
/// <param name="Silo">What is known of it.</param>
/// <param name="Datasets">What it runs of each dataset; those of which it runs nothing are left out.</param>
public sealed record SiloCard(SiloDescription Silo, IReadOnlyList<SiloShare> Datasets);

/// <summary>What a silo runs of a dataset.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Shards">Numbers of the shards that are open on it.</param>
/// <param name="Seat">Numbers of the shards that its seat trains on; null where it has no seat.</param>
public sealed record SiloShare(string Dataset, IReadOnlyList<int> Shards, IReadOnlyList<int>? Seat);

/// <summary>Reads who runs what.</summary>
/// <param name="source">Where from.</param>
internal sealed class SilosReader(IShoalSource source)
{
    /// <summary>Reads.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ShoalException">It cannot be read.</exception>
    public async Task<SilosModel> ReadAsync(CancellationToken cancellationToken)
    {
        SiloDescription[] silos = await source.SilosAsync(cancellationToken);
        string[] datasets = await source.ListDatasetsAsync(cancellationToken);
        DatasetPlaces?[] places = await Task.WhenAll(datasets.Select(dataset => PlacesAsync(dataset, cancellationToken)));
        return Make(silos, [.. places.OfType<DatasetPlaces>()]);
    }

    /// <summary>Deals what datasets run on to the silos.</summary>
    /// <param name="silos">The silos.</param>
    /// <param name="places">Where the parts of each dataset run.</param>
    internal static SilosModel Make(SiloDescription[] silos, DatasetPlaces[] places) => new(
        [.. silos.Select(silo => new SiloCard(silo, [.. places.Select(place => Share(silo.Id, place)).OfType<SiloShare>()]))],
        places.Where(place => place.Shards.Any(silo => silo is null)).ToDictionary(place => place.Dataset, place => place.Shards.Count(silo => silo is null), StringComparer.Ordinal));

    private static SiloShare? Share(string silo, DatasetPlaces places)
    {
        int[] shards = [.. Enumerable.Range(0, places.Shards.Count).Where(shard => string.Equals(places.Shards[shard], silo, StringComparison.Ordinal))];
        IReadOnlyList<int>? seat = places.Seats.FirstOrDefault(seat => string.Equals(seat.Silo, silo, StringComparison.Ordinal))?.Shards;
        return shards.Length > 0 || seat is not null ? new SiloShare(places.Dataset, shards, seat) : null;
    }

    // A dataset that is deleted meanwhile runs nowhere.
    private async Task<DatasetPlaces?> PlacesAsync(string dataset, CancellationToken cancellationToken)
    {
        try
        {
            return await source.PlacesAsync(dataset, cancellationToken);
        }
        catch (ShoalException gone) when (gone.Kind is ShoalErrorKind.NotFound)
        {
            return null;
        }
    }
}
