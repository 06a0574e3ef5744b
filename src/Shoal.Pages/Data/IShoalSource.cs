using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Pages.Data;

/// <summary>What the pages ask and tell Shoal: a part of <see cref="ShoalClient"/>, whose methods these are, so that tests can stand in for a silo.</summary>
/// <remarks>Every method throws <see cref="ShoalException"/>, as the client's do.</remarks>
public interface IShoalSource
{
    /// <summary>The names of all datasets, sorted.</summary>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<string[]> ListDatasetsAsync(CancellationToken cancellationToken);

    /// <summary>A dataset at a glance.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<DatasetStatus> StatusAsync(string dataset, CancellationToken cancellationToken);

    /// <summary>The newest events, newest first.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<LineageEvent[]> EventsAsync(string dataset, int count, CancellationToken cancellationToken);

    /// <summary>All clusters, largest first.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="exemplars">How many exemplars a cluster.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<ClusterSummary[]> ClustersAsync(string dataset, int exemplars, CancellationToken cancellationToken);

    /// <summary>The published version and the earlier ones that are kept, newest first.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<PublishedVersion[]> VersionsAsync(string dataset, CancellationToken cancellationToken);

    /// <summary>Embeddings of items from all over a dataset.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="count">About how many.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<EmbeddingSlice[]> SampleEmbeddingsAsync(string dataset, int count, CancellationToken cancellationToken);

    /// <summary>What is known of some items.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="ids">Their ids.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<ItemAnswer[]> GetManyAsync(string dataset, IReadOnlyList<string> ids, CancellationToken cancellationToken);

    /// <summary>The items nearest to one.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<SimilarAnswer> SimilarAsync(string dataset, string id, int count, CancellationToken cancellationToken);

    /// <summary>What became of an item, as far as it is kept.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="limit">How many changes at most, the newest.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<ItemHistory> HistoryAsync(string dataset, string id, int limit, CancellationToken cancellationToken);

    /// <summary>The silos of the cluster.</summary>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<SiloDescription[]> SilosAsync(CancellationToken cancellationToken);

    /// <summary>The seats that train a dataset.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<IReadOnlyList<SeatPlace>> SeatsAsync(string dataset, CancellationToken cancellationToken);

    /// <summary>Where the parts of a dataset run.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task<DatasetPlaces> PlacesAsync(string dataset, CancellationToken cancellationToken);

    /// <summary>Names a cluster.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cluster">Its id.</param>
    /// <param name="name">The name; empty takes it away.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task NameClusterAsync(string dataset, long cluster, string name, CancellationToken cancellationToken);

    /// <summary>Makes one of two clusters.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="first">One cluster's id.</param>
    /// <param name="second">The other's.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The id that stays.</returns>
    Task<long> MergeClustersAsync(string dataset, long first, long second, CancellationToken cancellationToken);

    /// <summary>Appends to the audit log.</summary>
    /// <param name="entry">Who did what.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    Task RecordAuditAsync(AuditEntry entry, CancellationToken cancellationToken);

    /// <summary>Creates a dataset.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>False when it existed with these settings.</returns>
    Task<bool> CreateDatasetAsync(string name, DatasetSettings settings, CancellationToken cancellationToken);

    /// <summary>Stores a file: an image as an item, a recording as its windows.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One result an item.</returns>
    Task<IReadOnlyList<IngestResult>> StoreAsync(string dataset, ItemUpload file, CancellationToken cancellationToken);
}
