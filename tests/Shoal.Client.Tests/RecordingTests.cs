using Shoal.Contracts;
using Shoal.Fakes;
using Shoal.Rendering;
using Spectre.Console.Testing;

namespace Shoal.Client.Tests;

public sealed class RecordingTests(SiloFixture fixture) : IDisposable
{
    private static readonly DatasetSettings Sound = new() { Modality = DatasetSettings.Sound, Channels = 1, SampleRate = 8_000, WindowSeconds = 1, HopSeconds = 0.5, Shards = 4 };

    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-recordings-").FullName;
    private int _datasets;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_folder_of_recordings_becomes_windows_that_carry_their_recording_s_id_and_label()
    {
        Write("dog/bark.wav", Recordings.Tones(16_000, (300, 1.2)));
        Write("dog/short.wav", Recordings.Tones(8_000, (300, 0.3)));
        Write("dog/torn.wav", Recordings.Tones(8_000, (300, 0.3))[..30]);
        // Floats, the last of which is no number.
        byte[] broken = Recordings.Wav(8_000, new double[2 * 9_000]);
        (broken[20], broken[32], broken[34]) = (3, 4, 32);
        BitConverter.GetBytes(16_000).CopyTo(broken, 24);
        BitConverter.GetBytes(float.NaN).CopyTo(broken, broken.Length - 4);
        Write("cat/broken.wav", broken);
        Write("dog/picture.png", [1]);

        var source = new RecordingSource(ItemSources.Open(_folder, new ItemSourceOptions { Modality = DatasetSettings.Sound }), Sound);
        List<SourceItem> items = await source.ReadAsync().ToListAsync();

        Assert.Equal(["cat/broken.wav", "cat"], [items[0].Upload.Id, items[0].Label]);
        Assert.Contains("no numbers", items[0].Problem, StringComparison.Ordinal);
        items.RemoveAt(0);
        Assert.Equal(["dog/bark.wav@0", "dog/bark.wav@500", "dog/short.wav@0", "dog/torn.wav"], items.Select(item => item.Upload.Id));
        Assert.All(items, item => Assert.Equal("dog", item.Label));
        Assert.Equal([null, null, null, true], items.Select(item => item.Problem?.Length > 20 ? true : (bool?)null));
        // 16 bits at the dataset's rate: a whole window, the rest from 0.5 s on, and all of the short one.
        Assert.Equal([16_044, 11_244, 4_844], items.Take(3).Select(item => item.Upload.Bytes.Length));
        Assert.Equal(items.Select(item => item.Upload.Bytes), (await source.ReadAsync().Skip(1).ToListAsync()).Select(item => item.Upload.Bytes));
    }

    [Fact]
    public async Task A_recording_is_stored_once_answered_in_order_and_deleted_whole()
    {
        string name = await DatasetAsync();
        var recording = new ItemUpload { Id = "street", MediaType = "audio/wav", Bytes = Recordings.Tones(8_000, (300, 10.2)) };
        // 0 to 9.5 s in steps of half a second.
        IngestResult[] first = await fixture.Client.IngestRecordingAsync(name, recording).ToArrayAsync();
        Assert.Equal(20, first.Count(result => result.Outcome == IngestOutcome.Accepted));
        Assert.All(await fixture.Client.IngestRecordingAsync(name, recording).ToArrayAsync(), result => Assert.Equal(IngestOutcome.AlreadyKnown, result.Outcome));

        RecordingAnswer answer = await fixture.Client.RecordingAsync(name, "street");
        Assert.Equal(Enumerable.Range(0, 20).Select(i => i * 0.5), answer.Windows.Select(window => window.Start));
        Assert.All(answer.Windows, window => Assert.Equal(window.Start + 1, window.End));
        Assert.Empty((await fixture.Client.RecordingAsync(name, "stree")).Windows);

        Assert.Equal(20, await fixture.Client.DeleteRecordingAsync(name, "street"));
        Assert.DoesNotContain((await fixture.Client.RecordingAsync(name, "street")).Windows, window => window.Item.State != ItemState.Deleted);
        Assert.Equal(0, await fixture.Client.DeleteRecordingAsync(name, "nobody"));
    }

    [Fact]
    public async Task What_is_no_sound_is_one_result_with_the_reason_and_a_dataset_of_images_takes_none()
    {
        string name = await DatasetAsync();
        IngestResult refused = Assert.Single(await fixture.Client.IngestRecordingAsync(name, new ItemUpload { Id = "x", MediaType = "audio/wav", Bytes = "RIFF...."u8.ToArray() }).ToArrayAsync());
        Assert.Equal(IngestOutcome.Rejected, refused.Outcome);
        Assert.False(string.IsNullOrWhiteSpace(refused.Reason));

        (string images, _) = await fixture.DatasetAsync();
        var failure = await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.RecordingAsync(images, "x"));
        Assert.Equal((ShoalErrorKind.Invalid, $"The dataset '{images}' holds no recordings: its modality is 'image'."), (failure.Kind, failure.Message));
    }

    [Fact]
    public void A_timeline_has_a_line_for_as_long_as_the_same_is_heard()
    {
        ItemAnswer Heard(long? cluster, ItemState state = ItemState.Assigned) => new() { Id = "x", State = state, Cluster = cluster, Confidence = 0.5f, ClusterName = cluster == 2 ? "owl" : null };
        var recording = new RecordingAnswer("night", [.. new[] { Heard(1), Heard(1), Heard(2), Heard(null, ItemState.Outlier), Heard(1) }.Select((item, i) => new RecordingWindow(i * 0.5, (i * 0.5) + 1, item))]);
        using var console = new TestConsole();

        console.Write(RecordingViews.Timeline(recording));

        string[] lines = [.. console.Lines.Where(line => line.Contains("0:0", StringComparison.Ordinal)).Select(line => string.Join(' ', line.Split('│', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))];
        Assert.Equal(["0:00.0 0:01.0 2 1 50.0%", "0:01.0 0:01.5 1 2 (owl) 50.0%", "0:01.5 0:02.0 1 outlier: no cluster fits -", "0:02.0 0:03.0 1 1 50.0%"], lines);
    }

    private async Task<string> DatasetAsync()
    {
        string name = $"sound-{Interlocked.Increment(ref _datasets)}-{Path.GetFileName(_folder)[^6..].ToLowerInvariant()}";
        await fixture.Client.CreateDatasetAsync(name, Sound);
        return name;
    }

    private void Write(string path, byte[] bytes)
    {
        string file = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
    }
}
