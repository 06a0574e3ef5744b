using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Client.Tests;

public sealed class IngestTests(SiloFixture fixture)
{
    [Fact]
    public async Task Every_item_gets_one_result_and_lies_in_the_shard_that_its_hash_names()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();
        ItemUpload[] items = [.. Enumerable.Range(0, 1_000).Select(i => SiloFixture.Item($"item/{i}", (byte)i, 1))];

        List<IngestResult> results = await fixture.Client.IngestAsync(name, items.ToAsyncEnumerable()).ToListAsync();

        Assert.All(results, result => Assert.Equal(IngestOutcome.Accepted, result.Outcome));
        Assert.Equal(items.Select(item => item.Id).Order(), results.Select(result => result.Id).Order());
        Assert.All(results, result => Assert.Equal(ItemKey.Of(result.Id).Shard(4), result.Shard));
        Assert.All(dataset.Items.Values, item => Assert.Equal(ItemKey.Of(item.Upload.Id).Shard(4), item.Shard));
    }

    [Fact]
    public async Task Batches_hold_at_most_the_items_asked_for()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync(shards: 1);
        var options = new IngestOptions { BatchItems = 10 };

        await fixture.Client.IngestAsync(name, Numbered(25), options).ToListAsync();

        Assert.Equal([5, 10, 10], dataset.Batches.Select(batch => batch.Items).Order());
    }

    [Fact]
    public async Task A_batch_is_sent_when_its_bytes_reach_the_limit()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync(shards: 1);
        var options = new IngestOptions { BatchBytes = 1_024 };
        IAsyncEnumerable<ItemUpload> items = Enumerable.Range(0, 4).Select(i => SiloFixture.Item($"{i}", new byte[600])).ToAsyncEnumerable();

        await fixture.Client.IngestAsync(name, items, options).ToListAsync();

        Assert.Equal([2, 2], dataset.Batches.Select(batch => batch.Items));
    }

    [Fact]
    public async Task No_more_batches_are_in_flight_than_asked_for()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync(shards: 8);

        await fixture.Client.IngestAsync(name, Numbered(400), new IngestOptions { BatchItems = 5, InFlight = 2 }).ToListAsync();

        Assert.InRange(dataset.MostInFlight, 1, 2);
    }

    [Fact]
    public async Task Transient_failures_are_repeated_until_the_batch_is_stored()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync(shards: 1);
        dataset.AppendFailures.Enqueue(new ShoalException(ShoalErrorKind.Overloaded, "The queue is full."));
        dataset.AppendFailures.Enqueue(new TimeoutException("late"));
        dataset.AppendFailures.Enqueue(new SiloUnavailableException("gone"));

        List<IngestResult> results = await fixture.Client.IngestAsync(name, Numbered(3)).ToListAsync();

        Assert.All(results, result => Assert.True(result.IsStored));
    }

    [Fact]
    public async Task A_failure_that_outlasts_the_retries_ends_the_ingest_with_its_kind()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync(shards: 1);
        for (int i = 0; i < 10; i++)
        {
            dataset.AppendFailures.Enqueue(new ShoalException(ShoalErrorKind.Overloaded, "The queue is full."));
        }

        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(async () => await fixture.Client.IngestAsync(name, Numbered(3)).ToListAsync());

        Assert.Equal(ShoalErrorKind.Overloaded, failure.Kind);
        Assert.True(failure.IsTransient);
        Assert.Equal(6, dataset.AppendFailures.Count);
    }

    [Fact]
    public async Task A_failure_that_does_not_pass_is_not_repeated()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync(shards: 1);
        dataset.AppendFailures.Enqueue(new ShoalException(ShoalErrorKind.Invalid, "No."));
        dataset.AppendFailures.Enqueue(new ShoalException(ShoalErrorKind.Invalid, "Still no."));

        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(async () => await fixture.Client.IngestAsync(name, Numbered(1)).ToListAsync());

        Assert.Equal("No.", failure.Message);
        Assert.Single(dataset.AppendFailures);
    }

    [Fact]
    public async Task Sending_the_same_again_stores_nothing_and_other_bytes_are_a_conflict()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a", 1));

        IngestResult again = await fixture.Client.PutAsync(name, SiloFixture.Item("a", 1));
        IngestResult other = await fixture.Client.PutAsync(name, SiloFixture.Item("a", 2));
        IngestResult replaced = await fixture.Client.PutAsync(name, SiloFixture.Item("a", 2) with { Replace = true });

        Assert.Equal([IngestOutcome.AlreadyKnown, IngestOutcome.Conflict, IngestOutcome.Replaced], [again.Outcome, other.Outcome, replaced.Outcome]);
    }

    [Fact]
    public async Task Items_that_break_a_rule_are_rejected_here_with_a_reason()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync(maxItemBytes: 3);
        ItemUpload[] items =
        [
            SiloFixture.Item("", 1),
            SiloFixture.Item("tab\t", 1),
            SiloFixture.Item(new string('x', 513), 1),
            SiloFixture.Item("empty"),
            SiloFixture.Item("large", 1, 2, 3, 4),
            SiloFixture.Item("header", 1) with { MediaType = "image/png\r\nX: 1" },
            SiloFixture.Item("good", 1),
        ];

        List<IngestResult> results = await fixture.Client.IngestAsync(name, items.ToAsyncEnumerable()).ToListAsync();

        Assert.Equal("good", Assert.Single(results, result => result.IsStored).Id);
        Assert.Equal(6, results.Count(result => result is { Outcome: IngestOutcome.Rejected, Sequence: -1, Reason.Length: > 0 }));
        Assert.Single(dataset.Items);
    }

    [Fact]
    public async Task A_source_that_pauses_does_not_hold_back_what_came_before()
    {
        (string name, _) = await fixture.DatasetAsync();
        var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await using IAsyncEnumerator<IngestResult> results = fixture.Client.IngestAsync(name, PausingAsync()).GetAsyncEnumerator();
        Assert.True(await results.MoveNextAsync());
        Assert.Equal("first", results.Current.Id);
        more.SetResult();
        Assert.True(await results.MoveNextAsync());
        Assert.Equal("second", results.Current.Id);
        Assert.False(await results.MoveNextAsync());

        async IAsyncEnumerable<ItemUpload> PausingAsync()
        {
            yield return SiloFixture.Item("first", 1);
            await more.Task;
            yield return SiloFixture.Item("second", 1);
        }
    }

    [Fact]
    public async Task A_reader_that_leaves_early_ends_the_source()
    {
        (string name, _) = await fixture.DatasetAsync();
        bool ended = false;

        await foreach (IngestResult _ in fixture.Client.IngestAsync(name, EndlessAsync(), new IngestOptions { BatchItems = 4 }))
        {
            break;
        }

        Assert.True(ended);

        async IAsyncEnumerable<ItemUpload> EndlessAsync()
        {
            try
            {
                for (int i = 0; ; i++)
                {
                    yield return SiloFixture.Item($"{i}", 1);
                    await Task.Yield();
                }
            }
            finally
            {
                ended = true;
            }
        }
    }

    [Fact]
    public async Task What_a_source_throws_reaches_the_caller()
    {
        (string name, _) = await fixture.DatasetAsync();

        await Assert.ThrowsAsync<FormatException>(async () => await fixture.Client.IngestAsync(name, BrokenAsync()).ToListAsync());

        static async IAsyncEnumerable<ItemUpload> BrokenAsync()
        {
            await Task.Yield();
            yield return SiloFixture.Item("one", 1);
            throw new FormatException("broken");
        }
    }

    [Fact]
    public void Options_out_of_range_are_named_all_at_once()
    {
        ShoalException failure = Assert.Throws<ShoalException>(() => new IngestOptions { BatchItems = 0, InFlight = 65 }.Validate());

        Assert.Equal("BatchItems is 0; must be 1 to 4,096. InFlight is 65; must be 1 to 64.", failure.Message);
    }

    private static IAsyncEnumerable<ItemUpload> Numbered(int count) =>
        Enumerable.Range(0, count).Select(i => SiloFixture.Item($"item/{i}", (byte)i, 1)).ToAsyncEnumerable();
}
