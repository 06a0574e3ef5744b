namespace Shoal.Media.Sound;

/// <summary>The canonical form of a dataset's sounds, log-mel spectrograms as uint8 [1, Mels, Frames], and the bounds of what is decoded into it.</summary>
public sealed record SoundFormatOptions
{
    private readonly double? _hopSeconds;

    /// <summary>Values a second that sounds are converted to, 4,000 to 48,000. What lies above half of it is not heard.</summary>
    /// <value>Default 16,000: speech and most animals, and what pretrained sound encoders take.</value>
    public int SampleRate { get; init; } = 16_000;

    /// <summary>How much sound a sample shows, in seconds, 0.1 to 30.</summary>
    /// <value>Default 1.</value>
    public double WindowSeconds { get; init; } = 1;

    /// <summary>From the start of a recording's window to that of the next, in seconds, 0.01 to <see cref="WindowSeconds"/>.</summary>
    /// <value>Default half a window, so that what one window cuts in two the next one has whole.</value>
    public double HopSeconds
    {
        get => _hopSeconds ?? WindowSeconds / 2;
        init => _hopSeconds = value;
    }

    /// <summary>Height of a sample: mel bands from 0 to half the sample rate, 8 to 256.</summary>
    /// <value>Default 64.</value>
    public int Mels { get; init; } = 64;

    /// <summary>Width of a sample: spectra, evenly spread over what is heard of the window, 8 to 256.</summary>
    /// <value>Default 64.</value>
    public int Frames { get; init; } = 64;

    /// <summary>The largest item in bytes, 1 to 1 GiB.</summary>
    /// <value>Default 16 MiB: 30 seconds of two channels at 48,000 Hz as 32-bit float are 11.</value>
    public int MaxBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes of a sample: Mels x Frames.</summary>
    public int SampleBytes => Mels * Frames;

    /// <summary>
    /// Values of a window at <see cref="SampleRate"/>, rounded up: windows that begin where the former ended leave no value out,
    /// whichever way their starts are rounded. What 1.1 s are above 17,600 values in binary is no value.
    /// </summary>
    public int WindowLength => (int)Math.Ceiling((WindowSeconds * SampleRate) - 1e-6);

    /// <summary>Lists every option that is out of range, one sentence each; empty when all are fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Range(nameof(SampleRate), SampleRate, 4_000, 48_000);
        Range(nameof(WindowSeconds), WindowSeconds, 0.1, 30);

        // Beside a window that is out of range a hop says nothing.
        if (problems.Count == 0)
        {
            Range(nameof(HopSeconds), HopSeconds, 0.01, WindowSeconds);
        }

        Range(nameof(Mels), Mels, 8, 256);
        Range(nameof(Frames), Frames, 8, 256);
        Range(nameof(MaxBytes), MaxBytes, 1, 1 << 30);
        return problems;

        void Range(string name, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
            {
                problems.Add($"{name} is {value:#,0.##########}; must be {least:#,0.##########} to {most:#,0.##########}.");
            }
        }
    }

    /// <summary>Throws one message with every problem.</summary>
    /// <param name="parameter">The name that the caller gave these options.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    internal SoundFormatOptions Validated(string parameter)
    {
        var problems = Problems();
        return problems.Count == 0 ? this : throw new ArgumentException("Sound format: " + string.Join(' ', problems), parameter);
    }
}
