using System.Text;
using System.Text.Json;
using Shoal.Contracts;
using Shoal.Grains.Access;
using Shoal.Storage;
using Shoal.Storage.Tests;

namespace Shoal.Grains.Tests;

/// <summary>The audit log only ever grows, whoever writes to it and however a write before ended.</summary>
public sealed class AuditLogTests
{
    private const string Today = "access/audit/2026-03-01.ndjson";

    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Each_day_has_an_object_of_its_own_with_a_line_an_entry()
    {
        using var folder = new TempFolder();
        using var store = new FileObjectStore(folder.Path);
        var log = new AuditLog(store);

        await log.AppendAsync(Entry("first"));
        await log.AppendAsync(Entry("second"));

        // Midnight in Greenwich decides, not where the clock hangs.
        await log.AppendAsync(Entry("tomorrow") with { At = new DateTimeOffset(2026, 3, 1, 23, 30, 0, TimeSpan.FromHours(-1)) });
        await log.AppendAsync(Entry("third"));

        Assert.Equal(["first", "second", "third"], await WhatAsync(store, Today));
        Assert.Equal(["tomorrow"], await WhatAsync(store, "access/audit/2026-03-02.ndjson"));
    }

    [Fact]
    public async Task Two_writers_keep_each_others_lines()
    {
        using var folder = new TempFolder();
        using var store = new FileObjectStore(folder.Path);
        var (one, other) = (new AuditLog(store), new AuditLog(store));

        await one.AppendAsync(Entry("1"));
        await other.AppendAsync(Entry("2"));
        await one.AppendAsync(Entry("3"));
        await other.AppendAsync(Entry("4"));

        Assert.Equal(["1", "2", "3", "4"], await WhatAsync(store, Today));
    }

    [Fact]
    public async Task Half_a_line_of_a_process_that_was_killed_spoils_no_other()
    {
        using var folder = new TempFolder();
        using var store = new FileObjectStore(folder.Path);
        await new AuditLog(store).AppendAsync(Entry("whole"));
        var length = (await store.StatAsync(Today))!.Length;
        await store.AppendAsync(Today, length, Encoding.UTF8.GetBytes("{\"what\":\"ha"));

        await new AuditLog(store).AppendAsync(Entry("after"));

        var lines = (await TextAsync(store, Today)).TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Equal(["whole", "after"], new[] { lines[0], lines[2] }.Select(What));
    }

    [Fact]
    public async Task A_name_with_line_ends_makes_one_line()
    {
        using var folder = new TempFolder();
        using var store = new FileObjectStore(folder.Path);
        const string Forged = "x\n{\"who\":\"cluster\",\"what\":\"nothing\"}\r\n\u2028\u0085";

        await new AuditLog(store).AppendAsync(Entry(Forged));

        Assert.Equal([Forged], await WhatAsync(store, Today));
    }

    private static AuditEntry Entry(string what) => new()
    {
        At = Noon,
        Who = "key:0123abcd",
        What = what,
        Dataset = "digits",
        Outcome = "204",
    };

    private static async Task<IEnumerable<string>> WhatAsync(FileObjectStore store, string name) => (await TextAsync(store, name)).TrimEnd('\n').Split('\n').Select(What);

    private static string What(string line) => JsonDocument.Parse(line).RootElement.GetProperty("what").GetString()!;

    private static async Task<string> TextAsync(FileObjectStore store, string name)
    {
        var text = new byte[(await store.StatAsync(name))!.Length];
        Assert.Equal(text.Length, await store.ReadAsync(name, 0, text));
        return Encoding.UTF8.GetString(text);
    }
}
