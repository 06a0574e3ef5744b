using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Recordings of sound datasets: each is cut into windows, and a window is an item.</content>
public sealed partial class ShoalClient
{
    // Most recordings are short; of a long one many windows are asked for at once.
    private const int FewestWindows = 16;
    private const int MostWindows = 1_024;

    /// <summary>Cuts a recording into windows and stores them. Sent again, it changes nothing.</summary>
    /// <param name="dataset">A dataset of sound.</param>
    /// <param name="recording">The recording: its id, what its bytes are (<c>audio/wav</c>, <c>audio/flac</c>, ...) and the bytes.</param>
    /// <param name="cancellationToken">Stops it between batches; what was sent may be stored.</param>
    /// <returns>One result a window, in any order; a single one with the reason when the recording cannot be read.</returns>
    /// <exception cref="ShoalException">Invalid (no dataset of sound), NotFound, Overloaded, Unavailable.</exception>
    public async IAsyncEnumerable<IngestResult> IngestRecordingAsync(string dataset, ItemUpload recording, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(recording);
        DatasetSettings settings = await SoundSettingsAsync(dataset, cancellationToken);
        IAsyncEnumerable<SourceItem> windows = RecordingSource.CutAsync(new SourceItem(recording), settings, cancellationToken);
        await foreach (IngestResult result in IngestAsync(dataset, windows, options: null, cancellationToken))
        {
            yield return result;
        }
    }

    /// <summary>What is known of a recording now, window by window.</summary>
    /// <param name="dataset">A dataset of sound.</param>
    /// <param name="id">The recording's id.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid (no dataset of sound), NotFound (no such dataset), Overloaded, Unavailable.</exception>
    public async Task<RecordingAnswer> RecordingAsync(string dataset, string id, CancellationToken cancellationToken = default)
    {
        CheckItem(id);
        DatasetSettings settings = await SoundSettingsAsync(dataset, cancellationToken);
        var windows = new List<RecordingWindow>();
        var asked = FewestWindows;
        for (var first = 0; ; first += asked, asked = MostWindows)
        {
            double[] starts = [.. Enumerable.Range(first, asked).Select(number => number * settings.HopSeconds)];
            ItemAnswer[] answers = await GetManyAsync(dataset, Array.ConvertAll(starts, start => Names.WindowId(id, start)), cancellationToken);
            windows.AddRange(starts.Zip(answers).Where(window => window.Second.State != ItemState.Unknown).Select(window => new RecordingWindow(window.First, window.First + settings.WindowSeconds, window.Second)));
            if (answers[^1].State == ItemState.Unknown)
            {
                return new RecordingAnswer(id, windows);
            }
        }
    }

    /// <summary>Deletes a recording: all of its windows. Repeating it is a no-op.</summary>
    /// <param name="dataset">A dataset of sound.</param>
    /// <param name="id">The recording's id.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>How many windows it had; 0 when it was never ingested.</returns>
    /// <exception cref="ShoalException">Invalid (no dataset of sound), NotFound (no such dataset), Overloaded, Unavailable (some may be deleted; repeat it).</exception>
    public async Task<int> DeleteRecordingAsync(string dataset, string id, CancellationToken cancellationToken = default)
    {
        RecordingAnswer recording = await RecordingAsync(dataset, id, cancellationToken);
        await DeleteAsync(dataset, [.. recording.Windows.Select(window => window.Item.Id)], cancellationToken);
        return recording.Windows.Count;
    }

    /// <summary>The settings of a dataset of sound.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid (no dataset of sound), NotFound (no such dataset), Unavailable.</exception>
    public async Task<DatasetSettings> SoundSettingsAsync(string dataset, CancellationToken cancellationToken = default)
    {
        DatasetSettings settings = await SettingsAsync(dataset, cancellationToken);
        return settings.Modality is DatasetSettings.Sound
            ? settings
            : throw new ShoalException(ShoalErrorKind.Invalid, $"The dataset '{dataset}' holds no recordings: its modality is '{settings.Modality}'.");
    }
}
