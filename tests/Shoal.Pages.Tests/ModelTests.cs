using System.Runtime.InteropServices;
using Microsoft.Extensions.Time.Testing;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Pages.Mapping;
using Shoal.Pages.Models;

namespace Shoal.Pages.Tests;

/// <summary>What pages show, out of what a silo says.</summary>
public sealed class ModelTests
{
    private readonly FakeSource _source = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_dataset_that_does_well_raises_no_alarm() =>
        Assert.Empty(DatasetHealth.Of(FakeSource.Status("digits"), [Event("published", 3), Event("refused", 2)]));

    [Fact]
    public void A_refused_model_is_an_alarm_until_the_next_version()
    {
        LineageEvent refused = Event("refused", 2) with { Reason = "the embeddings have collapsed (spread 0.02, healthy above 0.1)" };

        Alarm alarm = Assert.Single(DatasetHealth.Of(FakeSource.Status("digits"), [Event("drift", 5), refused, Event("published", 1)]));

        Assert.Equal(AlarmLevel.Error, alarm.Level);
        Assert.Contains("collapsed", alarm.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_comes_the_worst_first()
    {
        ShardStatus shard = FakeSource.Shard(3) with { Problem = "its log is damaged", StaleItems = [new StaleItems(1, 30, 5), new StaleItems(2, 601, 7)], Quarantined = 6 };
        DatasetStatus status = FakeSource.Status("digits", new DatasetSettings { Paused = true }, shard);

        IReadOnlyList<Alarm> alarms = DatasetHealth.Of(status with { Training = status.Training with { Problem = "storage is away" } }, []);

        Assert.Equal([AlarmLevel.Error, AlarmLevel.Warning, AlarmLevel.Warning, AlarmLevel.Warning, AlarmLevel.Note], alarms.Select(alarm => alarm.Level));
        Assert.Equal("Shard 3: its log is damaged", alarms[0].Text);
        Assert.Equal("Training: storage is away", alarms[1].Text);
        Assert.StartsWith("7 assignments", alarms[2].Text, StringComparison.Ordinal);
        Assert.StartsWith("6 %", alarms[3].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Datasets_have_their_rate_and_one_that_fails_spoils_no_other()
    {
        var reader = new DatasetsReader(_source, _time);
        _source.Datasets["a"] = FakeSource.Status("a");
        await reader.ReadAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(10));
        _source.Datasets["a"] = FakeSource.Status("a", settings: null, FakeSource.Shard(0) with { End = 150 });
        _source.Datasets["b"] = FakeSource.Status("b");

        DatasetsModel model = await reader.ReadAsync(CancellationToken.None);

        Assert.Equal(["a", "b"], model.Datasets.Select(dataset => dataset.Name));
        Assert.Equal(5, model.Datasets[0].Rate, 6);
        Assert.Equal(90, model.Datasets[0].Totals!.TrainingLag);
        Assert.Equal(double.NaN, model.Datasets[1].Rate);
    }

    [Fact]
    public async Task Clusters_have_a_trend_since_they_were_first_read()
    {
        var reader = new ClustersReader(_source, "digits", _time);
        _source.Datasets["digits"] = FakeSource.Status("digits");
        _source.Clusters.AddRange([FakeSource.Cluster(1, 100, "ones"), FakeSource.Cluster(2, 50)]);
        await reader.ReadAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(5));
        _source.Clusters.Clear();
        _source.Clusters.AddRange([FakeSource.Cluster(1, 130, "ones"), FakeSource.Cluster(3, 10)]);

        ClustersModel model = await reader.ReadAsync(CancellationToken.None);

        Assert.Equal(["ones", "cluster 3"], model.Clusters.Select(cluster => cluster.Title));
        Assert.Equal(["30 more", "unchanged"], model.Clusters.Select(cluster => cluster.Trend));
        Assert.False(model.IsSound);
    }

    [Fact]
    public void Events_stand_on_the_line_by_their_time()
    {
        IReadOnlyList<Mark> marks = Timeline.Of([Event("died", 10), Event("published", 4), Event("born", 0)]);

        Assert.Equal([0.0, 0.4, 1.0], marks.Select(mark => mark.Place));
        Assert.Equal([Lane.Birth, Lane.Other, Lane.Death], marks.Select(mark => mark.Lane));
        Assert.Empty(Timeline.Of([]));
    }

    [Fact]
    public void The_largest_clusters_have_a_colour_of_their_own()
    {
        // Cluster i has i items, 1 to 25; and one item has none.
        ItemAnswer[] items = [.. Enumerable.Range(1, 25).SelectMany(cluster => Enumerable.Range(0, cluster).Select(i => Item($"{cluster}/{i}", cluster))), new ItemAnswer { Id = "none" }];
        Point[] places = [.. Enumerable.Range(0, items.Length).Select(i => new Point(i, -i))];

        IReadOnlyList<MapGroup> groups = Colours.Group(items, places);

        Assert.Equal(Colours.MostNamed + 2, groups.Count);
        Assert.Equal("cluster 25", groups[0].Name);
        Assert.Equal(1 + 2 + 3 + 4 + 5, groups[^2].Ids.Count);
        Assert.Equal("none", Assert.Single(groups[^1].Ids));
        Assert.Equal(items.Length, groups.Sum(group => group.Ids.Count));
        Assert.All(groups.SelectMany(group => group.Ids.Zip(group.Places)), placed => Assert.Equal(items[(int)placed.Second.X].Id, placed.First));
        Assert.Equal(Colours.MostNamed, groups.Take(Colours.MostNamed).Select(group => group.Colour).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_map_waits_for_the_first_version()
    {
        MapModel map = await new MapReader(_source, "digits").ReadAsync(CancellationToken.None);

        Assert.Equal(0, map.Version);
        Assert.Empty(map.Groups);
    }

    [Fact]
    public async Task A_map_shows_the_last_version_until_the_next_one_has_embedded_half_of_the_items()
    {
        var reader = new MapReader(_source, "digits");
        Publish(1);
        Embedded(1, 1, 1, 1, 1);
        MapModel first = await reader.ReadAsync(CancellationToken.None);

        Publish(2);
        MapModel published = await reader.ReadAsync(CancellationToken.None);
        Embedded(2, 1, 1, 1, 1);
        MapModel begun = await reader.ReadAsync(CancellationToken.None);
        Embedded(2, 2, 2, 1, 1);
        MapModel done = await reader.ReadAsync(CancellationToken.None);

        Assert.Equal((1, 5), (first.Version, first.Items));
        Assert.Same(first, published);
        Assert.Equal((1, 4), (begun.Version, begun.Items));
        Assert.Equal((2, 3), (done.Version, done.Items));

        void Publish(int version) => _source.Versions.Insert(0, new PublishedVersion
        {
            Version = version,
            EncoderVersion = version,
            Model = default!,
            Clusters = [],
        });

        void Embedded(params int[] versions)
        {
            _source.Embeddings.Clear();
            _source.Embeddings.Add(new EmbeddingSlice
            {
                Ids = [.. versions.Select((_, i) => $"{i}")],
                Versions = versions,
                Width = 2,
                Embeddings = MemoryMarshal.AsBytes<Half>([.. versions.SelectMany((version, i) => new[] { (Half)i, (Half)(version * i % 3) })]).ToArray(),
            });
        }
    }

    [Fact]
    public async Task Losses_become_curves_with_their_sum_first()
    {
        var reader = new LearningReader(_source, "digits", _time);
        for (int step = 1; step <= 3; step++)
        {
            DatasetStatus status = FakeSource.Status("digits");
            _source.Datasets["digits"] = status with
            {
                Training = status.Training with
                {
                    Progress = new SeatProgress
                    {
                        Steps = step,
                        ReplayCount = 2_500,
                        Losses = new(StringComparer.Ordinal) { ["moco"] = step, ["total"] = 2 * step },
                    },
                },
            };
            _time.Advance(TimeSpan.FromSeconds(2));
            await reader.ReadAsync(CancellationToken.None);
        }

        _source.Events.AddRange([Event("drift", 3), Event("published", 2), Event("born", 1)]);
        LearningModel model = await reader.ReadAsync(CancellationToken.None);

        Assert.Equal(["total", "moco"], model.Losses.Select(curve => curve.Name));
        Assert.Equal([new Reading(1, 2), new Reading(2, 4), new Reading(3, 6)], model.Losses[0].Readings);
        Assert.Equal(0.5, model.ReplayShare);
        Assert.Equal("drift", Assert.Single(model.Drifts).Kind);
        Assert.Equal("published", Assert.Single(model.Verdicts).Kind);
    }

    [Fact]
    public async Task An_item_tells_its_changes_and_which_versions_left_it_where_it_was()
    {
        DateTimeOffset began = _time.GetUtcNow();
        ItemChange first = new() { Id = "seven", State = ItemState.Assigned, Cluster = 1, ModelVersion = 1, Confidence = 0.5f, StateBefore = ItemState.Pending, Time = began.AddMinutes(-9) };
        ItemChange moved = first with { Cluster = 4, ClusterName = "sevens", ModelVersion = 2, Confidence = 0.9f, StateBefore = ItemState.Assigned, ClusterBefore = 1, Time = began.AddMinutes(-5) };
        var reader = new ItemReader(_source, "digits", "seven", _time);
        _source.Datasets["digits"] = FakeSource.Status("digits");
        _source.Histories["seven"] = new ItemHistory { Id = "seven", Changes = [moved, first], ReachesBack = true };
        _source.Items["seven"] = Item("seven", 4) with { ModelVersion = 2, Confidence = 0.9f, ReceivedAt = DateTimeOffset.UnixEpoch };
        _source.Events.Add(Event("born", 0) with { Cluster = 4, ModelVersion = 2 });
        await reader.ReadAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(5));
        _source.Items["seven"] = Item("seven", 4) with { ModelVersion = 3, Confidence = 0.8f, ReceivedAt = DateTimeOffset.UnixEpoch };

        await reader.ReadAsync(CancellationToken.None);
        int calls = _source.Calls;
        ItemModel item = await reader.ReadAsync(CancellationToken.None);

        Assert.True(item.IsWhole);
        Assert.Equal("Version 3 left it in cluster 4 with 80 % confidence.", item.Past[0].Text);
        string[] changes = [.. item.Past.Where(past => past.Text.StartsWith("Version", StringComparison.Ordinal)).Select(past => past.Text)];
        Assert.Equal(["Version 2 moved it from cluster 1 to sevens with 90 % confidence.", "Version 1 put it into cluster 1 with 50 % confidence."], changes[1..]);
        Assert.Contains(item.Past, past => past.Text.StartsWith("Its cluster: born", StringComparison.Ordinal));
        Assert.Equal("It was stored.", item.Past[^1].Text);
        Assert.Equal("near", Assert.Single(item.Neighbours!.Items).Id);

        // Status, events, the item and its neighbours: its changes are asked for when it has changed.
        Assert.Equal(4, _source.Calls - calls);
    }

    [Fact]
    public async Task An_item_whose_changes_cannot_be_had_is_asked_for_them_again()
    {
        var reader = new ItemReader(_source, "digits", "seven", _time);
        _source.Datasets["digits"] = FakeSource.Status("digits");
        _source.Items["seven"] = Item("seven", 4) with { ModelVersion = 2, Confidence = 0.9f };
        _source.Failure = new ShoalException(ShoalErrorKind.Unavailable, "away");
        await Assert.ThrowsAsync<ShoalException>(() => reader.ReadAsync(CancellationToken.None));
        _source.Failure = null;
        _source.Histories["seven"] = new ItemHistory { Id = "seven", Changes = [] };

        ItemModel item = await reader.ReadAsync(CancellationToken.None);

        Assert.False(item.IsWhole);
        Assert.Equal("Version 2 left it in cluster 4 with 90 % confidence.", Assert.Single(item.Past).Text);
    }

    [Fact]
    public async Task Silos_have_the_shards_and_seats_that_they_run()
    {
        _source.Silos.AddRange([Silo("one"), Silo("two")]);
        _source.Datasets["digits"] = FakeSource.Status("digits");
        _source.Places["digits"] = new DatasetPlaces("digits", ["one", null, "one", "two"], [new SeatPlace("two", [0, 1, 2, 3])]);

        SilosModel model = await new SilosReader(_source).ReadAsync(CancellationToken.None);

        SiloShare first = Assert.Single(model.Silos[0].Datasets);
        SiloShare second = Assert.Single(model.Silos[1].Datasets);
        Assert.Equal([0, 2], first.Shards);
        Assert.Null(first.Seat);
        Assert.Equal([3], second.Shards);
        Assert.Equal(4, second.Seat!.Count);
        Assert.Equal(1, model.Closed["digits"]);
    }

    [Fact]
    public void The_form_says_what_is_wrong_before_it_is_sent()
    {
        Assert.Empty(new DatasetForm { Name = "digits", Height = 28, Width = 28, HasColours = false }.Problems());
        Assert.Empty(new DatasetForm { Name = "birds", Modality = DatasetSettings.Sound, WindowSeconds = 2 }.Problems());
        Assert.Equal(2, new DatasetForm { Name = "Digits", Height = 4 }.Problems().Count);
    }

    [Fact]
    public void Addresses_hold_whatever_an_id_holds()
    {
        Assert.Equal("/watch/a-b/item?id=x%2F..%2F%3Fy%26z", Links.Item("a-b", "x/../?y&z"));
        Assert.Equal("/datasets/a-b/thumbnail/x%2F..%2F%3Fy?size=64", Links.Thumbnail("a-b", "x/../?y", 64));
    }

    private static LineageEvent Event(string kind, int second) => new(DateTimeOffset.UnixEpoch.AddSeconds(second), kind, null, 1, "because");

    private static ItemAnswer Item(string id, long cluster) => new()
    {
        Id = id,
        State = ItemState.Assigned,
        Cluster = cluster,
    };

    private static SiloDescription Silo(string id) => new(id, id, "127.0.0.1:11111", IsActive: true, "Active", DateTimeOffset.UnixEpoch, HasGateway: true);
}
