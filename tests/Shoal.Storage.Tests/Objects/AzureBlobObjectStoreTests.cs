using System.Net.Sockets;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Shoal.Storage.Tests;

public sealed class AzureBlobObjectStoreTests(Azurite azurite) : ObjectStoreConformance
{
    protected override async Task<IObjectStore> CreateAsync() => new AzureBlobObjectStore(await azurite.ContainerAsync());

    [Fact]
    public async Task A_cut_that_would_remove_bytes_is_refused()
    {
        await Store.AppendAsync("log/1", 0, new byte[3]);
        await Assert.ThrowsAsync<NotSupportedException>(() => Store.CutAsync("log/1", 3, 2));
    }

    [Fact]
    public async Task Appends_are_counted()
    {
        await Store.AppendAsync("log/1", 0, new byte[3]);
        await Store.AppendAsync("log/1", 3, new byte[3]);
        Assert.Equal(2, (await Store.StatAsync("log/1"))!.Appends);
    }

    [Fact]
    public async Task A_repeated_append_of_the_same_bytes_is_taken_for_our_own_retry()
    {
        await Store.AppendAsync("log/1", 0, new byte[] { 1, 2, 3 });
        Assert.Equal(3, await Store.AppendAsync("log/1", 0, new byte[] { 1, 2, 3 }));
        Assert.Equal(3, (await Store.StatAsync("log/1"))!.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_the_answer_to_an_append_is_lost_the_retry_of_the_client_library_does_not_look_like_a_conflict(bool everyAnswer)
    {
        LosingAnswers network = new();
        AzureBlobObjectStore store = new(await azurite.ContainerAsync(network));
        await store.AppendAsync("log/1", 0, new byte[] { 1, 2, 3 });
        network.Lose = everyAnswer ? int.MaxValue : 1;
        Assert.Equal(5, await store.AppendAsync("log/1", 3, new byte[] { 4, 5 }));
        Assert.Equal(everyAnswer ? 3 : 1, network.Lost);
        network.Lose = 0;
        Assert.Equal(5, (await store.StatAsync("log/1"))!.Length);
    }

    [Fact]
    public async Task A_swap_whose_answer_is_lost_succeeds_all_the_same()
    {
        LosingAnswers network = new();
        AzureBlobObjectStore store = new(await azurite.ContainerAsync(network));
        string tag = await store.PutAsync("manifest", new byte[] { 1 }, PutCondition.IfAbsent);
        network.Lose = 1;
        string swapped = await store.PutAsync("manifest", new byte[] { 2 }, PutCondition.IfMatch(tag));
        Assert.Equal(1, network.Lost);
        Assert.Equal(swapped, (await store.GetAsync("manifest"))!.ETag);
    }

    [Fact]
    public async Task A_service_that_does_not_answer_is_transient_and_leaves_the_outcome_unknown()
    {
        AzureBlobObjectStore store = new(await azurite.ContainerAsync(new LosingAnswers { Lose = int.MaxValue, LoseReads = true }));
        StorageUnavailableException e =
            await Assert.ThrowsAsync<StorageUnavailableException>(() => store.AppendAsync("log/1", 0, new byte[1]));
        Assert.True(e.IsTransient && e.OutcomeUnknown);
    }

    public static TheoryData<string, Func<IObjectStore, Task>, bool> Calls => new()
    {
        { "get", store => store.GetAsync("a"), false },
        { "put", store => store.PutAsync("a", new byte[1], PutCondition.Always), true },
        { "append", store => store.AppendAsync("log/1", 0, new byte[1]), true },
        { "cut", store => store.CutAsync("log/1", 0, 0), false },
        { "read", store => store.ReadAsync("a", 0, new byte[1]), false },
        { "stat", store => store.StatAsync("a"), false },
        { "list", async store => await store.ListAsync(string.Empty).GetAsyncEnumerator().MoveNextAsync(), false },
        { "delete", store => store.DeleteAsync("a"), true },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_connection_that_breaks_while_it_is_made_is_transient_whatever_was_asked(string what, Func<IObjectStore, Task> call, bool outcomeUnknown)
    {
        LosingAnswers network = new() { Lose = int.MaxValue, LoseReads = true, Failure = () => new SocketException((int)SocketError.NotConnected) };
        AzureBlobObjectStore store = new(await azurite.ContainerAsync(network));
        StorageUnavailableException e = await Assert.ThrowsAsync<StorageUnavailableException>(() => call(store));
        Assert.True(e.IsTransient, what);
        Assert.Equal(outcomeUnknown, e.OutcomeUnknown);
    }

    /// <summary>Lets writes reach the service and loses the answers.</summary>
    private sealed class LosingAnswers : HttpPipelinePolicy
    {
        public int Lose { get; set; }

        public bool LoseReads { get; set; }

        public int Lost { get; private set; }

        public Func<Exception> Failure { get; init; } = () => new IOException("The connection broke before the answer.");

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();

        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            await ProcessNextAsync(message, pipeline);
            bool isContainer = message.Request.Uri.Query.Contains("restype=container", StringComparison.Ordinal)
                && !message.Request.Uri.Query.Contains("comp=list", StringComparison.Ordinal);
            if (Lost < Lose && !isContainer && (LoseReads || message.Request.Method == RequestMethod.Put))
            {
                Lost++;
                throw Failure();
            }
        }
    }
}
