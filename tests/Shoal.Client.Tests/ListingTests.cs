using CsCheck;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Client.Tests;

/// <summary>Pages over all shards, merged by time.</summary>
public sealed class ListingTests(SiloFixture fixture)
{
    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 7)]
    [InlineData(false, 1)]
    [InlineData(false, 1_000)]
    public async Task Pages_together_are_all_items_in_the_order_of_time(bool newest, int limit)
    {
        (string name, _) = await fixture.DatasetAsync(shards: 5);
        string[] ids = [.. Enumerable.Range(0, 120).Select(i => $"item/{i}")];
        await StoreAsync(name, ids);

        Assert.Equal(newest ? ids.Reverse() : ids, await ReadAsync(name, new ItemFilter { Newest = newest }, limit));
    }

    [Fact]
    public async Task What_comes_or_goes_between_pages_moves_nothing_else()
    {
        (string name, _) = await fixture.DatasetAsync();
        string[] ids = [.. Enumerable.Range(0, 60).Select(i => $"item/{i}")];
        await StoreAsync(name, ids);
        ItemPage first = await fixture.Client.ListItemsAsync(name, new ItemFilter { Newest = true }, limit: 20);
        await StoreAsync(name, [.. Enumerable.Range(0, 20).Select(i => $"late/{i}")]);

        var listed = first.Items.Select(item => item.Id).Concat(await ReadAsync(name, new ItemFilter { Newest = true }, 20, first.Cursor)).ToArray();
        Assert.Equal(ids.Reverse(), listed);
        // The control: a reader that begins anew at each page meets late items.
        Assert.StartsWith("late/", (await fixture.Client.ListItemsAsync(name, new ItemFilter { Newest = true }, limit: 20)).Items[0].Id, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_little_matches_pages_end_early_with_a_cursor_and_find_it_in_the_end()
    {
        (string name, _) = await fixture.DatasetAsync();
        string[] ids = [.. Enumerable.Range(0, 100).Select(i => $"item/{i}")];
        await StoreAsync(name, ids);
        await fixture.Client.PutAsync(name, SiloFixture.Item("rare", 255));

        ItemPage first = await fixture.Client.ListItemsAsync(name, new ItemFilter { State = ItemState.Pending });
        Assert.Empty(first.Items);
        Assert.NotNull(first.Cursor);
        Assert.Equal(["rare"], await ReadAsync(name, new ItemFilter { State = ItemState.Pending }, 100, first.Cursor));
        Assert.Equal(["rare"], await fixture.Client.AllItemsAsync(name, new ItemFilter { State = ItemState.Pending }).Select(item => item.Id).ToArrayAsync());
    }

    [Fact]
    public async Task A_damaged_shard_is_named_and_the_others_are_listed()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();
        await StoreAsync(name, [.. Enumerable.Range(0, 40).Select(i => $"item/{i}")]);
        dataset.Damaged.Add(2);

        ItemPage page = await fixture.Client.ListItemsAsync(name, new ItemFilter(), limit: 5);
        Assert.Equal([2], page.Damaged);
        Assert.Equal(dataset.Items.Values.Count(item => item.Shard != 2), (await ReadAsync(name, new ItemFilter(), 5)).Length);
        Assert.Equal(ShoalErrorKind.Damaged, (await Assert.ThrowsAsync<ShoalException>(async () => await fixture.Client.AllItemsAsync(name, new ItemFilter()).CountAsync())).Kind);
    }

    [Fact]
    public async Task A_cursor_of_another_order_or_of_something_else_is_refused()
    {
        (string name, _) = await fixture.DatasetAsync();
        await StoreAsync(name, ["a", "b"]);
        string cursor = (await fixture.Client.ListItemsAsync(name, new ItemFilter(), limit: 1)).Cursor!;
        string changes = (await fixture.Client.ChangesAsync(name, null)).Cursor;
        foreach ((string text, bool newest) in new[] { (cursor, true), (changes, false), ("x", false), ("not base64!", false) })
        {
            ShoalException failure = await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.ListItemsAsync(name, new ItemFilter { Newest = newest }, text));
            Assert.Equal(ShoalErrorKind.Invalid, failure.Kind);
        }
    }

    [Fact]
    public void A_cursor_comes_back_from_its_text_and_a_changed_text_is_refused_or_read_without_failing()
    {
        Gen<ListPlace> place = Gen.Select(Gen.Long[-1, long.MaxValue - 1], Gen.Long[-1, long.MaxValue - 1], (next, end) => new ListPlace(next, end));
        Gen.Select(Gen.Bool, place.Array[1, 20], Gen.Int[0, 400], Gen.Char).Sample((newest, places, at, other) =>
        {
            string text = new ListCursor(newest, places).ToString();
            Assert.Equal(places, ListCursor.Parse(text, newest, places.Length).Shards);
            try
            {
                ListCursor.Parse(text[..(at % text.Length)] + other + text[((at % text.Length) + 1)..], newest, places.Length);
            }
            catch (ShoalException e)
            {
                Assert.Equal(ShoalErrorKind.Invalid, e.Kind);
            }
        });
    }

    // One after the other: the fake's time goes on with each.
    private async Task StoreAsync(string dataset, string[] ids)
    {
        foreach (string id in ids)
        {
            await fixture.Client.PutAsync(dataset, SiloFixture.Item(id, 1));
        }
    }

    private async Task<string[]> ReadAsync(string dataset, ItemFilter filter, int limit, string? cursor = null)
    {
        var ids = new List<string>();
        do
        {
            ItemPage page = await fixture.Client.ListItemsAsync(dataset, filter, cursor, limit);
            Assert.InRange(page.Items.Count, 0, limit);
            ids.AddRange(page.Items.Select(item => item.Id));
            cursor = page.Cursor;
        }
        while (cursor is not null);

        return [.. ids];
    }
}
