using System.Runtime.CompilerServices;
using Shoal.Contracts;
using Shoal.Media;
using Shoal.Media.Sound;

namespace Shoal.Grains.Compute;

/// <summary>Makes a dataset's decoder out of its settings.</summary>
internal static class MediaSettings
{
    // One of sound computes tables, and embedders ask for one with every request.
    private static readonly ConditionalWeakTable<DatasetSettings, ISampleDecoder> Made = [];

    public static ISampleDecoder Decoder(DatasetSettings settings) => Made.GetValue(settings, Make);

    private static ISampleDecoder Make(DatasetSettings settings) => settings.Modality is DatasetSettings.Sound
        ? new SoundDecoder(new SoundFormatOptions
        {
            SampleRate = settings.SampleRate,
            WindowSeconds = settings.WindowSeconds,
            HopSeconds = settings.HopSeconds,
            Mels = settings.Height,
            Frames = settings.Width,
            MaxBytes = settings.MaxItemBytes,
        })
        : new ImageDecoder(new ImageFormatOptions
        {
            Height = settings.Height,
            Width = settings.Width,
            Channels = settings.Channels,
            MaxBytes = settings.MaxItemBytes,
            MaxPixels = settings.MaxPixels,
        });
}
