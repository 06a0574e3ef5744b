using Shoal.Contracts;
using Shoal.Media;

namespace Shoal.Grains.Compute;

/// <summary>Makes a dataset's decoder out of its settings.</summary>
internal static class MediaSettings
{
    public static ImageDecoder Decoder(DatasetSettings settings) => new(new ImageFormatOptions
    {
        Height = settings.Height,
        Width = settings.Width,
        Channels = settings.Channels,
        MaxBytes = settings.MaxItemBytes,
        MaxPixels = settings.MaxPixels,
    });
}
