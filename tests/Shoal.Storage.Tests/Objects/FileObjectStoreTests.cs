namespace Shoal.Storage.Tests;

public sealed class FileObjectStoreTests : ObjectStoreConformance
{
    private readonly TempFolder _folder = new();

    protected override Task<IObjectStore> CreateAsync() => Task.FromResult<IObjectStore>(new FileObjectStore(_folder.Path));

    public override async ValueTask DisposeAsync()
    {
        ((FileObjectStore)Store).Dispose();
        _folder.Dispose();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_torn_tail_is_cut()
    {
        await Store.AppendAsync("log/1", 0, new byte[5]);
        await Store.CutAsync("log/1", 5, 3);
        Assert.Equal(4, await Store.AppendAsync("log/1", 3, new byte[1]));
    }

    [Fact]
    public async Task Two_stores_on_one_folder_let_one_append_win()
    {
        using FileObjectStore other = new(_folder.Path);
        for (long length = 0; length < 100;)
        {
            long at = length;
            Task<long>[] both = [Store.AppendAsync("log/1", at, new byte[1]), other.AppendAsync("log/1", at, new byte[2])];
            await Task.WhenAll(both).ContinueWith(_ => { }, TaskScheduler.Default);
            Task<long> winner = Assert.Single(both, b => b.IsCompletedSuccessfully);
            Assert.IsType<AppendConflictException>(Assert.Single(both, b => b.IsFaulted).Exception!.InnerException);
            length = await winner;
        }
    }

    [Fact]
    public async Task A_store_sees_that_another_has_deleted_and_remade_an_object()
    {
        using FileObjectStore other = new(_folder.Path);
        await Store.AppendAsync("log/1", 0, new byte[] { 1, 1, 1 });
        await other.DeleteAsync("log/1");
        await other.AppendAsync("log/1", 0, new byte[] { 2, 2 });
        byte[] buffer = new byte[4];
        Assert.Equal(2, await Store.ReadAsync("log/1", 0, buffer));
        Assert.Equal(2, buffer[0]);
        await Assert.ThrowsAsync<AppendConflictException>(() => Store.AppendAsync("log/1", 3, new byte[1]));
    }

    [Fact]
    public async Task A_failure_of_the_disk_is_transient_and_says_what_to_do()
    {
        // A file where a folder is needed fails for root too, unlike a missing permission.
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "blocked"), "x");
        StorageUnavailableException failure =
            await Assert.ThrowsAsync<StorageUnavailableException>(() => Store.AppendAsync("blocked/1", 0, new byte[1]));
        Assert.True(failure.IsTransient);
        Assert.False(failure.OutcomeUnknown);
        Assert.Contains("Free space on the disk or give this user access", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_settings_are_told_all_at_once()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() =>
            new FileObjectStore(_folder.Path, new FileObjectStoreOptions { WriteThreads = 0, ReadThreads = 65 }));
        Assert.StartsWith("File store: WriteThreads is 0; must be 1 to 256; ReadThreads is 65; must be 1 to 64.", e.Message, StringComparison.Ordinal);
    }
}
