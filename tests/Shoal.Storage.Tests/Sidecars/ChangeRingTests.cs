using System.Diagnostics;

namespace Shoal.Storage.Tests;

public sealed class ChangeRingTests
{
    private static readonly Assignment Before = new(1, 7, 0.5f, 3, 3, DateTimeOffset.UnixEpoch);

    [Fact]
    public void Changes_come_back_by_number_the_newest_as_many_as_are_kept()
    {
        using var folder = new TempFolder();
        using ChangeRing ring = Open(folder, capacity: 10);
        Assert.Equal((0, 1), (ring.Last, ring.First));
        for (int i = 1; i <= 25; i++)
        {
            ring.Add(i * 100, Before, Now(i));
        }

        Assert.Equal((25, 16), (ring.Last, ring.First));
        Assert.False(ring.TryRead(15, out _));
        Assert.False(ring.TryRead(26, out _));
        for (int i = 16; i <= 25; i++)
        {
            Assert.True(ring.TryRead(i, out AssignmentChange change));
            Assert.Equal(new AssignmentChange(i, i * 100, 1, 7, Now(i)), change);
        }
    }

    [Theory]
    [InlineData(3, 100, new[] { 2, 1, 0 })]
    [InlineData(3, 2, new[] { 2, 1 })]
    [InlineData(500, 100, new[] { 499, 498, 497, 496, 495, 494, 493, 492, 491, 490, 489, 488, 487, 486 })]
    public void Those_of_one_item_come_newest_first_as_far_as_they_are_kept(int rounds, int most, int[] versions)
    {
        using var folder = new TempFolder();
        // More than a read holds, and no multiple of it.
        using ChangeRing ring = Open(folder, capacity: 1_500);
        for (int round = 0; round < rounds; round++)
        {
            for (int item = 0; item < 107; item++)
            {
                ring.Add(item, Before, Now(round));
            }
        }

        Assert.Equal(versions, ring.Of(5, most).Select(change => change.Now.ModelVersion));
        Assert.Empty(ring.Of(107, most));
        AssignmentChange newest = ring.Of(106, most)[0];
        Assert.True(ring.TryRead(ring.Last, out AssignmentChange same));
        Assert.Equal(same, newest);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_killed_process_loses_nothing_and_the_next_one_knows(bool killed)
    {
        using var folder = new TempFolder();
        ChangeRing first = Open(folder);
        first.Add(5, Before, Now(1));
        using var copy = new TempFolder();
        uint generation = first.Generation;
        string path = folder.Path;
        if (killed)
        {
            CopyOpen(folder, copy);
            path = copy.Path;
        }

        first.Dispose();
        using var second = new ChangeRing(path, log: 1, boot: 1, capacity: 100);
        Assert.Equal((generation, 1L, killed), (second.Generation, second.Last, second.WasKilled));
        second.Add(6, Before, Now(2));
        Assert.True(second.TryRead(2, out _));
    }

    [Fact]
    public void After_a_crash_of_the_machine_numbers_begin_anew_unless_the_ring_was_closed()
    {
        using var folder = new TempFolder();
        using var copy = new TempFolder();
        ChangeRing first = Open(folder);
        uint generation = first.Generation;
        first.Add(5, Before, Now(1));
        CopyOpen(folder, copy);
        first.Dispose();

        using (var crashed = new ChangeRing(copy.Path, log: 1, boot: 2, capacity: 100))
        {
            Assert.NotEqual(generation, crashed.Generation);
            Assert.Equal((0L, false), (crashed.Last, crashed.TryRead(1, out _)));
        }

        using var closed = new ChangeRing(folder.Path, log: 1, boot: 2, capacity: 100);
        Assert.Equal((generation, 1L), (closed.Generation, closed.Last));
    }

    [Theory]
    [InlineData(2, 100, -1)]
    [InlineData(1, 99, -1)]
    [InlineData(1, 100, 20)]
    public void A_ring_of_another_log_or_size_or_with_a_damaged_head_begins_anew(int log, int capacity, int flip)
    {
        using var folder = new TempFolder();
        uint generation;
        using (ChangeRing first = Open(folder))
        {
            generation = first.Generation;
            first.Add(5, Before, Now(1));
        }

        if (flip >= 0)
        {
            string path = Path.Combine(folder.Path, "changes.ring");
            byte[] bytes = File.ReadAllBytes(path);
            bytes[flip] ^= 1;
            File.WriteAllBytes(path, bytes);
        }

        using var second = new ChangeRing(folder.Path, (UInt128)log, boot: 1, capacity);
        Assert.Equal((true, 0L), (second.Generation != generation, second.Last));
    }

    [Fact]
    public void A_damaged_change_is_not_taken_for_one()
    {
        using var folder = new TempFolder();
        using (ChangeRing first = Open(folder))
        {
            first.Add(5, Before, Now(1));
            first.Add(6, Before, Now(2));
        }

        string path = Path.Combine(folder.Path, "changes.ring");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[64 + 64 + 20] ^= 1;
        File.WriteAllBytes(path, bytes);
        using ChangeRing second = Open(folder);
        Assert.Equal(2, second.Last);
        Assert.False(second.TryRead(1, out _));
        Assert.True(second.TryRead(2, out _));
    }

    private static ChangeRing Open(TempFolder folder, int capacity = 100) => new(folder.Path, log: 1, boot: 1, capacity);

    private static Assignment Now(int i) => new(2, i, 0.25f, i, 0, DateTimeOffset.FromUnixTimeMilliseconds(i));

    // What the page cache holds when nobody closes the file; another process copies it, since this one has it locked.
    private static void CopyOpen(TempFolder from, TempFolder to)
    {
        using var copy = Process.Start("cp", [from.Sub("changes.ring"), to.Path]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }
}
