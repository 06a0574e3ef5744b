using System.Collections.Concurrent;
using Shoal.Contracts;

namespace Shoal.Grains.Items;

/// <summary>Remembers, on one silo, what datasets announce, so that item façades and embedders need not ask each time.</summary>
/// <param name="grains">Where datasets are asked.</param>
/// <param name="time">The clock by which answers age.</param>
internal sealed class SettingsCache(IGrainFactory grains, TimeProvider time)
{
    // A classification may be one second behind a new version; a deleted dataset is noticed as soon.
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, (DatasetAnnouncement Value, long At)> _known = new(StringComparer.Ordinal);

    /// <summary>A dataset's settings.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <exception cref="ShoalException">NotFound, Invalid.</exception>
    public async Task<DatasetSettings> GetAsync(string dataset) => (await GetAnnouncementAsync(dataset)).Settings;

    /// <summary>A dataset's settings, version and cluster names.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <exception cref="ShoalException">NotFound, Invalid.</exception>
    public async Task<DatasetAnnouncement> GetAnnouncementAsync(string dataset)
    {
        if (_known.TryGetValue(dataset, out var known) && time.GetElapsedTime(known.At) < MaxAge)
        {
            return known.Value;
        }

        if (Names.DatasetProblem(dataset) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        DatasetAnnouncement announcement = await grains.GetGrain<IDatasetGrain>(dataset).GetAnnouncementAsync();
        _known[dataset] = (announcement, time.GetTimestamp());
        return announcement;
    }
}
