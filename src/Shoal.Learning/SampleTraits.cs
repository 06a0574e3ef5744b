using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What follows from what samples are: one entry for each kind.</summary>
/// <param name="Plural">What they are called.</param>
/// <param name="Views">Makes their views, of a shape on a device.</param>
/// <param name="Problems">What is wrong with options for samples of a shape, one sentence each.</param>
internal sealed record SampleTraits(string Plural, Func<SampleShape, Device, IViewMaker> Views, Func<LearnerOptions, SampleShape, IEnumerable<string>> Problems)
{
    // An array of .NET holds twice as many.
    private const long MostReplayBytes = 1 << 30;

    private static readonly Dictionary<SampleKind, SampleTraits> All = new()
    {
        [SampleKind.Image] = new("images", static (shape, device) => new ViewMaker(shape, device), static (_, shape) => shape.IsWaveform ? [$"Samples of {shape} are no images."] : []),
        [SampleKind.Sound] = new(
            "spectrograms",
            static (shape, device) => new SoundViews(shape, device),
            static (_, shape) => shape.Channels != 1 || shape.IsWaveform ? [$"Samples of sound are spectrograms of one channel, not {shape}."] : [])
        { AreIslands = true },
        [SampleKind.Waveform] = new("waveforms", static (shape, device) => new WaveformViews(shape, device), ProblemsOfWaveforms) { Input = (MuLaw.Middle, MuLaw.Reach) },
    };

    /// <summary>Mean and deviation by which samples are normalised where these are known before any sample is; null where they are those of the stream.</summary>
    public (double Mean, double Deviation)? Input { get; private init; }

    /// <summary>Whether samples that are alike form several groups without a link between them, as one word does that several speakers say: there are more communities than clusters then.</summary>
    public bool AreIslands { get; private init; }

    /// <summary>Finds the traits of a kind.</summary>
    /// <param name="kind">What samples are.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such kind.</exception>
    public static SampleTraits Of(SampleKind kind) =>
        All.GetValueOrDefault(kind) ?? throw new ArgumentOutOfRangeException(nameof(kind), kind, "There are no such samples.");

    private static IEnumerable<string> ProblemsOfWaveforms(LearnerOptions options, SampleShape shape)
    {
        if (!shape.IsWaveform)
        {
            yield return $"Waveforms are samples of 1x1xT, not {shape}.";
        }

        if ((long)options.ReplaySize * shape.Size > MostReplayBytes)
        {
            yield return $"ReplaySize is {options.ReplaySize:N0}, and waveforms of {shape.Size:N0} values need {shape.Size:N0} bytes each; at most {MostReplayBytes:N0} bytes are kept: {MostReplayBytes / shape.Size:N0} samples.";
        }
    }
}
