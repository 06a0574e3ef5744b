using CsCheck;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Client.Tests;

public sealed class ChangeTests(SiloFixture fixture)
{
    [Fact]
    public async Task Pages_tell_of_every_item_and_event_once_and_the_last_cursor_goes_on()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();
        string[] ids = [.. Enumerable.Range(0, 100).Select(i => $"item/{i}")];
        await StoreAsync(name, ids);
        dataset.Names[1] = "ones";

        (List<Change> changes, string cursor) = await ReadAsync(name, null, limit: 10);
        Assert.Equal(ids.Order(StringComparer.Ordinal), changes.Where(c => c.Item is not null).Select(c => c.Item!.Id!).Order(StringComparer.Ordinal));
        Assert.Equal("named", Assert.Single(changes, c => c.Event is not null).Event!.Kind);
        Assert.All(changes.Where(c => c.Item is not null).GroupBy(c => c.Item!.Shard), shard => Assert.Equal(shard.Select(c => c.Item!.Sequence).Order(), shard.Select(c => c.Item!.Sequence)));

        Assert.Empty((await ReadAsync(name, cursor, limit: 10)).Changes);
        await StoreAsync(name, ["late"]);
        Assert.Equal("late", Assert.Single((await ReadAsync(name, cursor, limit: 10)).Changes).Item!.Id);
        Assert.Equal("late", Assert.Single((await ReadAsync(name, cursor, limit: 1_000)).Changes).Item!.Id);
    }

    [Fact]
    public async Task From_the_end_only_what_comes_is_told_and_a_reader_may_wait_for_it()
    {
        (string name, _) = await fixture.DatasetAsync();
        await StoreAsync(name, ["early"]);
        ChangePage end = await fixture.Client.ChangesAsync(name, "end");
        Assert.Empty(end.Changes);

        Task<ChangePage> waiting = fixture.Client.ChangesAsync(name, end.Cursor, wait: TimeSpan.FromSeconds(30));
        await StoreAsync(name, ["late"]);
        Assert.Equal("late", Assert.Single((await waiting).Changes).Item!.Id);

        await foreach (ChangePage page in fixture.Client.FollowChangesAsync(name, end.Cursor))
        {
            Assert.Equal("late", Assert.Single(page.Changes).Item!.Id);
            break;
        }
    }

    [Fact]
    public async Task The_changes_of_one_item_are_told_and_of_none_that_is_not_there()
    {
        (string name, _) = await fixture.DatasetAsync();
        await StoreAsync(name, ["early", "late"]);
        ItemHistory history = await fixture.Client.HistoryAsync(name, "late");
        Assert.Equal(("late", "late", true), (history.Id, Assert.Single(history.Changes).Id, history.ReachesBack));
        Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.HistoryAsync(name, "nobody"))).Kind);
        Assert.Equal(ShoalErrorKind.Invalid, (await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.HistoryAsync(name, "late", limit: 1_001))).Kind);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("not base64!")]
    [InlineData("AQE")]
    [InlineData("AgEAAAAAAQEAAAAAAAEBAA")]
    public async Task A_cursor_of_something_else_is_refused_with_what_to_do(string cursor)
    {
        (string name, _) = await fixture.DatasetAsync();
        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.ChangesAsync(name, cursor));
        Assert.Equal(ShoalErrorKind.Invalid, failure.Kind);
        Assert.Contains("leave it out", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cursor_comes_back_from_its_text_and_a_changed_text_is_refused_or_read_without_failing()
    {
        Gen<FeedPlace> place = Gen.Select(Gen.UInt, Gen.Long[-1, long.MaxValue - 1], Gen.Long[-1, long.MaxValue - 1], Gen.Bool, (generation, number, sweep, behind) => new FeedPlace(generation, number, sweep, behind));
        Gen.Select(Gen.Long[-1, long.MaxValue - 1], place.Array[1, 20], Gen.Int[0, 400], Gen.Char).Sample((events, places, at, other) =>
        {
            string text = new ChangeCursor(events, places).ToString();
            ChangeCursor back = ChangeCursor.Parse(text, places.Length);
            Assert.Equal((events, places.Length), (back.Events, back.Shards.Length));
            Assert.Equal(places, back.Shards);
            try
            {
                ChangeCursor.Parse(text[..(at % text.Length)] + other + text[((at % text.Length) + 1)..], places.Length);
            }
            catch (ShoalException e)
            {
                Assert.Equal(ShoalErrorKind.Invalid, e.Kind);
            }
        });
    }

    private async Task StoreAsync(string dataset, string[] ids) =>
        await fixture.Client.IngestAsync(dataset, ids.Select(id => SiloFixture.Item(id, 1)).ToAsyncEnumerable()).ToListAsync();

    private async Task<(List<Change> Changes, string Cursor)> ReadAsync(string dataset, string? after, int limit)
    {
        var changes = new List<Change>();
        for (ChangePage page; ;)
        {
            page = await fixture.Client.ChangesAsync(dataset, after, limit);
            changes.AddRange(page.Changes);
            after = page.Cursor;
            if (!page.More)
            {
                return (changes, after);
            }
        }
    }
}
