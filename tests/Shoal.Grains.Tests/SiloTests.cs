using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>A real silo in a process of its own: what it acknowledges survives SIGKILL, learning goes on, bad input harms nothing.</summary>
[Collection(SiloCollections.First)]
public sealed class SiloTests(Azurite azurite)
{
    private const int Size = 16;

    internal static readonly DatasetSettings Settings = new()
    {
        Height = Size,
        Width = Size,
        Channels = 1,
        Clusters = 4,
        Shards = 4,
        RoundSeconds = 1,
        IdleRehearsalSteps = 2,
    };

    [Theory]
    [InlineData("files")]
    [InlineData("blobs")]
    public async Task Everything_acknowledged_survives_sigkill_and_training_goes_on(string store)
    {
        string[] arguments = string.Equals(store, "blobs", StringComparison.Ordinal)
            ? ["--log", "Warning", "--blobs", await azurite.ConnectionStringAsync(), "--container", "kill"]
            : ["--log", "Warning"];
        using var folder = new TempFolder();
        PublishedVersion version;
        long trained;
        long bank;
        ItemUpload[] first = Blobs(3_000, 1);
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, arguments))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            Assert.True(await client.CreateDatasetAsync("blobs", Settings));
            await StoreAsync(client, first, IngestOutcome.Accepted);
            DatasetStatus status = await Waiting.UntilAsync(client, silo, "a version that assigns everything", s =>
                s.Training.Version is not null && s.Shards.Sum(x => x.Pending) == 0 && s.Training.Progress?.Samples > 1_000, "blobs");
            await client.NameClusterAsync("blobs", status.Training.Version!.Clusters[0], "mine");
            version = status.Training.Version;
            trained = status.Training.Cursors.Sum(c => c.Next);
            bank = status.Training.Bank.Count;
            await silo.KillAsync();
        }

        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, arguments))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            DatasetStatus status = await client.StatusAsync("blobs");
            Assert.Equal(3_000, status.Shards.Sum(s => s.Items));
            Assert.True(status.Training.Version!.Version >= version.Version, "the version went back");
            var placed = status.Shards.Sum(s => s.Assigned + s.Outliers);
            Assert.True(placed == 3_000, $"{placed} of 3,000 assignments are there");
            Assert.Equal("mine", (await client.ClustersAsync("blobs")).Single(c => c.Id == version.Clusters[0]).Name);
            foreach (ItemUpload item in first.Where((_, i) => i % 500 == 0))
            {
                Assert.Equal(item.Bytes, (await client.GetContentAsync("blobs", item.Id))!.Bytes);
            }

            await StoreAsync(client, first, IngestOutcome.AlreadyKnown);
            await StoreAsync(client, Blobs(1_000, 2), IngestOutcome.Accepted);
            status = await Waiting.UntilAsync(client, silo, "training of what came after the restart", s =>
                s.Training.Cursors.Sum(c => c.Next) == 4_000 && s.Shards.Sum(x => x.Pending) == 0, "blobs");
            Assert.True(status.Training.Cursors.Sum(c => c.Next) >= trained);
            Assert.True(status.Training.Bank.Count >= 0 && bank > 0, "no key ever reached the shared bank");
        }
    }

    [Fact]
    public async Task Bad_input_is_refused_or_quarantined_with_its_reason_and_the_stream_goes_on()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("bad", Settings with { MaxItemBytes = 100_000 });
        byte[] png = TestPictures.Png(40, 30);
        ItemUpload Upload(string id, byte[] bytes, string type = "image/png") => new() { Id = id, MediaType = type, Bytes = bytes };
        var results = new Dictionary<string, IngestResult>(StringComparer.Ordinal);
        ItemUpload[] uploads =
        [
            Upload("good", png), Upload("text", "hello"u8.ToArray()), Upload("empty", []), Upload("cut", png[..(png.Length / 2)]),
            Upload("huge", Header(100_000, 100_000)), Upload("long", new byte[100_001]), Upload("raw", new byte[5], MediaTypes.RawImage),
            Upload(new string('x', 513), png), Upload("bad\u0001id", png),
        ];
        await foreach (IngestResult result in client.IngestAsync("bad", uploads.ToAsyncEnumerable()))
        {
            results.Add(result.Id, result);
        }

        Assert.Equal(IngestOutcome.Accepted, results["good"].Outcome);
        Assert.Equal(IngestOutcome.Accepted, results["cut"].Outcome);
        foreach (var id in new[] { "text", "empty", "huge", "long", "raw", new string('x', 513), "bad\u0001id" })
        {
            Assert.Equal(IngestOutcome.Rejected, results[id].Outcome);
            Assert.False(string.IsNullOrWhiteSpace(results[id].Reason));
        }

        Assert.Equal(IngestOutcome.AlreadyKnown, (await client.PutAsync("bad", Upload("good", png))).Outcome);
        Assert.Equal(IngestOutcome.Conflict, (await client.PutAsync("bad", Upload("good", TestPictures.Png(41, 30)))).Outcome);
        Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => client.StatusAsync("nowhere"))).Kind);

        await StoreAsync(client, Blobs(300, 1), IngestOutcome.Accepted, "bad");
        DatasetStatus status = await Waiting.UntilAsync(client, silo, "every good item assigned", s => s.Shards.Sum(x => x.Assigned) == 301, "bad");
        Assert.Equal(1, status.Shards.Sum(s => s.Quarantined));
        ItemAnswer cut = await client.GetAsync("bad", "cut");
        Assert.Equal(ItemState.Quarantined, cut.State);
        Assert.Contains("truncated", cut.Reason, StringComparison.Ordinal);
        Assert.Equal(ItemState.Unknown, (await client.GetAsync("bad", "never")).State);
        ItemAnswer viaGrain = await client.Cluster.GetGrain<IItemGrain>(GrainKeys.Item("bad", "good")).GetAsync();
        Assert.Equal(await client.GetAsync("bad", "good"), viaGrain with { SecondsBehind = 0, VersionsBehind = 0 });
        SimilarAnswer similar = await client.SimilarAsync("bad", "good", 5);
        Assert.Equal(5, similar.Items.Length);

        await client.DeleteDatasetAsync("bad");
        Assert.Empty(await client.ListDatasetsAsync());
        Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => client.StatusAsync("bad"))).Kind);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "store", "datasets", "bad")) && Directory.EnumerateFiles(Path.Combine(folder.Path, "store", "datasets", "bad"), "*", SearchOption.AllDirectories).Any());
    }

    [Fact]
    public void No_message_has_room_for_a_label()
    {
        var members = typeof(ItemUpload).Assembly.GetTypes().SelectMany(t => t.GetMembers()).Select(m => m.Name);
        Assert.DoesNotContain(members, name => name.Contains("label", StringComparison.OrdinalIgnoreCase));
        // The control: the same search finds the label where it may be.
        Assert.Contains(typeof(SourceItem).GetMembers(), m => m.Name.Contains("label", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_stream_that_changes_is_an_event_and_settings_change_while_it_lives()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        DatasetSettings settings = Settings with { IdleRehearsalSteps = 0 };
        await client.CreateDatasetAsync("blobs", settings);
        await StoreAsync(client, Blobs(2_000, 1, firstCorner: 0, corners: 2), IngestOutcome.Accepted);
        await Waiting.UntilAsync(client, silo, "the first kind of items to be trained on", s => s.Training.Cursors.Sum(c => c.Next) == 2_000, "blobs");
        await StoreAsync(client, Blobs(2_000, 2, firstCorner: 2, corners: 2), IngestOutcome.Accepted);
        DatasetStatus status = await Waiting.UntilAsync(client, silo, "both kinds to be committed", s =>
            s.Training is { Activity: "idle", Progress.Samples: 4_000, Progress.Segments: 2 }, "blobs");
        LineageEvent drift = Assert.Single(await client.EventsAsync("blobs"), e => string.Equals(e.Kind, "drift", StringComparison.Ordinal));
        Assert.Matches("after [23],[0-9]+ samples the stream changed", drift.Reason);

        // Idle is only who has handed over the last round, too.
        var round = status.Training.Round;
        await Task.Delay(TimeSpan.FromSeconds(2 * Settings.RoundSeconds));
        Assert.Equal(round, (await client.StatusAsync("blobs")).Training.Round);

        // Rounds that end by time would hide that what was rehearsed is not handed over.
        var change = new DatasetChange { IdleRehearsalSteps = 5, RoundSeconds = 3_600 };
        Assert.Equal(5, (await client.ChangeDatasetAsync("blobs", change)).IdleRehearsalSteps);
        status = await Waiting.UntilAsync(client, silo, "a round of six times five steps of rehearsal, as few were taken before", s =>
            s.Training is { Activity: "idle", Progress.IdleSteps: 30 } && s.Training.Round > round, "blobs");
        Assert.Equal(2, status.Training.Progress!.Segments);
        Assert.False(await client.CreateDatasetAsync("blobs", settings), "the same dataset was taken for another");
        var refused = await Assert.ThrowsAsync<ShoalException>(() => client.ChangeDatasetAsync("blobs", new DatasetChange { RoundSeconds = 0 }));
        Assert.Equal("RoundSeconds is 0; must be 1 to 3,600.", refused.Message);
    }

    [Fact]
    public async Task Edits_hold_at_once_while_paused_and_a_rollback_brings_an_earlier_version_back()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("blobs", Settings);
        ItemUpload[] items = Blobs(2_500, 1, firstCorner: 0, corners: 3);
        await StoreAsync(client, items, IngestOutcome.Accepted);
        await Waiting.UntilAsync(client, silo, "a first version", s => s.Training is { Activity: "idle", Version: not null }, "blobs");

        // A kind that it has not seen makes another version.
        await StoreAsync(client, Blobs(1_500, 2), IngestOutcome.Accepted);
        await Waiting.UntilAsync(client, silo, "everything to be assigned by another version", s =>
            s.Training is { Activity: "idle", Version.Version: > 1 } && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "blobs");
        await client.PauseAsync("blobs");
        ClusterSummary[] clusters = await client.ClustersAsync("blobs", exemplars: 9);

        // Names, by id and by examples; a query sees them at once.
        await client.NameClusterAsync("blobs", clusters[0].Id, "largest");
        string[] examples = [.. clusters[1].Exemplars.Select(e => e.Id).Take(5)];
        Assert.Equal(clusters[1].Id, await client.NameByExamplesAsync("blobs", "second", examples));
        Assert.Equal("second", (await client.GetAsync("blobs", examples[0])).ClusterName);
        ItemContent content = (await client.GetContentAsync("blobs", examples[0]))!;
        Classification classified = await ClassifyAsync(client, new ItemUpload { Id = content.Id, MediaType = content.MediaType, Bytes = content.Bytes });
        Assert.Equal(("second", clusters[1].Id), (classified.ClusterName, classified.Cluster));
        var scattered = await Assert.ThrowsAsync<ShoalException>(() => client.NameByExamplesAsync("blobs", "x", [clusters[0].Exemplars[0].Id, clusters[1].Exemplars[0].Id]));
        Assert.Equal(ShoalErrorKind.Conflict, scattered.Kind);
        Assert.Contains("1 of 2 in cluster", scattered.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ShoalException>(() => client.NameByExamplesAsync("blobs", "x", ["nonesuch"]));

        // A merge keeps the larger one's id, answers for both, and can be taken back.
        ClusterSummary last = clusters[^1];
        Assert.Equal(clusters[0].Id, await client.MergeClustersAsync("blobs", last.Id, clusters[0].Id));
        Assert.Equal(clusters[0].Id, await client.MergeClustersAsync("blobs", last.Id, clusters[0].Id));
        Assert.Equal((clusters[0].Id, "largest"), ((await client.GetAsync("blobs", last.Exemplars[0].Id)).Cluster!.Value, (await client.GetAsync("blobs", last.Exemplars[0].Id)).ClusterName));
        ClusterSummary merged = (await client.ClustersAsync("blobs")).First(c => c.Id == clusters[0].Id);
        Assert.Equal(clusters[0].Count + last.Count, merged.Count);
        Assert.Equal([last.Id], merged.Merged);
        await client.UnmergeClusterAsync("blobs", last.Id);
        Assert.Equal(last.Id, (await client.GetAsync("blobs", last.Exemplars[0].Id)).Cluster);

        await client.PinClusterAsync("blobs", clusters[1].Id);
        Assert.True((await client.ClustersAsync("blobs")).Single(c => c.Id == clusters[1].Id).Pinned);

        // An earlier version is a new one; queries for fresh answers are by it at once, and names are where they were.
        PublishedVersion[] versions = await client.VersionsAsync("blobs");
        Assert.True(versions.Length > 1);
        PublishedVersion restored = await client.RollbackAsync("blobs", versions[1].Version);
        Assert.Equal((versions[0].Version + 1, versions[1].Version), (restored.Version, restored.Restores));
        Assert.Equal(restored.Version, (await client.RollbackAsync("blobs", versions[1].Version)).Version);
        ItemAnswer fresh = await client.GetFreshAsync("blobs", examples[0]);
        Assert.Equal((restored.Version, 0), (fresh.ModelVersion, fresh.VersionsBehind));
        Assert.Equal(ItemState.Unknown, (await client.GetFreshAsync("blobs", "nonesuch")).State);
        await Assert.ThrowsAsync<ShoalException>(() => client.RollbackAsync("blobs", 999));
        foreach (var gone in versions[0].Clusters.Except(restored.Clusters).Where(id => id > 0).Append(999))
        {
            Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => client.NameClusterAsync("blobs", gone, "x"))).Kind);
        }

        LineageEvent[] events = await client.EventsAsync("blobs");
        Assert.Contains(events, e => e.Kind is "rolled back" && e.ModelVersion == restored.Version);
        Assert.Contains(events, e => e.Kind is "merged" && e.Cluster == last.Id);
        Assert.Equal("paused", (await client.StatusAsync("blobs")).Training.Activity);

        await client.ResumeAsync("blobs");
        await Waiting.UntilAsync(client, silo, "training to go on from the earlier version and rest", s =>
            s.Training is { Activity: "idle" } && s.Training.Cursors.Sum(c => c.Next) == 4_000 && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "blobs");
        Assert.Equal("second", (await client.GetAsync("blobs", examples[0])).ClusterName);
    }

    [Fact]
    public async Task A_broken_candidate_is_refused_and_training_goes_back_to_the_published_version()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("blobs", Settings);
        await StoreAsync(client, Blobs(2_500, 1), IngestOutcome.Accepted);
        TrainingStatus before = (await Waiting.UntilAsync(client, silo, "a version", s => s.Training is { Activity: "idle", Version: not null }, "blobs")).Training;

        // What a seat hands over whose parameters are not finite any more.
        var broken = new RoundDelivery
        {
            Seat = "broken",
            Term = before.Term,
            Round = before.Round,
            Cursors = before.Cursors,
            Parts = [],
            Keys = new BankKeys { First = before.Bank.Count, Keys = [], Samples = [], Steps = [] },
            Candidate = new Claim("nothing", 0),
            Evidence = new CandidateEvidence { Finite = false },
            Progress = before.Progress!,
            Descent = new ClusterDescent { Inherited = [], Parents = [], Sizes = [], Heirs = [] },
        };
        IModelGrain model = client.Cluster.GetGrain<IModelGrain>("blobs");
        Assert.Equal(ShoalErrorKind.Conflict, (await Assert.ThrowsAsync<ShoalException>(() => model.DeliverAsync(broken))).Kind);

        // Sent again, as when the answer was lost, it is not taken for a round that was.
        Assert.Equal(ShoalErrorKind.Conflict, (await Assert.ThrowsAsync<ShoalException>(() => model.DeliverAsync(broken))).Kind);
        LineageEvent refused = Assert.Single(await client.EventsAsync("blobs"), e => string.Equals(e.Kind, "refused", StringComparison.Ordinal));
        Assert.Equal("the parameters hold a number that is not finite; training goes back to the last good checkpoint", refused.Reason);
        DatasetStatus after = await Waiting.UntilAsync(client, silo, "training under another deal", s =>
            s.Training.Term > before.Term + 1 && s.Training is { Activity: "idle", Refused: 1 } && s.Training.Cursors.Sum(c => c.Next) == 2_500, "blobs");
        Assert.True(after.Training.Version!.Version >= before.Version!.Version);
    }

    [Fact]
    public async Task Items_of_another_kind_are_outliers_until_enough_of_them_are_a_cluster()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("blobs", Settings with { Clusters = 0, IdleRehearsalSteps = 6 });
        await StoreAsync(client, Blobs(4_000, 1, firstCorner: 0, corners: 3), IngestOutcome.Accepted);
        DatasetStatus status = await Waiting.UntilAsync(client, silo, "three kinds to be learned", s =>
            s.Training is { Activity: "idle", Version: not null } && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "blobs");
        Assert.True(status.Shards.Sum(s => s.Outliers) < 120, $"{status.Shards.Sum(s => s.Outliers)} of 4,000 items that were learned fit no cluster");

        ItemUpload[] others = Blobs(2_000, 2, firstCorner: 3, corners: 1);
        Classification[] first = await Task.WhenAll(others.Take(20).Select(item => ClassifyAsync(client, item)));
        Classification[] known = await Task.WhenAll(Blobs(100, 3, firstCorner: 0, corners: 3).Select(item => ClassifyAsync(client, item)));
        Assert.True(first.Count(c => c.State == ItemState.Outlier) > 15, $"new: {string.Join(", ", first.Select(c => $"{c.Distance:F3}").Order())}; known: {string.Join(", ", known.Select(c => $"{c.Distance:F3}").Order())}");
        Assert.All(first, c => Assert.True(c.State != ItemState.Outlier || (c.Distance > 0 && c.Cluster is null)));

        long[] before = [.. (await client.ClustersAsync("blobs")).Select(c => c.Id)];
        await StoreAsync(client, others, IngestOutcome.Accepted);
        await Waiting.UntilAsync(client, silo, "the fourth kind to be learned", s =>
            s.Training is { Activity: "idle", Progress.Samples: 6_000 } && s.Shards.Sum(x => x.Pending + x.Stale) == 0, "blobs");
        ItemAnswer[] answers = await client.GetManyAsync("blobs", [.. others.Select(i => i.Id)]);
        (long Cluster, int Count) most = answers.CountBy(a => a.Cluster ?? 0).Select(c => (c.Key, c.Value)).MaxBy(c => c.Value);
        Assert.True(most.Cluster > 0 && !before.Contains(most.Cluster) && most.Count > 1_800, $"cluster {most.Cluster} holds {most.Count} of 2,000; before: {string.Join(", ", before)}");
        Assert.Contains(await client.EventsAsync("blobs"), e => e.Kind is "born" or "split" && e.Cluster == most.Cluster);
    }

    private static async Task<Classification> ClassifyAsync(ShoalClient client, ItemUpload item) =>
        (await client.ClassifyAsync("blobs", new[] { item }.ToAsyncEnumerable()).ToArrayAsync())[0].Answer;

    internal static async Task StoreAsync(ShoalClient client, ItemUpload[] items, IngestOutcome expected, string dataset = "blobs")
    {
        await foreach (IngestResult result in client.IngestAsync(dataset, items.ToAsyncEnumerable()))
        {
            Assert.True(result.Outcome == expected, $"{result.Id}: {result.Outcome} {result.Reason}");
        }
    }

    /// <summary>Images of a bright square in one of four corners, with seeded noise: four clusters that can be told apart.</summary>
    internal static ItemUpload[] Blobs(int count, int seed, int firstCorner = 0, int corners = 4)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var pixels = new byte[Size * Size];
            random.NextBytes(pixels);
            var corner = firstCorner + random.Next(corners);
            for (var y = 0; y < Size; y++)
            {
                for (var x = 0; x < Size; x++)
                {
                    var inside = (y < Size / 2) == (corner < 2) && (x < Size / 2) == (corner % 2 == 0);
                    pixels[(y * Size) + x] = (byte)((pixels[(y * Size) + x] / 4) + (inside ? 180 : 0));
                }
            }

            return new ItemUpload { Id = $"{seed}/{i}", MediaType = MediaTypes.RawImage, Bytes = pixels };
        })];
    }

    /// <summary>A PNG whose header announces a size, and that holds nothing else.</summary>
    private static byte[] Header(int width, int height)
    {
        byte[] png = TestPictures.Png(1, 1);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        // The header's checksum must hold, or it is not a PNG at all.
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        return png;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }
}
