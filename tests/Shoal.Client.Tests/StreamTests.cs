using Orleans.Streams;
using Shoal.Client.Tests.Snippets;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Client.Tests;

public sealed class StreamTests(SiloFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_is_produced_is_stored_when_the_call_returns_and_what_is_refused_is_named()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();
        await StreamSnippets.ProduceAsync(fixture.Silo.Client, name, [SiloFixture.Item("a", 1), SiloFixture.Item("b", 2)]);
        Assert.Equal(["a", "b"], dataset.Items.Keys.Order(StringComparer.Ordinal));

        await Stream(name).OnNextAsync(SiloFixture.Item("a", 1));
        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(() => Stream(name).OnNextBatchAsync([SiloFixture.Item("c", 1), SiloFixture.Item("a", 9), SiloFixture.Item("empty")]));
        Assert.Equal(ShoalErrorKind.Invalid, failure.Kind);
        Assert.Contains("2 items were not stored, the others are", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'empty'", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ShoalErrorKind.Conflict, (await Assert.ThrowsAsync<ShoalException>(() => Stream(name).OnNextAsync(SiloFixture.Item("a", 9)))).Kind);
        Assert.Equal(3, dataset.Items.Count);
        Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => Stream("no-such").OnNextAsync(SiloFixture.Item("a", 1)))).Kind);
    }

    [Fact]
    public async Task A_subscriber_begins_where_it_wants_and_goes_on_from_a_token()
    {
        (string name, _) = await fixture.DatasetAsync();
        await Stream(name).OnNextBatchAsync(Items(0, 300));
        var all = new Observer();
        var late = new Observer();
        StreamSubscriptionHandle<ItemUpload> first = await Stream(name).SubscribeAsync((IAsyncObserver<ItemUpload>)all, LogToken.Beginning);
        StreamSubscriptionHandle<ItemUpload> second = await Stream(name).SubscribeAsync((IAsyncBatchObserver<ItemUpload>)late);
        Assert.Equal(2, (await Stream(name).GetAllSubscriptionHandles()).Count);
        await all.UntilAsync(300);
        await Stream(name).OnNextBatchAsync(Items(300, 400));
        await all.UntilAsync(400);
        await late.UntilAsync(100);
        Assert.Equal(Items(0, 400).Select(i => i.Id).Order(StringComparer.Ordinal), all.Seen.Select(s => s.Id).Order(StringComparer.Ordinal));
        Assert.Equal(Items(300, 400).Select(i => i.Id).Order(StringComparer.Ordinal), late.Seen.Select(s => s.Id).Order(StringComparer.Ordinal));
        Assert.Equal(all.Seen.Select(s => s.Token.SequenceNumber).Order(), all.Seen.Select(s => s.Token.SequenceNumber));

        // From the token of the item seen 100 before the end: that one again, and what came after it.
        var again = new Observer();
        (string id, LogToken token) = all.Seen[299];
        StreamSubscriptionHandle<ItemUpload> third = await first.ResumeAsync((IAsyncObserver<ItemUpload>)again, token);
        await again.UntilAsync(101);
        Assert.Contains(id, again.Seen.Select(s => s.Id));
        Assert.Equal(all.Seen.Skip(299).Select(s => s.Id).Order(StringComparer.Ordinal), again.Seen.Select(s => s.Id).Order(StringComparer.Ordinal));
        await third.UnsubscribeAsync();
        await second.UnsubscribeAsync();
        Assert.Empty(await Stream(name).GetAllSubscriptionHandles());
    }

    [Fact]
    public async Task Who_unsubscribes_while_a_shard_is_read_is_not_told_of_the_call_that_breaks_off()
    {
        (string name, _) = await fixture.DatasetAsync();
        for (var i = 0; i < 50; i++)
        {
            StreamSubscriptionHandle<ItemUpload> handle = await Stream(name).SubscribeAsync((IAsyncObserver<ItemUpload>)new Observer(), LogToken.Beginning);
            await handle.UnsubscribeAsync();
        }

        Assert.Empty(await Stream(name).GetAllSubscriptionHandles());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_observer_that_throws_is_told_and_gets_the_same_items_again(bool batches)
    {
        (string name, _) = await fixture.DatasetAsync();
        await Stream(name).OnNextBatchAsync(Items(0, 50));
        var observer = new Observer { Failures = 2 };
        StreamSubscriptionHandle<ItemUpload> handle = batches
            ? await Stream(name).SubscribeAsync((IAsyncBatchObserver<ItemUpload>)observer, LogToken.Beginning)
            : await Stream(name).SubscribeAsync((IAsyncObserver<ItemUpload>)observer, LogToken.Beginning);
        await observer.UntilAsync(50);
        Assert.Equal((2, 50), (observer.Errors, observer.Seen.Select(s => s.Id).Distinct(StringComparer.Ordinal).Count()));
        Assert.Equal(50, observer.Seen.Count);
        await handle.UnsubscribeAsync();
    }

    [Fact]
    public async Task A_grain_subscribes_when_it_is_activated_and_its_subscription_ends_with_it()
    {
        (string name, _) = await fixture.DatasetAsync();
        await Stream(name).OnNextBatchAsync(Items(0, 20));
        var grain = fixture.Silo.Client.GetGrain<StreamSnippets.IWatcherGrain>(name);
        await CountAsync(20);
        await Stream(name).OnNextBatchAsync(Items(20, 30));
        await CountAsync(30);

        await fixture.Silo.Client.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
        await Stream(name).OnNextBatchAsync(Items(30, 40));

        // A new activation goes on from the place that was kept: the item seen last comes again.
        await CountAsync(11);

        async Task CountAsync(int wanted)
        {
            using var patience = new CancellationTokenSource(Patience);
            int seen = -1;
            while (seen != wanted)
            {
                Assert.False(patience.IsCancellationRequested, $"waiting for the grain to see {wanted} items; it saw {seen}");
                await Task.Delay(50);
                seen = await grain.CountAsync();
            }
        }
    }

    [Fact]
    public void Streams_and_tokens_of_something_else_are_refused()
    {
        IStreamProvider provider = fixture.Silo.Client.GetStreamProvider(StreamNames.Log);
        Assert.True(provider.IsRewindable);
        Assert.Contains("'shoal.items'", Assert.Throws<ArgumentException>(() => provider.GetStream<ItemUpload>("other", "a")).Message, StringComparison.Ordinal);
        Assert.Contains("not String", Assert.Throws<ArgumentException>(() => provider.GetStream<string>(StreamNames.Items, "a")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LogToken(1, -1));
        Assert.Equal(new LogToken(1, 2), new LogToken(1, 2));
        Assert.True(new LogToken(1, 2).CompareTo(new LogToken(1, 1)) > 0);
        Assert.Throws<NotSupportedException>(() => { _ = provider.GetStream<ItemUpload>(StreamNames.Items, "a").OnCompletedAsync(); });
    }

    private IAsyncStream<ItemUpload> Stream(string dataset) => fixture.Silo.Client.GetStreamProvider(StreamNames.Log).GetStream<ItemUpload>(StreamNames.Items, dataset);

    private static ItemUpload[] Items(int from, int to) => [.. Enumerable.Range(from, to - from).Select(i => SiloFixture.Item($"item/{i}", 1))];

    private sealed class Observer : IAsyncObserver<ItemUpload>, IAsyncBatchObserver<ItemUpload>
    {
        public List<(string Id, LogToken Token)> Seen { get; } = [];

        public int Failures { get; set; }

        public int Errors { get; private set; }

        public Task OnNextAsync(ItemUpload item, StreamSequenceToken? token = null)
        {
            if (Failures-- > 0)
            {
                throw new InvalidOperationException("as asked for");
            }

            lock (Seen)
            {
                Seen.Add((item.Id, (LogToken)token!));
            }

            return Task.CompletedTask;
        }

        public async Task OnNextAsync(IList<SequentialItem<ItemUpload>> items)
        {
            foreach (SequentialItem<ItemUpload> item in items)
            {
                await OnNextAsync(item.Item, item.Token);
            }
        }

        public Task OnErrorAsync(Exception ex)
        {
            Errors++;
            return Task.CompletedTask;
        }

        Task IAsyncObserver<ItemUpload>.OnCompletedAsync() => Task.CompletedTask;

        Task IAsyncBatchObserver<ItemUpload>.OnCompletedAsync() => Task.CompletedTask;

        public async Task UntilAsync(int count)
        {
            using var patience = new CancellationTokenSource(Patience);
            while (true)
            {
                lock (Seen)
                {
                    if (Seen.Count >= count)
                    {
                        return;
                    }

                    Assert.False(patience.IsCancellationRequested, $"waiting for {count} items; there are {Seen.Count}");
                }

                await Task.Delay(20);
            }
        }
    }
}
