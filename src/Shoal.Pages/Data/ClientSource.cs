using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Pages.Data;

/// <summary>Asks a silo through the SDK.</summary>
/// <param name="client">The client.</param>
internal sealed class ClientSource(ShoalClient client) : IShoalSource
{
    /// <inheritdoc/>
    public Task<string[]> ListDatasetsAsync(CancellationToken cancellationToken) => client.ListDatasetsAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<DatasetStatus> StatusAsync(string dataset, CancellationToken cancellationToken) => client.StatusAsync(dataset, cancellationToken);

    /// <inheritdoc/>
    public Task<LineageEvent[]> EventsAsync(string dataset, int count, CancellationToken cancellationToken) => client.EventsAsync(dataset, count, cancellationToken);

    /// <inheritdoc/>
    public Task<ClusterSummary[]> ClustersAsync(string dataset, int exemplars, CancellationToken cancellationToken) => client.ClustersAsync(dataset, exemplars, cancellationToken);

    /// <inheritdoc/>
    public Task<PublishedVersion[]> VersionsAsync(string dataset, CancellationToken cancellationToken) => client.VersionsAsync(dataset, cancellationToken);

    /// <inheritdoc/>
    public Task<EmbeddingSlice[]> SampleEmbeddingsAsync(string dataset, int count, CancellationToken cancellationToken) => client.SampleEmbeddingsAsync(dataset, count, cancellationToken);

    /// <inheritdoc/>
    public Task<ItemAnswer[]> GetManyAsync(string dataset, IReadOnlyList<string> ids, CancellationToken cancellationToken) => client.GetManyAsync(dataset, ids, cancellationToken);

    /// <inheritdoc/>
    public Task<SimilarAnswer> SimilarAsync(string dataset, string id, int count, CancellationToken cancellationToken) => client.SimilarAsync(dataset, id, count, cancellationToken);

    /// <inheritdoc/>
    public Task<ItemHistory> HistoryAsync(string dataset, string id, int limit, CancellationToken cancellationToken) => client.HistoryAsync(dataset, id, limit, cancellationToken);

    /// <inheritdoc/>
    public Task<SiloDescription[]> SilosAsync(CancellationToken cancellationToken) => client.SilosAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SeatPlace>> SeatsAsync(string dataset, CancellationToken cancellationToken) => client.SeatsAsync(dataset, cancellationToken);

    /// <inheritdoc/>
    public Task<DatasetPlaces> PlacesAsync(string dataset, CancellationToken cancellationToken) => client.PlacesAsync(dataset, cancellationToken);

    /// <inheritdoc/>
    public Task NameClusterAsync(string dataset, long cluster, string name, CancellationToken cancellationToken) => client.NameClusterAsync(dataset, cluster, name, cancellationToken);

    /// <inheritdoc/>
    public Task<long> MergeClustersAsync(string dataset, long first, long second, CancellationToken cancellationToken) => client.MergeClustersAsync(dataset, first, second, cancellationToken);

    /// <inheritdoc/>
    public Task RecordAuditAsync(AuditEntry entry, CancellationToken cancellationToken) => client.RecordAuditAsync(entry, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CreateDatasetAsync(string name, DatasetSettings settings, CancellationToken cancellationToken) => client.CreateDatasetAsync(name, settings, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<IngestResult>> StoreAsync(string dataset, ItemUpload file, CancellationToken cancellationToken)
    {
        DatasetSettings settings = await client.SettingsAsync(dataset, cancellationToken);
        if (settings.Modality is not DatasetSettings.Sound)
        {
            return [await client.PutAsync(dataset, file, cancellationToken)];
        }

        var windows = new List<IngestResult>();
        await foreach (IngestResult window in client.IngestRecordingAsync(dataset, file, cancellationToken))
        {
            windows.Add(window);
        }

        return windows;
    }
}
