using Shoal.Client;
using Shoal.Contracts;
using Shoal.Fakes;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>Recordings of tones and noise in a real silo: what they are is told window by window.</summary>
[Collection(SiloCollections.First)]
public sealed class SoundTests
{
    private const int Rate = 8_000;

    // A hum, a high tone, clicks, and noise.
    private static readonly Func<Random, double, double>[] Kinds =
    [
        static (_, t) => Math.Sin(2 * Math.PI * 200 * t),
        static (_, t) => Math.Sin(2 * Math.PI * 3_000 * t),
        static (_, t) => t % 0.1 < 0.001 ? 1 : 0,
        static (random, _) => (2 * random.NextDouble()) - 1,
    ];

    [Fact]
    public async Task Recordings_are_cut_learned_and_answered_as_a_timeline_and_silence_is_quarantined()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("sound", new DatasetSettings
        {
            Modality = DatasetSettings.Sound,
            Height = 16,
            Width = 16,
            Channels = 1,
            SampleRate = Rate,
            WindowSeconds = 0.5,
            HopSeconds = 0.5,
            Clusters = 4,
            Shards = 4,
            RoundSeconds = 1,
            IdleRehearsalSteps = 20,
        });
        for (var i = 0; i < 40; i++)
        {
            // Each kind for 12 windows, in an order of its own.
            var random = new Random(i);
            int[] order = [0, 1, 2, 3];
            random.Shuffle(order);
            byte[] wav = Recordings.Wav(Rate, [.. order.SelectMany(kind => Values(random, kind, seconds: 6))]);
            await foreach (IngestResult result in client.IngestRecordingAsync("sound", new ItemUpload { Id = $"take/{i}", MediaType = "audio/wav", Bytes = wav }))
            {
                Assert.True(result.Outcome == IngestOutcome.Accepted, result.Reason);
            }
        }

        byte[] quiet = Recordings.Tones(Rate, (900, 1), (0, 1));
        Assert.Equal(4, await client.IngestRecordingAsync("sound", new ItemUpload { Id = "quiet", MediaType = "audio/wav", Bytes = quiet }).CountAsync());
        await Waiting.UntilAsync(client, silo, "clusters of the four kinds", s => s.Training.Version?.Clusters.Length == 4 && s.Training.Activity is "idle" && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "sound");

        // A recording that it has not heard: each kind for two seconds.
        var unheard = new Random(99);
        byte[] news = Recordings.Wav(Rate, [.. Enumerable.Range(0, 4).SelectMany(kind => Values(unheard, kind, seconds: 2))]);
        Assert.Equal(16, await client.IngestRecordingAsync("sound", new ItemUpload { Id = "news", MediaType = "audio/wav", Bytes = news }).CountAsync());
        await Waiting.UntilAsync(client, silo, "the news to be assigned", s => s.Shards.Sum(x => x.Pending) == 0, "sound");
        RecordingAnswer timeline = await client.RecordingAsync("sound", "news");
        long[] heard = [.. timeline.Windows.Select(window => window.Item.Cluster ?? 0)];
        long[] kinds = [.. heard.Chunk(4).Select(four => four.CountBy(cluster => cluster).MaxBy(cluster => cluster.Value).Key)];
        // Chance puts half of them where most of their kind are.
        Assert.True(heard.Where((cluster, i) => cluster == kinds[i / 4]).Count() >= 13 && kinds.Distinct().Count() >= 3, string.Join(' ', heard));

        ItemState[] states = [.. (await client.RecordingAsync("sound", "quiet")).Windows.Select(window => window.Item.State)];
        Assert.Equal([ItemState.Quarantined, ItemState.Quarantined], states[2..]);
        Assert.Contains("-60 dB", (await client.GetAsync("sound", "quiet@1000")).Reason, StringComparison.Ordinal);

        // A whole recording is no item, and says what to do.
        IngestResult whole = await client.PutAsync("sound", new ItemUpload { Id = "whole", MediaType = "audio/wav", Bytes = news });
        Assert.Equal(IngestOutcome.Rejected, whole.Outcome);
        Assert.Contains("ingested as recordings", whole.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_waveform_dataset_what_comes_next_is_learned_and_windows_are_answered_and_what_does_not_fit_is_refused()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        var settings = new DatasetSettings
        {
            Modality = DatasetSettings.Sound,
            FrontEnd = DatasetSettings.Waveform,
            Channels = 1,
            SampleRate = Rate,
            WindowSeconds = 0.25,
            HopSeconds = 0.25,
            Clusters = 4,
            Shards = 2,
            RoundSeconds = 1,
            IdleRehearsalSteps = 2,
            Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["wav2vec"] = 1, ["wav2vec2"] = 1 },
        };
        await client.CreateDatasetAsync("waves", settings);
        var random = new Random(7);
        for (var i = 0; i < 10; i++)
        {
            byte[] wav = Recordings.Wav(Rate, [.. Enumerable.Range(0, 4).SelectMany(kind => Values(random, kind, seconds: 2))]);
            Assert.Equal(32, await client.IngestRecordingAsync("waves", new ItemUpload { Id = $"take/{i}", MediaType = "audio/wav", Bytes = wav }).CountAsync());
        }

        await client.IngestRecordingAsync("waves", new ItemUpload { Id = "quiet", MediaType = "audio/wav", Bytes = Recordings.Tones(Rate, (0, 0.5)) }).CountAsync();
        DatasetStatus status = await Waiting.UntilAsync(client, silo, "a version of waveforms", s => s.Training.Version is not null && s.Shards.Sum(x => x.Pending) == 0 && s.Training.Progress?.Losses.Count > 0, "waves");
        Assert.Equal(["total", "wav2vec.contrast", "wav2vec2.contrast", "wav2vec2.diversity"], status.Training.Progress!.Losses.Keys.Order(StringComparer.Ordinal));
        RecordingAnswer timeline = await client.RecordingAsync("waves", "take/3");
        Assert.All(timeline.Windows, window => Assert.True(window.Item.State is ItemState.Assigned or ItemState.Outlier, $"{window.Item.State}"));
        Assert.All((await client.RecordingAsync("waves", "quiet")).Windows, window => Assert.Equal(ItemState.Quarantined, window.Item.State));
        InvarianceReport report = await client.InvarianceAsync("waves", 10);
        Assert.Contains("polarity", report.Movements.Select(movement => movement.Transformation));

        foreach (var (wrong, reason) in new[]
        {
            (settings with { FrontEnd = DatasetSettings.LogMel }, "Objective 'wav2vec' foretells what an encoder sees in the course of time, which 'strided' does not show"),
            (settings with { Encoder = "strided", Objectives = null }, "Encoder 'strided' takes pictures and spectrograms, no waveforms"),
            (settings with { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["cpc"] = 1 } }, "Objective 'cpc' changes pictures and spectrograms; waveforms it cannot."),
            (settings with { WindowSeconds = 5 }, "A window has 40,000 values"),
        })
        {
            var refused = await Assert.ThrowsAsync<ShoalException>(() => client.CreateDatasetAsync("refused", wrong));
            Assert.Equal(ShoalErrorKind.Invalid, refused.Kind);
            Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<double> Values(Random random, int kind, double seconds)
    {
        var loudness = 0.1 + (0.5 * random.NextDouble());
        return Enumerable.Range(0, (int)(seconds * Rate)).Select(i => (loudness * Kinds[kind](random, i / (double)Rate)) + (0.01 * random.NextDouble()));
    }
}
