using Shoal.Contracts;
using Shoal.Learning;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>What the seats of a dataset share, as it lies in the store: the parts <c>model</c>, <c>clusters</c> and <c>labels</c>.</summary>
/// <param name="Model">The merged model.</param>
/// <param name="Clusters">Input statistics, clusters, what is shown.</param>
/// <param name="Labels">The clusters of rehearsed samples.</param>
internal sealed record SharedParts(IReadOnlyList<NamedTensor> Model, IReadOnlyList<NamedTensor> Clusters, IReadOnlyList<NamedTensor> Labels)
{
    /// <summary>The part that holds the merged model.</summary>
    public const string ModelName = "model";

    /// <summary>The part that holds what the outer momentum goes on with; only the next merge reads it.</summary>
    public const string OuterName = "outer";

    private const string ClustersName = "clusters";
    private const string LabelsName = "labels";

    /// <summary>Out of what a learner settled.</summary>
    /// <param name="settled">What was settled.</param>
    public static SharedParts Of(Settlement settled) => new(
        settled.Model,
        settled.Shared,
        [NamedTensor.Of<long>("keys", settled.Keys), NamedTensor.Of<int>("labels", settled.Labels), NamedTensor.Of<int>("shown", settled.Shown)]);

    /// <summary>Reads them.</summary>
    /// <param name="store">The store.</param>
    /// <param name="claims">Where each one is.</param>
    public static async Task<SharedParts> ReadAsync(IObjectStore store, IReadOnlyDictionary<string, Claim> claims) => new(
        await TensorFiles.ReadAsync(store, claims[ModelName]),
        await TensorFiles.ReadAsync(store, claims[ClustersName]),
        await TensorFiles.ReadAsync(store, claims[LabelsName]));

    /// <summary>Writes them.</summary>
    /// <param name="write">Writes one of that name.</param>
    public async Task<Dictionary<string, Claim>> WriteAsync(Func<string, IReadOnlyList<NamedTensor>, Task<Claim>> write) => new(StringComparer.Ordinal)
    {
        [ModelName] = await write(ModelName, Model),
        [ClustersName] = await write(ClustersName, Clusters),
        [LabelsName] = await write(LabelsName, Labels),
    };

    /// <summary>For a learner to go on from.</summary>
    public Settlement Settlement() => new(
        Model, Clusters, Labels.First(t => t.Name is "keys").Values<long>(), Labels.First(t => t.Name is "labels").Values<int>(), Labels.First(t => t.Name is "shown").Values<int>());
}
