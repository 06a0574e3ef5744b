using System.Collections.Concurrent;
using Shoal.Pages.Data;
using Shoal.Pages.Models;

namespace Shoal.Pages.Live;

/// <summary>The views of everything that pages show, one for all circuits of the silo.</summary>
public sealed class LiveViews
{
    private readonly IShoalSource _source;
    private readonly TimeProvider _time;
    private readonly CancellationToken _stopping;
    private readonly ConcurrentDictionary<(Type Kind, string Dataset, string Item), Lazy<object>> _views = new();

    /// <summary>Has no views yet.</summary>
    /// <param name="source">What they read from.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stopping">Cancelled when the process ends.</param>
    public LiveViews(IShoalSource source, TimeProvider time, CancellationToken stopping)
    {
        _source = source;
        _time = time;
        _stopping = stopping;
    }

    /// <summary>All datasets.</summary>
    public LiveView<DatasetsModel> Datasets() => Find<DatasetsModel>(string.Empty, string.Empty, LiveTimes.Often, () => new DatasetsReader(_source, _time).ReadAsync);

    /// <summary>The clusters of a dataset.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public LiveView<ClustersModel> Clusters(string dataset) => Find<ClustersModel>(dataset, string.Empty, LiveTimes.Sometimes, () => new ClustersReader(_source, dataset, _time).ReadAsync);

    /// <summary>The map of a dataset.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public LiveView<MapModel> Map(string dataset) => Find<MapModel>(dataset, string.Empty, LiveTimes.Seldom, () => new MapReader(_source, dataset).ReadAsync);

    /// <summary>How a dataset is learned.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public LiveView<LearningModel> Learning(string dataset) => Find<LearningModel>(dataset, string.Empty, LiveTimes.Often, () => new LearningReader(_source, dataset, _time).ReadAsync);

    /// <summary>One item.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    public LiveView<ItemModel> Item(string dataset, string id) => Find<ItemModel>(dataset, id, LiveTimes.Sometimes, () => new ItemReader(_source, dataset, id, _time).ReadAsync);

    /// <summary>The silos.</summary>
    public LiveView<SilosModel> Silos() => Find<SilosModel>(string.Empty, string.Empty, LiveTimes.Sometimes, () => new SilosReader(_source).ReadAsync);

    private LiveView<T> Find<T>(string dataset, string item, TimeSpan every, Func<Func<CancellationToken, Task<T>>> reader)
        where T : class
    {
        (Type, string, string) key = (typeof(T), dataset, item);
        return (LiveView<T>)_views.GetOrAdd(
            key, _ => new Lazy<object>(() => new LiveView<T>(reader(), every, _time, () => _views.TryRemove(key, out Lazy<object>? _), _stopping))).Value;
    }
}
