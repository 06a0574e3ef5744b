using System.Runtime.CompilerServices;
using Shoal.Contracts;
using Shoal.Media.Sound;

namespace Shoal.Client;

/// <summary>Cuts sound as it comes, from a microphone for example, into windows with the ids <c>RECORDING@MILLISECONDS</c>; it ends with the stream.</summary>
/// <param name="input">A WAV of any kind, or bare 16-bit values of one channel at the dataset's rate.</param>
/// <param name="recording">The recording's id.</param>
/// <param name="settings">The settings of a dataset of sound.</param>
public sealed class LiveSource(Stream input, string recording, DatasetSettings settings) : IItemSource
{
    /// <summary>Whether bytes of a type can be cut as they come; others must be there as a whole.</summary>
    /// <param name="mediaType">The type.</param>
    public static bool Takes(string mediaType) => SoundTypes.IsWav(mediaType) || SoundTypes.IsRaw(mediaType);

    /// <summary>Not known: it may never end.</summary>
    public long? Count => null;

    /// <inheritdoc/>
    /// <exception cref="ShoalException">Invalid (it begins like a WAV and is none that can be read).</exception>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using IAsyncEnumerator<SoundWindow> windows = SoundStreams.CutAsync(input, SoundSettings.Of(settings), cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync())
        {
            yield return new SourceItem(new ItemUpload { Id = Names.WindowId(recording, windows.Current.StartSeconds), MediaType = SoundTypes.Wav, Bytes = windows.Current.Wav });
        }

        async ValueTask<bool> NextAsync()
        {
            try
            {
                return await windows.MoveNextAsync();
            }
            catch (InvalidDataException unreadable)
            {
                throw new ShoalException(ShoalErrorKind.Invalid, unreadable.Message, unreadable);
            }
        }
    }
}
