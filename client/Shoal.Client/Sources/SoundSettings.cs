using Shoal.Contracts;
using Shoal.Media.Sound;

namespace Shoal.Client;

/// <summary>What a dataset's windows are, out of its settings.</summary>
public static class SoundSettings
{
    /// <summary>How windows are cut, and made samples of.</summary>
    /// <param name="settings">Settings of a dataset of sound.</param>
    public static SoundFormatOptions Of(DatasetSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return new SoundFormatOptions
        {
            SampleRate = settings.SampleRate,
            WindowSeconds = settings.WindowSeconds,
            HopSeconds = settings.HopSeconds,
            MaxBytes = settings.MaxItemBytes,
        };
    }
}
