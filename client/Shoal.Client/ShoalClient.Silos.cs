using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Which silo runs what.</content>
public sealed partial class ShoalClient
{
    /// <summary>The silos of the cluster that have not left it.</summary>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    public Task<SiloDescription[]> SilosAsync(CancellationToken cancellationToken = default)
    {
        IManagementGrain management = _cluster.GetGrain<IManagementGrain>(0);
        return CallAsync(AskAsync, cancellationToken);

        async Task<SiloDescription[]> AskAsync()
        {
            MembershipEntry[] entries = await management.GetDetailedHosts(onlyActive: false, cancellationToken);
            return [.. entries.Where(entry => entry.Status != SiloStatus.Dead).Select(Describe).OrderBy(silo => silo.StartedAt)];
        }
    }

    /// <summary>On which silos a dataset's shards are open, and which seats train them.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Unavailable.</exception>
    public async Task<DatasetPlaces> PlacesAsync(string dataset, CancellationToken cancellationToken = default)
    {
        DatasetRoute route = await RouteAsync(dataset, cancellationToken);
        IShardGrain[] shards = route.Shards.ToArray();
        IManagementGrain management = _cluster.GetGrain<IManagementGrain>(0);
        Task<IReadOnlyList<SeatPlace>> seats = SeatsAsync(dataset, cancellationToken);
        Task<SiloAddress?[]> open = Task.WhenAll(shards.Select(shard => CallAsync(() => AddressAsync(shard), cancellationToken)));
        SiloAddress?[] addresses = await open;
        return new DatasetPlaces(dataset, Array.ConvertAll(addresses, address => address?.ToParsableString()), await seats);

        async Task<SiloAddress?> AddressAsync(IShardGrain shard) => await management.GetActivationAddress(shard, cancellationToken);
    }

    /// <summary>The seats that train a dataset, and their shards.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Unavailable.</exception>
    public async Task<IReadOnlyList<SeatPlace>> SeatsAsync(string dataset, CancellationToken cancellationToken = default)
    {
        // A dataset that does not exist has a model grain all the same.
        await RouteAsync(dataset, cancellationToken);
        IModelGrain model = _cluster.GetGrain<IModelGrain>(dataset);
        SeatPlan plan = await CallAsync(model.GetSeatsAsync, cancellationToken);
        return
        [
            .. plan.Seats.Select((seat, place) => new SeatPlace(
                GrainKeys.Split(seat).Suffix, [.. Enumerable.Range(0, plan.Dealt.Length).Where(shard => plan.Dealt[shard] == place)])),
        ];
    }

    // A silo's list of members keeps times without saying that they are UTC.
    private static SiloDescription Describe(MembershipEntry entry) => new(
        entry.SiloAddress.ToParsableString(),
        entry.SiloName ?? entry.HostName ?? string.Empty,
        $"{entry.SiloAddress.Endpoint}",
        entry.Status == SiloStatus.Active,
        $"{entry.Status}",
        new DateTimeOffset(DateTime.SpecifyKind(entry.StartTime, DateTimeKind.Utc)),
        entry.ProxyPort > 0);
}

/// <summary>A silo of the cluster.</summary>
/// <param name="Id">What tells it from every other, as seats and places name it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Endpoint">Where other silos reach it.</param>
/// <param name="IsActive">Whether it runs.</param>
/// <param name="Status">How it stands, in Orleans' words: <c>Active</c>, <c>Joining</c>, <c>ShuttingDown</c>, ...</param>
/// <param name="StartedAt">When it started.</param>
/// <param name="HasGateway">Whether clients connect to it.</param>
public sealed record SiloDescription(string Id, string Name, string Endpoint, bool IsActive, string Status, DateTimeOffset StartedAt, bool HasGateway);

/// <summary>Where the parts of a dataset run.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Shards">For each shard the <see cref="SiloDescription.Id"/> of the silo that it is open on; null where it is open on none.</param>
/// <param name="Seats">The seats that train.</param>
public sealed record DatasetPlaces(string Dataset, IReadOnlyList<string?> Shards, IReadOnlyList<SeatPlace> Seats);

/// <summary>A seat of training.</summary>
/// <param name="Silo">The <see cref="SiloDescription.Id"/> of its silo.</param>
/// <param name="Shards">The numbers of the shards that it trains on.</param>
public sealed record SeatPlace(string Silo, IReadOnlyList<int> Shards);
