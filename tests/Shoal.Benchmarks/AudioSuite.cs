using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Media;
using Shoal.Media.Sound;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>How fast sound becomes samples, on one core.</summary>
internal static class AudioSuite
{
    // A minute of noise: harder than any recording, since nothing of it is zero.
    private const int RecordingSeconds = 60;

    private static readonly (int Rate, int Channels)[] Sources = [(16_000, 1), (16_000, 2), (44_100, 1), (44_100, 2)];

    /// <summary>Runs it.</summary>
    /// <param name="seconds">Seconds of each turn, after a fifth of it to warm up.</param>
    /// <param name="turns">Turns of each source; they take turns, and the median counts.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(int seconds, int turns, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        var settings = new DatasetSettings { Modality = DatasetSettings.Sound, Height = 64, Width = 64, Channels = 1 };
        (Source Source, List<double> Windows, List<double> Recordings)[] sources = [.. Sources.Select(source => (new Source(source.Rate, source.Channels, settings), new List<double>(), new List<double>()))];
        for (var turn = 0; turn < turns; turn++)
        {
            foreach ((Source source, List<double> windows, List<double> recordings) in sources)
            {
                windows.Add(await RateAsync(source.DecodeWindowAsync, settings.WindowSeconds, TimeSpan.FromSeconds(seconds)));
                recordings.Add(await RateAsync(source.DecodeRecordingAsync, RecordingSeconds, TimeSpan.FromSeconds(seconds)));
            }
        }

        foreach ((Source source, List<double> windows, List<double> recordings) in sources)
        {
            Dictionary<string, object?> with = new(StringComparer.Ordinal)
            {
                ["rate"] = source.Rate,
                ["channels"] = source.Channels,
                ["sampleRate"] = settings.SampleRate,
                ["mels"] = settings.Height,
                ["frames"] = settings.Width,
                ["windowSeconds"] = settings.WindowSeconds,
                ["hopSeconds"] = settings.HopSeconds,
                ["turns"] = turns,
            };
            FigureWriter.Tell($"From {source.Rate:N0} Hz, {(source.Channels == 1 ? "mono" : "stereo")}:");
            figures.Write("audio.realtime", Percentiles.Median(windows), "s/s", null, with);
            figures.Write("audio.recording_realtime", Percentiles.Median(recordings), "s/s", null, with);
        }
    }

    /// <summary>Seconds of sound a second; one call after another, and so one core.</summary>
    private static async Task<double> RateAsync(Func<Task> work, double secondsOfSound, TimeSpan duration) =>
        secondsOfSound * await MachineSpeed.RateAsync(work, callers: 1, duration);

    /// <summary>Sound of one kind: a window of it, and a minute.</summary>
    private sealed class Source
    {
        private readonly ISampleDecoder _decoder;
        private readonly SoundFormatOptions _format;
        private readonly byte[] _window;
        private readonly byte[] _recording;
        private readonly byte[] _sample;

        public Source(int rate, int channels, DatasetSettings settings)
        {
            (Rate, Channels) = (rate, channels);
            _decoder = MediaSettings.Decoder(settings);
            _format = new SoundFormatOptions { SampleRate = settings.SampleRate, WindowSeconds = settings.WindowSeconds, HopSeconds = settings.HopSeconds };
            _sample = new byte[_decoder.SampleBytes];
            _window = Wav(rate, channels, (int)(rate * settings.WindowSeconds));
            _recording = Wav(rate, channels, rate * RecordingSeconds);
        }

        public int Rate { get; }

        public int Channels { get; }

        /// <summary>A window as a producer sends it.</summary>
        public Task DecodeWindowAsync()
        {
            Decode(_window);
            return Task.CompletedTask;
        }

        /// <summary>A recording as ingest cuts it, and each of its windows as a silo decodes it: where they overlap, sound is decoded twice.</summary>
        public async Task DecodeRecordingAsync()
        {
            await foreach (SoundWindow window in SoundStreams.CutAsync(new MemoryStream(_recording, writable: false), _format))
            {
                Decode(window.Wav);
            }
        }

        private void Decode(byte[] wav)
        {
            if (!_decoder.TryDecode(SoundTypes.Wav, wav, _sample, out MediaProblem? problem))
            {
                throw new InvalidDataException(problem!.Message);
            }
        }

        // 16-bit PCM.
        private static byte[] Wav(int rate, int channels, int frames)
        {
            var values = new byte[2 * channels * frames];
            new Random(1).NextBytes(values);
            return WavBytes.Of(WavBytes.Pcm, channels, rate, bits: 16, values);
        }
    }
}
