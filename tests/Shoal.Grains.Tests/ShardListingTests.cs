using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Shoal.Contracts;
using Shoal.Grains.Shards;
using Shoal.Storage;
using Shoal.Storage.Tests;

namespace Shoal.Grains.Tests;

/// <summary>A shard's listing, over a real log: each item that stays comes once, whatever happens between two pages.</summary>
public sealed class ShardListingTests
{
    private static readonly ShardSurroundings Merged = new(3, new ClusterDirectory { Names = new() { [1] = "ones" }, Redirects = new() { [4] = 1 } }, []);

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    public async Task What_stays_is_listed_once_whatever_is_ingested_assigned_replaced_or_deleted_between_pages(bool newest, int seed)
    {
        await using Shard shard = await Shard.OpenAsync();
        var random = new Random(seed);
        await shard.StoreAsync(0, 400);
        // Replaced before the listing begins: the old positions are nobody's.
        await shard.ReplaceAsync([3, 77, 399]);
        var (staying, deleted, replaced) = (Enumerable.Range(0, 400).ToHashSet(), new HashSet<int>(), new HashSet<int>());
        var listed = new List<string>();
        ListPlace at = ListPlace.Start;
        for (var pages = 0; !at.IsDone(newest); pages++)
        {
            ShardItems page = await shard.Listing.ReadAsync(new ItemFilter { Newest = newest }, at, random.Next(1, 40), Merged);
            at = page.Next;
            listed.AddRange(page.Items.Select(item => item.Item.Id));
            Assert.DoesNotContain(page.Items, item => deleted.Contains(Number(item.Item.Id)));

            await shard.StoreAsync(400 + (pages * 10), 10);
            shard.Assign(random.Next(400), cluster: random.Next(1, 4));
            var one = random.Next(400);
            if (staying.Contains(one))
            {
                await shard.ReplaceAsync([one, one]);
                replaced.Add(one);
            }

            var doomed = random.Next(400);
            if (staying.Remove(doomed))
            {
                await shard.Items.DeleteAsync([Id(doomed)]);
                deleted.Add(doomed);
            }
        }

        Assert.True(replaced.Count > 5 && deleted.Count > 5, "too little happened to show anything");
        Assert.Equal(listed.Count, listed.Distinct(StringComparer.Ordinal).Count());
        Assert.Empty(staying.Select(Id).Except(listed, StringComparer.Ordinal));
        Assert.All(listed, id => Assert.InRange(Number(id), 0, 399));
    }

