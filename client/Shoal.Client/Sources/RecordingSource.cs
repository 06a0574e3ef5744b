using System.Runtime.CompilerServices;
using Shoal.Contracts;
using Shoal.Media.Sound;

namespace Shoal.Client;

/// <summary>
/// Cuts the recordings of another source into windows, each an item with the id <c>RECORDING@MILLISECONDS</c>, the recording's label and
/// metadata, and a WAV at the dataset's rate. The rule: docs/reference/sound.md. What is no sound passes as it is, and is refused by the dataset.
/// </summary>
/// <param name="source">The recordings.</param>
/// <param name="settings">The dataset's settings.</param>
public sealed class RecordingSource(IItemSource source, DatasetSettings settings) : IItemSource
{
    // What ffmpeg gives is held: six hours are 1.4 GB at 16 kHz.
    private const double MostSeconds = 6 * 3_600;

    private static readonly Ffmpeg Converter = new();

    /// <summary>Not known: it depends on how long the recordings are.</summary>
    public long? Count => null;

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (SourceItem recording in source.ReadAsync(cancellationToken))
        {
            await foreach (SourceItem window in CutAsync(recording, settings, cancellationToken))
            {
                yield return window;
            }
        }
    }

    /// <summary>The windows of one recording; the recording with its problem when it cannot be read.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="settings">The dataset's settings.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal static async IAsyncEnumerable<SourceItem> CutAsync(SourceItem recording, DatasetSettings settings, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (recording.Problem is not null || !SoundTypes.IsSound(recording.Upload.MediaType))
        {
            yield return recording;
            yield break;
        }

        SoundFormatOptions format = SoundSettings.Of(settings);
        (IAsyncEnumerable<SoundWindow> windows, string? problem) = await OpenAsync(recording.Upload, format, cancellationToken);
        if (problem is not null)
        {
            yield return recording with { Problem = problem };
        }

        await using IAsyncEnumerator<SoundWindow> cut = windows.GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(cut) is { } next)
        {
            yield return next.Problem is { } unreadable
                ? recording with { Problem = unreadable }
                : recording with { Upload = recording.Upload with { Id = Names.WindowId(recording.Upload.Id, next.Window!.StartSeconds), MediaType = SoundTypes.Wav, Bytes = next.Window.Wav } };
            if (next.Problem is not null)
            {
                yield break;
            }
        }
    }

    // Values that are no numbers are seen when they are reached: the windows before are good, and so are other recordings.
    private static async ValueTask<(SoundWindow? Window, string? Problem)?> NextAsync(IAsyncEnumerator<SoundWindow> windows)
    {
        try
        {
            return await windows.MoveNextAsync() ? (windows.Current, null) : null;
        }
        catch (InvalidDataException unreadable)
        {
            return (null, unreadable.Message);
        }
    }

    private static async Task<(IAsyncEnumerable<SoundWindow> Windows, string? Problem)> OpenAsync(ItemUpload recording, SoundFormatOptions format, CancellationToken cancellationToken)
    {
        // By its bytes: producers name types as they please.
        var isWav = SoundReader.IsWav(recording.Bytes);
        if (isWav || SoundTypes.IsRaw(recording.MediaType))
        {
            return isWav && SoundReader.Check(recording.Bytes, double.PositiveInfinity) is { } problem
                ? (AsyncEnumerable.Empty<SoundWindow>(), problem.Message)
                : (SoundStreams.CutAsync(new MemoryStream(recording.Bytes, writable: false), format, cancellationToken), null);
        }

        try
        {
            Conversion sound = await Converter.ConvertAsync(new MemoryStream(recording.Bytes, writable: false), format.SampleRate, MostSeconds, cancellationToken);
            return sound.Mono is { } mono
                ? (SoundWindows.Cut(mono, format).ToAsyncEnumerable(), null)
                : (AsyncEnumerable.Empty<SoundWindow>(), sound.Problem!.Message);
        }
        catch (FfmpegMissingException missing)
        {
            return (AsyncEnumerable.Empty<SoundWindow>(), missing.Message);
        }
    }
}
