using System.Text;

namespace Shoal.Storage.Tests;

/// <summary>What every object store promises; one class per store runs it.</summary>
public abstract class ObjectStoreConformance : IAsyncLifetime
{
    protected IObjectStore Store { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Store = await CreateAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    protected abstract Task<IObjectStore> CreateAsync();

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task An_absent_object_reads_as_nothing()
    {
        Assert.Null(await Store.GetAsync("a/b"));
        Assert.Null(await Store.StatAsync("a/b"));
        Assert.Equal(0, await Store.ReadAsync("a/b", 0, new byte[4]));
        await Store.DeleteAsync("a/b");
    }

    [Fact]
    public async Task A_put_object_is_read_back_with_the_tag_of_its_put()
    {
        string tag = await Store.PutAsync("a/b", Text("one"), PutCondition.Always);
        StoredObject? read = await Store.GetAsync("a/b");
        Assert.Equal("one", Encoding.UTF8.GetString(read!.Content));
        Assert.Equal(tag, read.ETag);
        Assert.Equal(3, (await Store.StatAsync("a/b"))!.Length);
        Assert.NotEqual(tag, await Store.PutAsync("a/b", Text("two"), PutCondition.Always), StringComparer.Ordinal);
    }

    [Fact]
    public async Task An_empty_object_can_be_put()
    {
        await Store.PutAsync("empty", ReadOnlyMemory<byte>.Empty, PutCondition.IfAbsent);
        Assert.Empty((await Store.GetAsync("empty"))!.Content);
    }

    [Fact]
    public async Task A_put_whose_condition_fails_is_a_conflict_and_changes_nothing()
    {
        await Assert.ThrowsAsync<ObjectConflictException>(() => Store.PutAsync("a", Text("x"), PutCondition.IfMatch("\"0x0\"")));
        string first = await Store.PutAsync("a", Text("one"), PutCondition.IfAbsent);
        await Assert.ThrowsAsync<ObjectConflictException>(() => Store.PutAsync("a", Text("two"), PutCondition.IfAbsent));
        string second = await Store.PutAsync("a", Text("three"), PutCondition.IfMatch(first));
        ObjectConflictException conflict =
            await Assert.ThrowsAsync<ObjectConflictException>(() => Store.PutAsync("a", Text("four"), PutCondition.IfMatch(first)));
        Assert.False(conflict.IsTransient);
        StoredObject? read = await Store.GetAsync("a");
        Assert.Equal("three", Encoding.UTF8.GetString(read!.Content));
        Assert.Equal(second, read.ETag);
    }

    [Fact]
    public async Task Of_many_swaps_with_one_tag_exactly_one_succeeds()
    {
        string tag = await Store.PutAsync("a", Text("start"), PutCondition.Always);
        bool[] won = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            try
            {
                await Store.PutAsync("a", Text($"writer {i}"), PutCondition.IfMatch(tag));
                return true;
            }
            catch (ObjectConflictException)
            {
                return false;
            }
        }));
        Assert.Single(won, w => w);
        int winner = Array.IndexOf(won, true);
        Assert.Equal($"writer {winner}", Encoding.UTF8.GetString((await Store.GetAsync("a"))!.Content));
    }

    [Fact]
    public async Task Appends_at_the_expected_length_follow_each_other()
    {
        Assert.Equal(3, await Store.AppendAsync("log/1", 0, Text("one")));
        Assert.Equal(6, await Store.AppendAsync("log/1", 3, Text("two")));
        byte[] buffer = new byte[10];
        Assert.Equal(6, await Store.ReadAsync("log/1", 0, buffer));
        Assert.Equal("onetwo", Encoding.UTF8.GetString(buffer, 0, 6));
        Assert.Equal(2, await Store.ReadAsync("log/1", 4, buffer));
        Assert.Equal("wo", Encoding.UTF8.GetString(buffer, 0, 2));
        Assert.Equal(0, await Store.ReadAsync("log/1", 6, buffer));
        Assert.Equal(0, await Store.ReadAsync("log/1", 60, buffer));
        Assert.Equal(6, (await Store.StatAsync("log/1"))!.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task An_append_at_another_length_is_a_conflict_that_names_the_length(long expected)
    {
        await Store.AppendAsync("log/1", 0, Text("one"));
        AppendConflictException conflict =
            await Assert.ThrowsAsync<AppendConflictException>(() => Store.AppendAsync("log/1", expected, Text("two")));
        Assert.Equal(3, conflict.ActualLength);
        Assert.Equal(expected, conflict.ExpectedLength);
        Assert.Equal(3, (await Store.StatAsync("log/1"))!.Length);
    }

    [Fact]
    public async Task An_append_to_an_absent_object_that_is_expected_to_be_long_is_a_conflict()
    {
        AppendConflictException conflict = await Assert.ThrowsAsync<AppendConflictException>(() => Store.AppendAsync("log/1", 5, Text("x")));
        Assert.Equal(0, conflict.ActualLength);
        Assert.Null(await Store.StatAsync("log/1"));
    }

    [Fact]
    public async Task Of_many_appends_at_one_length_exactly_one_succeeds()
    {
        bool[] won = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            try
            {
                await Store.AppendAsync("log/1", 0, Text($"{i:D4}"));
                return true;
            }
            catch (AppendConflictException)
            {
                return false;
            }
        }));
        Assert.Single(won, w => w);
        byte[] buffer = new byte[10];
        Assert.Equal(4, await Store.ReadAsync("log/1", 0, buffer));
        Assert.Equal($"{Array.IndexOf(won, true):D4}", Encoding.UTF8.GetString(buffer, 0, 4));
    }

    [Fact]
    public async Task An_empty_append_checks_the_length()
    {
        await Store.AppendAsync("log/1", 0, Text("one"));
        Assert.Equal(3, await Store.AppendAsync("log/1", 3, ReadOnlyMemory<byte>.Empty));
        await Assert.ThrowsAsync<AppendConflictException>(() => Store.AppendAsync("log/1", 2, ReadOnlyMemory<byte>.Empty));
    }

    [Fact]
    public async Task A_cut_at_another_length_than_observed_is_a_conflict()
    {
        await Store.AppendAsync("log/1", 0, Text("one"));
        await Assert.ThrowsAsync<AppendConflictException>(() => Store.CutAsync("log/1", 4, 2));
        await Assert.ThrowsAsync<AppendConflictException>(() => Store.CutAsync("absent", 4, 2));
        await Store.CutAsync("log/1", 3, 3);
        Assert.Equal(3, (await Store.StatAsync("log/1"))!.Length);
    }

    [Fact]
    public async Task An_append_of_eight_megabytes_is_one_append()
    {
        byte[] large = new byte[8 << 20];
        new Random(4213).NextBytes(large);
        await Store.AppendAsync("log/1", 0, large);
        byte[] read = new byte[large.Length];
        Assert.Equal(large.Length, await Store.ReadAsync("log/1", 0, read));
        Assert.True(large.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task A_listing_has_the_names_with_the_prefix_in_order()
    {
        foreach (string name in new[] { "d/2", "d/10", "d/1", "e/1", "d/sub/1", "dd" })
        {
            await Store.PutAsync(name, Text(name), PutCondition.Always);
        }

        Assert.Equal(["d/1", "d/10", "d/2", "d/sub/1"], await Names("d/"));
        Assert.Equal(["d/1", "d/10"], await Names("d/1"));
        Assert.Equal(6, (await Names("")).Count);
        Assert.Empty(await Names("nothing/here"));
    }

    [Fact]
    public async Task A_deleted_object_is_gone_and_can_be_made_anew()
    {
        await Store.AppendAsync("log/1", 0, Text("one"));
        await Store.DeleteAsync("log/1");
        await Store.DeleteAsync("log/1");
        Assert.Null(await Store.StatAsync("log/1"));
        await Assert.ThrowsAsync<AppendConflictException>(() => Store.AppendAsync("log/1", 3, Text("two")));
        Assert.Equal(4, await Store.AppendAsync("log/1", 0, Text("anew")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a/.hidden")]
    [InlineData("a\\b")]
    [InlineData("a\nb")]
    [InlineData("größe")]
    public async Task A_bad_name_is_refused(string name)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.GetAsync(name));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutAsync(name, Text("x"), PutCondition.Always));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.AppendAsync(name, 0, Text("x")));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync(name));
    }

    private async Task<List<string>> Names(string prefix)
    {
        List<string> names = [];
        await foreach (ObjectInfo info in Store.ListAsync(prefix))
        {
            names.Add(info.Name);
        }

        return names;
    }
}