    [Fact]
    public async Task Filters_judge_by_what_queries_answer_and_say_where_an_item_was_listed()
    {
        await using Shard shard = await Shard.OpenAsync();
        await shard.StoreAsync(0, 60);
        // By turns pending, cluster 1, cluster 4 (which was merged into 1), cluster 2, outlier, quarantined.
        for (var i = 0; i < 60; i++)
        {
            Assignment? assignment = (i % 6) switch
            {
                1 => Assignments.Assigned(1, i / 60f, 1, 1, DateTimeOffset.UnixEpoch),
                2 => Assignments.Assigned(4, i / 60f, 1, 1, DateTimeOffset.UnixEpoch),
                3 => Assignments.Assigned(2, i / 60f, 1, 1, DateTimeOffset.UnixEpoch),
                4 => Assignments.Outlier(0.1f, 1, 1, DateTimeOffset.UnixEpoch),
                5 => Assignments.Quarantined(0, 1, DateTimeOffset.UnixEpoch),
                _ => null,
            };
            if (assignment is { } made)
            {
                shard.Items.Ledger.Write(i, made);
            }
        }

        Assert.Equal(Numbers(i => i % 6 is 1 or 2), await AllAsync(new ItemFilter { Cluster = 1 }));
        Assert.Equal(Numbers(i => i % 6 is 1 or 2), await AllAsync(new ItemFilter { Cluster = 4 }));
        Assert.Equal(Numbers(i => i % 6 is 3).Reverse(), await AllAsync(new ItemFilter { Cluster = 2, Newest = true }));
        Assert.Equal(Numbers(i => i % 6 is 0), await AllAsync(new ItemFilter { State = ItemState.Pending }));
        Assert.Equal(Numbers(i => i % 6 is 4), await AllAsync(new ItemFilter { State = ItemState.Outlier }));
        Assert.Equal(Numbers(i => i % 6 is 5), await AllAsync(new ItemFilter { State = ItemState.Quarantined }));
        Assert.Equal(Numbers(i => i % 6 is 1 or 2 or 3 && i < 30), await AllAsync(new ItemFilter { ConfidenceBelow = 0.5f }));
        Assert.Empty(await AllAsync(new ItemFilter { Cluster = 1, State = ItemState.Outlier }));

        ShardItems first = await shard.Listing.ReadAsync(new ItemFilter { Cluster = 1 }, ListPlace.Start, 2, Merged);
        Assert.Equal([(1L, "ones", 1L, 3), (2L, "ones", 1L, 3)], first.Items.Select(item => (item.Place, item.Item.ClusterName!, item.Item.Cluster!.Value, item.Item.Shard)));
        Assert.Equal(new ListPlace(3, 60), first.Next);

        async Task<int[]> AllAsync(ItemFilter filter)
        {
            var numbers = new List<int>();
            for (ListPlace at = ListPlace.Start; !at.IsDone(filter.Newest);)
            {
                ShardItems page = await shard.Listing.ReadAsync(filter, at, 7, Merged);
                numbers.AddRange(page.Items.Select(item => Number(item.Item.Id)));
                at = page.Next;
            }

            return [.. numbers];
        }

        static IEnumerable<int> Numbers(Func<int, bool> which) => [.. Enumerable.Range(0, 60).Where(which)];
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_filter_that_matches_nothing_ends_a_call_after_so_many_items(bool newest)
    {
        await using Shard shard = await Shard.OpenAsync();
        await shard.StoreAsync(0, ShardListing.MostScanned + 100);
        var filter = new ItemFilter { State = ItemState.Assigned, Newest = newest };

        ShardItems first = await shard.Listing.ReadAsync(filter, ListPlace.Start, 10, Merged);
        Assert.Empty(first.Items);
        Assert.Equal(new ListPlace(newest ? 100 : ShardListing.MostScanned, ShardListing.MostScanned + 100), first.Next);
        ShardItems second = await shard.Listing.ReadAsync(filter, first.Next, 10, Merged);
        Assert.True(second.Next.IsDone(newest));
    }

    [Fact]
    public async Task Embeddings_are_read_with_the_version_that_made_them_and_without_what_is_gone()
    {
        await using Shard shard = await Shard.OpenAsync();
        await shard.StoreAsync(0, 50);
        shard.Items.Table.UseWidth(3);
        for (var i = 0; i < 50; i += 2)
        {
            shard.Items.Table.WriteEmbeddings(i, [(Half)i, (Half)1, (Half)2]);
            shard.Items.Ledger.Write(i, i % 4 == 0 ? Assignments.Assigned(1, 0.5f, 9, 7, DateTimeOffset.UnixEpoch) : Assignments.Outlier(0.5f, 9, 8, DateTimeOffset.UnixEpoch));
        }

        await shard.Items.DeleteAsync([Id(4), Id(5)]);
        var read = new Dictionary<string, (int Version, Half First)>(StringComparer.Ordinal);
        for ((long at, long end) = (0, 1); at < end;)
        {
            EmbeddingSlice slice = await new ShardEmbeddings(shard.Items).ReadAsync(at, 7);
            Assert.Equal((3, slice.Ids.Length * 6), (slice.Width, slice.Embeddings.Length));
            for (var i = 0; i < slice.Ids.Length; i++)
            {
                read.Add(slice.Ids[i], (slice.Versions[i], BinaryPrimitives.ReadHalfLittleEndian(slice.Embeddings.AsSpan(6 * i))));
            }

            (at, end) = (slice.Next, slice.End);
        }

        Assert.Equal(Enumerable.Range(0, 25).Select(i => 2 * i).Where(i => i != 4).Select(Id), read.Keys.Order(StringComparer.Ordinal));
        Assert.All(read, item => Assert.Equal((Number(item.Key) % 4 == 0 ? 7 : 8, (Half)Number(item.Key)), item.Value));
    }

    [Fact]
    public async Task A_place_that_somebody_made_up_is_one_within_the_shard()
    {
        await using Shard shard = await Shard.OpenAsync();
        await shard.StoreAsync(0, 5);

        Assert.Empty((await shard.Listing.ReadAsync(new ItemFilter(), new ListPlace(long.MaxValue, long.MaxValue), 10, Merged)).Items);
        Assert.Equal(5, (await shard.Listing.ReadAsync(new ItemFilter { Newest = true }, new ListPlace(long.MaxValue, long.MaxValue), 10, Merged)).Items.Length);
    }

    [Fact]
    public void Of_replacements_the_newest_are_known_and_only_those_since_the_end_count()
    {
        var replacements = new Replacements(kept: 3);
        replacements.Add(1, 10);
        replacements.Add(10, 20);

        Assert.Equal(20, replacements.Heir(1, end: 5));
        Assert.Null(replacements.Heir(1, end: 15));
        Assert.Equal(20, replacements.Heir(10, end: 15));
        Assert.Null(replacements.Heir(2, end: 0));
        replacements.Add(2, 21);
        replacements.Add(3, 22);
        Assert.Null(replacements.Heir(1, end: 5));
        Assert.Equal(22, replacements.Heir(3, end: 5));
    }

    private static string Id(int number) => $"item/{number:D6}";

    private static int Number(string id) => int.Parse(id["item/".Length..], null);

    private sealed class Shard(TempFolder folder, FileObjectStore store, ShardStore items) : IAsyncDisposable
    {
        private int _bytes;

        public ShardStore Items => items;

        public ShardListing Listing { get; } = new(items, new ShardReader(items, new IndexPump(new IndexPumpParts("d", items, null!, null!, 1, TimeProvider.System, NullLogger.Instance)), TimeProvider.System));

        public static async Task<Shard> OpenAsync()
        {
            var folder = new TempFolder();
            var store = new FileObjectStore(Path.Combine(folder.Path, "store"));
            return new Shard(folder, store, await ShardStore.OpenAsync(store, "log", Path.Combine(folder.Path, "sidecars"), copies: null, TimeProvider.System, CancellationToken.None));
        }

        public async Task StoreAsync(int first, int count)
        {
            foreach (var part in Enumerable.Range(first, count).Chunk(4_096))
            {
                Assert.All(await items.AppendAsync(Array.ConvertAll(part, number => Item(number, replace: false)), static _ => null), result => Assert.Equal(IngestOutcome.Accepted, result.Outcome));
            }
        }

        public async Task ReplaceAsync(int[] numbers)
        {
            foreach (var number in numbers)
            {
                Assert.Equal(IngestOutcome.Replaced, (await items.AppendAsync([Item(number, replace: true)], static _ => null))[0].Outcome);
            }
        }

        public void Assign(int number, long cluster)
        {
            if (items.TryFind(Id(number), out var sequence))
            {
                items.Ledger.Write(sequence, Assignments.Assigned(cluster, 0.5f, 1, 1, DateTimeOffset.UnixEpoch));
            }
        }

        public async ValueTask DisposeAsync()
        {
            await items.DisposeAsync();
            store.Dispose();
            folder.Dispose();
        }

        private ItemUpload Item(int number, bool replace)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, _bytes++);
            return new ItemUpload { Id = Id(number), MediaType = MediaTypes.AnyImage, Bytes = bytes, Replace = replace };
        }
    }
}
