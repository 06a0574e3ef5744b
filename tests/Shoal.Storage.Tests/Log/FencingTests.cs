namespace Shoal.Storage.Tests;

/// <summary>A writer that was paused cannot acknowledge anything that its successor does not have; a store without compare-and-append must fail this.</summary>
public abstract class FencingTests : IAsyncLifetime
{
    private const string Prefix = "datasets/digits/shards/0003/log";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();

    private IObjectStore Store { get; set; } = null!;

    protected TempFolder Folder => _folder;

    public async ValueTask InitializeAsync() => Store = await CreateAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    protected abstract Task<IObjectStore> CreateAsync();

    [Fact]
    public async Task A_writer_paused_before_its_append_acknowledges_nothing_after_the_second_opener() =>
        Assert.Null(await ViolationAsync(Store, pauseBefore: true));

    [Fact]
    public async Task A_writer_paused_between_append_and_acknowledgement_acknowledges_only_what_the_second_opener_has() =>
        Assert.Null(await ViolationAsync(Store, pauseBefore: false));

    [Fact]
    public async Task The_test_reports_a_store_that_ignores_the_expected_length()
    {
        string? violation = await ViolationAsync(new CarelessStore(Store), pauseBefore: true);
        Assert.Contains("acknowledged 'late'", violation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_openers_at_once_only_the_one_with_the_highest_epoch_can_write()
    {
        Opened[] openers = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => OpenAsync(Store, $"index-{i}")));
        Assert.Equal([1L, 2, 3, 4], openers.Select(o => o.Log.Epoch).Order());
        foreach (Opened opener in openers)
        {
            Exception? refused = await Record.ExceptionAsync(() => opener.Log.AppendAsync([Entries.Of("x")]));
            Assert.True(opener.Log.Epoch == 4 ? refused is null : refused is LogFencedException, $"Epoch {opener.Log.Epoch}: {refused}");
            await opener.DisposeAsync();
        }
    }

    /// <summary>
    /// The body: A is paused around its append while B opens and writes; then A goes on. Returns what went wrong: an acknowledged item
    /// that a third opener does not find as it was acknowledged, or an acknowledgement by A that B knows nothing of.
    /// </summary>
    private async Task<string?> ViolationAsync(IObjectStore store, bool pauseBefore)
    {
        HookedStore hooked = new(store);
        await using Opened a = await OpenAsync(hooked, "index-a");
        await a.Log.AppendAsync(Entries.Many(0, 3));

        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Func<string, Task> pause = _ =>
        {
            reached.TrySetResult();
            return goOn.Task;
        };
        hooked.BeforeAppend = pauseBefore ? pause : null;
        hooked.AfterAppend = pauseBefore ? null : pause;
        Task<LogPosition[]> late = a.Log.AppendAsync([Entries.Of("late")]);
        await reached.Task.WaitAsync(Limit);

        await using Opened b = await OpenAsync(store, "index-b");
        bool successorHasIt = b.Index.TryFind(Entries.IdHash("late"), out _);
        LogPosition[] ours = await b.Log.AppendAsync([Entries.Of("of-b")]);
        goOn.SetResult();

        Exception? refused = await Record.ExceptionAsync(() => late.WaitAsync(Limit));
        if (refused is null && !successorHasIt)
        {
            return "The fenced writer acknowledged 'late', which its successor does not have.";
        }

        if (refused is not null and not LogFencedException)
        {
            return $"The fenced writer was refused for another reason: {refused}";
        }

        if (await Record.ExceptionAsync(() => a.Log.AppendAsync([Entries.Of("later")]).WaitAsync(Limit)) is not LogFencedException)
        {
            return "The fenced writer went on.";
        }

        return (await b.Log.ReadAsync(ours[0])).Id == "of-b" ? null : "The successor's item is not where it was acknowledged.";
    }

    private async Task<Opened> OpenAsync(IObjectStore store, string index)
    {
        ItemIndex opened = new(_folder.Sub(index));
        return new Opened(await ShardLog.OpenAsync(store, Prefix, new ShardLogOptions(), TimeProvider.System, opened, CancellationToken.None), opened);
    }

    private sealed record Opened(ShardLog Log, ItemIndex Index) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Log.DisposeAsync();
            Index.Dispose();
        }
    }
}

public sealed class FileFencingTests : FencingTests
{
    private FileObjectStore? _store;

    protected override Task<IObjectStore> CreateAsync() => Task.FromResult<IObjectStore>(_store = new FileObjectStore(Folder.Sub("store")));

    public override ValueTask DisposeAsync()
    {
        _store?.Dispose();
        return base.DisposeAsync();
    }
}

public sealed class AzureFencingTests(Azurite azurite) : FencingTests
{
    protected override async Task<IObjectStore> CreateAsync() => new AzureBlobObjectStore(await azurite.ContainerAsync());
}
