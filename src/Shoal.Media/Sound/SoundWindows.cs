namespace Shoal.Media.Sound;

/// <summary>One window of a recording, as it is stored.</summary>
/// <param name="Number">Its place in the recording, from 0.</param>
/// <param name="StartSeconds">Where it begins in the recording: Number x HopSeconds.</param>
/// <param name="IsSilent">Whether nothing in it is above -60 dB of full scale: such a window would be quarantined.</param>
/// <param name="Wav">A WAV of 16-bit integers, one channel, at the dataset's rate. The last one may be shorter than a window.</param>
public sealed record SoundWindow(int Number, double StartSeconds, bool IsSilent, byte[] Wav)
{
    /// <summary>Makes one of its values.</summary>
    /// <param name="number">Its place in the recording.</param>
    /// <param name="startSeconds">Where it begins.</param>
    /// <param name="mono">Its values, full scale -1 to 1.</param>
    /// <param name="rate">Values a second.</param>
    internal static SoundWindow Of(int number, double startSeconds, ReadOnlySpan<float> mono, int rate)
    {
        // Judged as it will be when it is decoded: 16 bits can lift a value over the threshold.
        var stored = new float[mono.Length];
        for (var i = 0; i < mono.Length; i++)
        {
            stored[i] = WavWriter.Stored(mono[i]) / 32_768f;
        }

        return new(number, startSeconds, Silence.Is(stored), WavWriter.Write(mono, rate));
    }
}

/// <summary>
/// Cuts recordings into windows. The rule: windows begin at 0, HopSeconds, 2 x HopSeconds, ... until everything is covered;
/// the last one ends with the recording, however short it is, and a recording no longer than a window is one window.
/// </summary>
public static class SoundWindows
{
    /// <summary>Cuts a recording.</summary>
    /// <param name="mono">The recording at the dataset's rate, full scale -1 to 1.</param>
    /// <param name="options">The canonical form.</param>
    /// <returns>Its windows in order, silent ones included; none of a recording without a value. Together they have WindowSeconds / HopSeconds times the recording's 16-bit values.</returns>
    /// <exception cref="ArgumentException">An option is out of range; the message lists all.</exception>
    public static IReadOnlyList<SoundWindow> Cut(float[] mono, SoundFormatOptions options)
    {
        ArgumentNullException.ThrowIfNull(mono);
        ArgumentNullException.ThrowIfNull(options);
        options.Validated(nameof(options));
        var windows = new List<SoundWindow>();
        for (var end = 0; end < mono.Length;)
        {
            // From the number each time, so that rounding to whole values does not add up.
            var seconds = windows.Count * options.HopSeconds;
            var start = (int)Math.Round(seconds * options.SampleRate, MidpointRounding.AwayFromZero);
            end = Math.Min(mono.Length, start + options.WindowLength);
            windows.Add(SoundWindow.Of(windows.Count, seconds, mono.AsSpan(start, end - start), options.SampleRate));
        }

        return windows;
    }
}
