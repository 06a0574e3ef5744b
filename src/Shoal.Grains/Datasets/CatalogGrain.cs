using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Silos;
using Shoal.Grains.Training;
using Shoal.Storage;

namespace Shoal.Grains.Datasets;

/// <summary>Which datasets exist.</summary>
[Immovable]
[RequiresRole(SiloRoles.Data)]
internal sealed class CatalogGrain(IObjectStore store) : Grain, ICatalogGrain
{
    private readonly StoredDocument<CatalogState> _state = new(store, StoreNames.Catalog);

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken) => _state.LoadAsync();

    /// <inheritdoc/>
    public async Task<bool> CreateAsync(string name, DatasetSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (Names.DatasetProblem(name) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        if (LearnerSettings.Problems(settings) is { Count: > 0 } problems)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems));
        }

        // The dataset's own object first: a name in the catalog always has settings behind it.
        var created = await GrainFactory.GetGrain<IDatasetGrain>(name).CreateAsync(settings);
        await EnterAsync(name);
        return created;
    }

    /// <inheritdoc/>
    public async Task AdoptAsync(string name)
    {
        await GrainFactory.GetGrain<IDatasetGrain>(name).ReloadAsync();
        await EnterAsync(name);
    }

    /// <inheritdoc/>
    public Task<string[]> ListAsync() => Task.FromResult(_state.Value?.Datasets ?? []);

    /// <inheritdoc/>
    public async Task DeleteAsync(string name)
    {
        SortedSet<string> names = [.. _state.Value?.Datasets ?? []];
        if (!names.Remove(name))
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"There is no dataset '{name}'; see them with: shoal dataset list");
        }

        await GrainFactory.GetGrain<IDatasetGrain>(name).DeleteAsync();
        await SaveAsync(names);
    }

    private async Task EnterAsync(string name)
    {
        SortedSet<string> names = [.. _state.Value?.Datasets ?? []];
        if (names.Add(name))
        {
            await SaveAsync(names);
        }

        await GrainFactory.GetGrain<IDatasetGrain>(name).StartAsync();
    }

    private Task SaveAsync(SortedSet<string> names) => this.SaveAsync(_state, new CatalogState([.. names]), "the catalog");

    private sealed record CatalogState(string[] Datasets);
}
