using Shoal.Contracts;
using Shoal.Media.Sound;

namespace Shoal.Client;

/// <summary>What a dataset's windows are, out of its settings.</summary>
internal static class SoundSettings
{
    public static SoundFormatOptions Of(DatasetSettings settings) => new()
    {
        SampleRate = settings.SampleRate,
        WindowSeconds = settings.WindowSeconds,
        HopSeconds = settings.HopSeconds,
    };
}
