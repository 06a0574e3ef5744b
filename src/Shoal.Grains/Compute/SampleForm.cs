using Shoal.Contracts;
using Shoal.Learning;
using Shoal.Media;
using Shoal.Media.Sound;

namespace Shoal.Grains.Compute;

/// <summary>What the items of a dataset become: the one place that knows what settings make of them.</summary>
/// <param name="Kind">What samples are.</param>
/// <param name="Shape">Their shape.</param>
/// <param name="Decoder">Makes them.</param>
internal sealed record SampleForm(SampleKind Kind, Func<DatasetSettings, SampleShape> Shape, Func<DatasetSettings, ISampleDecoder> Decoder)
{
    private static readonly SampleForm Images = new(SampleKind.Image, Sized, static settings => new ImageDecoder(new ImageFormatOptions
    {
        Height = settings.Height,
        Width = settings.Width,
        Channels = settings.Channels,
        MaxBytes = settings.MaxItemBytes,
        MaxPixels = settings.MaxPixels,
    }));

    // By front end.
    private static readonly Dictionary<string, SampleForm> Sounds = new(StringComparer.Ordinal)
    {
        [DatasetSettings.LogMel] = new(SampleKind.Sound, Sized, static settings => new SoundDecoder(Format(settings))),
        [DatasetSettings.Waveform] = new(SampleKind.Waveform, static settings => new SampleShape(1, 1, Format(settings).WindowLength), static settings => SoundDecoder.OfWaveforms(Format(settings))),
    };

    /// <summary>The form of a dataset's samples.</summary>
    /// <param name="settings">Settings without problems.</param>
    public static SampleForm Of(DatasetSettings settings) => settings.Modality is DatasetSettings.Sound ? Sounds[settings.FrontEnd] : Images;

    private static SampleShape Sized(DatasetSettings settings) => new(settings.Channels, settings.Height, settings.Width);

    private static SoundFormatOptions Format(DatasetSettings settings) => new()
    {
        SampleRate = settings.SampleRate,
        WindowSeconds = settings.WindowSeconds,
        HopSeconds = settings.HopSeconds,
        Mels = settings.Height,
        Frames = settings.Width,
        MaxBytes = settings.MaxItemBytes,
    };
}
