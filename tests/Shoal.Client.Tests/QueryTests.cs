using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Client.Tests;

public sealed class QueryTests(SiloFixture fixture)
{
    [Fact]
    public async Task An_item_never_seen_is_unknown_and_an_unknown_dataset_is_not_found()
    {
        (string name, _) = await fixture.DatasetAsync();

        Assert.Equal(ItemState.Unknown, (await fixture.Client.GetAsync(name, "nobody")).State);
        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.GetAsync("no-such", "nobody"));
        Assert.Equal(ShoalErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task The_hot_path_repeats_a_transient_failure()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a", 1));
        dataset.QueryFailures.Enqueue(new ShoalException(ShoalErrorKind.Unavailable, "moving"));

        Assert.Equal(ItemState.Assigned, (await fixture.Client.GetAsync(name, "a")).State);
    }

    [Fact]
    public async Task What_a_stopping_silo_breaks_off_is_repeated_and_what_the_caller_gives_up_is_not()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a", 1));
        using var caller = new CancellationTokenSource();
        for (int i = 0; i < 2; i++)
        {
            dataset.QueryFailures.Enqueue(new OperationCanceledException("stopping"));
            Assert.Equal(ItemState.Assigned, (await fixture.Client.GetAsync(name, "a", i == 0 ? CancellationToken.None : caller.Token)).State);
        }

        for (int i = 0; i <= SiloFixture.Quick.Retries; i++)
        {
            dataset.QueryFailures.Enqueue(new OperationCanceledException("stopping"));
        }

        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.GetAsync(name, "a", caller.Token));
        Assert.Equal(ShoalErrorKind.Unavailable, failure.Kind);

        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Client.GetAsync(name, "a", caller.Token));
    }

    [Fact]
    public async Task Many_answers_come_in_the_order_asked_for()
    {
        (string name, _) = await fixture.DatasetAsync();
        string[] ids = [.. Enumerable.Range(0, 700).Select(i => $"item/{i}")];
        await fixture.Client.IngestAsync(name, ids.Where((_, i) => i % 2 == 0).Select(id => SiloFixture.Item(id, 1)).ToAsyncEnumerable()).ToListAsync();

        ItemAnswer[] answers = await fixture.Client.GetManyAsync(name, ids);

        Assert.Equal(ids, answers.Select(answer => answer.Id));
        Assert.All(answers.Index(), answer => Assert.Equal(answer.Index % 2 == 0 ? ItemState.Assigned : ItemState.Unknown, answer.Item.State));
    }

    [Fact]
    public async Task Content_comes_back_as_it_was_sent()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a", 1, 2, 3));

        Assert.Equal([1, 2, 3], (await fixture.Client.GetContentAsync(name, "a"))!.Bytes);
        Assert.Null(await fixture.Client.GetContentAsync(name, "b"));
    }

    [Fact]
    public async Task Similar_items_of_all_shards_are_merged_without_the_item_itself()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.IngestAsync(name, Enumerable.Range(0, 100).Select(i => SiloFixture.Item($"{i:D3}", (byte)i)).ToAsyncEnumerable()).ToListAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("pending", 255));

        SimilarAnswer answer = await fixture.Client.SimilarAsync(name, "050", 4);

        Assert.Equal(["049", "051", "048", "052"], answer.Items.Select(item => item.Id));
        Assert.Equal(7, answer.ModelVersion);
        Assert.Equal(100 / 101.0, answer.Coverage, 6);
        Assert.Empty((await fixture.Client.SimilarAsync(name, "pending")).Items);
        await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.SimilarAsync(name, "nobody"));
    }

    [Fact]
    public async Task Clusters_are_named_and_names_are_checked()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a", 0));

        await fixture.Client.NameClusterAsync(name, 1, "zeros");

        Assert.Equal("zeros", Assert.Single(await fixture.Client.ClustersAsync(name)).Name);
        Assert.Equal("zeros", (await fixture.Client.GetAsync(name, "a")).ClusterName);
        Assert.Single(await fixture.Client.EventsAsync(name));
        Assert.Equal(ShoalErrorKind.Conflict, (await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.NameClusterAsync(name, 2, "zeros"))).Kind);
        Assert.Equal(ShoalErrorKind.Invalid, (await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.NameClusterAsync(name, 1, new string('x', 101)))).Kind);
    }

    [Fact]
    public async Task Classification_keeps_the_order_over_several_chunks_and_answers_bad_items()
    {
        (string name, _) = await fixture.DatasetAsync();
        IEnumerable<ItemUpload> items = Enumerable.Range(0, 600).Select(i => i == 300 ? SiloFixture.Item($"{i}") : SiloFixture.Item($"{i}", (byte)(i % 3)));

        List<ClassifiedItem> answers = await fixture.Client.ClassifyAsync(name, items.ToAsyncEnumerable(), withEmbeddings: true).ToListAsync();

        Assert.Equal(Enumerable.Range(0, 600).Select(i => $"{i}"), answers.Select(answer => answer.Id));
        Assert.Equal(ItemState.Quarantined, answers[300].Answer.State);
        Assert.All(answers.Where((_, i) => i != 300), answer => Assert.NotNull(answer.Answer.Embedding));
    }

    [Fact]
    public async Task A_dataset_is_created_once_listed_paused_and_deleted()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();

        Assert.False(await fixture.Client.CreateDatasetAsync(name, dataset.Settings));
        Assert.Contains(name, await fixture.Client.ListDatasetsAsync());
        await fixture.Client.PauseAsync(name);
        Assert.Equal("paused", (await fixture.Client.StatusAsync(name)).Training.Activity);
        await fixture.Client.ResumeAsync(name);
        Assert.False(dataset.Settings.Paused);
        await fixture.Client.DeleteDatasetAsync(name);
        await Assert.ThrowsAsync<ShoalException>(() => fixture.Client.StatusAsync(name));
    }

    [Fact]
    public async Task Connecting_where_no_silo_is_says_how_to_start_one()
    {
        // Port 1 is reserved and closed everywhere.
        var options = new ShoalClientOptions { Gateways = ["127.0.0.1:1"], ConnectTimeout = TimeSpan.Zero };

        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(() => ShoalClient.ConnectAsync(options));

        Assert.Equal(ShoalErrorKind.Unavailable, failure.Kind);
        Assert.Contains("./shoal serve", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gateway_that_is_none_is_named()
    {
        ShoalException failure = Assert.Throws<ShoalException>(() => new ShoalClientOptions { Gateways = ["nowhere"] }.Validate());

        Assert.Equal("Gateway 'nowhere' is not host:port.", failure.Message);
    }
}
