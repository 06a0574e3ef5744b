namespace Shoal.Media;

/// <summary>The canonical form of a dataset's images, uint8 [Channels, Height, Width], and the bounds of what is decoded into it.</summary>
public sealed record ImageFormatOptions
{
    /// <summary>Height of a sample in pixels, 1 to 4,096.</summary>
    /// <value>Default 32.</value>
    public int Height { get; init; } = 32;

    /// <summary>Width of a sample in pixels, 1 to 4,096.</summary>
    /// <value>Default 32.</value>
    public int Width { get; init; } = 32;

    /// <summary>1 (grey: Rec. 709 luma) or 3 (red, green, blue).</summary>
    /// <value>Default 3.</value>
    public int Channels { get; init; } = 3;

    /// <summary>The largest item in bytes, 1 to 1 GiB.</summary>
    /// <value>Default 16 MiB: a photograph as cameras write it.</value>
    public int MaxBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>The most pixels that a header may announce, 1 to 400,000,000: four bytes each are allocated, which must stay below 2 GiB.</summary>
    /// <value>Default 100 million: larger than cameras, and 0.4 GB while it is decoded.</value>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Bytes of a sample: Channels x Height x Width.</summary>
    public int SampleBytes => Channels * Height * Width;

    /// <summary>Lists every option that is out of range, one sentence each; empty when all are fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Range(nameof(Height), Height, 1, 4_096);
        Range(nameof(Width), Width, 1, 4_096);
        if (Channels is not (1 or 3))
        {
            problems.Add($"Channels is {Channels}; must be 1 or 3.");
        }

        Range(nameof(MaxBytes), MaxBytes, 1, 1 << 30);
        Range(nameof(MaxPixels), MaxPixels, 1, 400_000_000);
        return problems;

        void Range(string name, long value, long least, long most)
        {
            if (value < least || value > most)
            {
                problems.Add($"{name} is {value:N0}; must be {least:N0} to {most:N0}.");
            }
        }
    }

    /// <summary>Throws one message with every problem.</summary>
    /// <param name="parameter">The name that the caller gave these options.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    internal ImageFormatOptions Validated(string parameter)
    {
        var problems = Problems();
        return problems.Count == 0 ? this : throw new ArgumentException("Image format: " + string.Join(' ', problems), parameter);
    }
}
