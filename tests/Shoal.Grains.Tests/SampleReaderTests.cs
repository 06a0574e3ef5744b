using System.Reflection;
using Shoal.Contracts;
using Shoal.Grains.Training;
using Shoal.Media;

namespace Shoal.Grains.Tests;

public sealed class SampleReaderTests
{
    private const int Shards = 3;
    private const int Items = 100;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly ImageDecoder Decoder = new(new ImageFormatOptions { Height = 8, Width = 8, Channels = 1 });

    [Fact]
    public async Task Samples_come_from_the_shard_that_has_been_read_least_far_wherever_reading_begins()
    {
        await using SampleReader whole = Read(strict: true, away: null, 0, 0, 0);
        (int Shard, long Sequence)[] order = await TakeAsync(whole, Shards * Items);
        Assert.Equal(Enumerable.Range(0, Items).SelectMany(i => Enumerable.Range(0, Shards).Select(s => (s, (long)i))), order);

        // Broken off in the middle of a slice and begun again from the cursors that were reached.
        await using SampleReader rest = Read(strict: true, away: null, 15, 15, 14);
        Assert.Equal(order[44..], await TakeAsync(rest, (Shards * Items) - 44));
    }

    [Fact]
    public async Task A_shard_that_is_away_holds_up_nobody_and_is_read_once_it_is_back()
    {
        var away = new Away { Shard = 1 };
        await using SampleReader reader = Read(strict: false, away, 0, 0, 0);
        (int Shard, long Sequence)[] others = await TakeAsync(reader, 2 * Items);
        Assert.DoesNotContain(others, sample => sample.Shard == 1);
        Assert.Contains("Shard 1 could not be read", reader.Problem, StringComparison.Ordinal);
        away.Shard = null;
        Assert.All(await TakeAsync(reader, Items), sample => Assert.Equal(1, sample.Shard));
        Assert.Null(reader.Problem);
    }

    [Fact]
    public async Task Where_logs_end_is_known_from_reads_and_from_hints()
    {
        await using SampleReader reader = Read(strict: false, away: null, 0, 0, 0);
        await TakeAsync(reader, Shards * Items);
        Assert.Equal([Items, Items, Items], Enumerable.Range(0, Shards).Select(reader.End));
        reader.Wake(new ArrivalHint(1, Items + 20));
        reader.Wake(new ArrivalHint(1, Items + 10));
        reader.Wake(new ArrivalHint(Shards, 5));
        Assert.Equal([Items, Items + 20, Items, 0], Enumerable.Range(0, Shards + 1).Select(reader.End));
    }

    [Fact]
    public async Task Where_the_order_must_not_depend_on_it_a_shard_that_is_away_holds_the_others()
    {
        var away = new Away { Shard = 1 };
        await using SampleReader reader = Read(strict: true, away, 0, 0, 0);
        await Assert.ThrowsAsync<TimeoutException>(() => TakeAsync(reader, 1, Poll / 2));
        Assert.False(reader.IsDrained);
        away.Shard = null;
        Assert.Equal([(0, 0), (1, 0), (2, 0)], await TakeAsync(reader, 3));
    }

    [Fact]
    public async Task Too_far_behind_a_sample_is_read_and_what_was_skipped_is_told_once_it_is_decided()
    {
        // Of 100 items 32 are read; then 68 are left where 30 may be.
        await using SampleReader reader = Read(strict: false, away: null, maxLag: 30, [0, 0, 0]);
        (int Shard, long Sequence)[] taken = await TakeAsync(reader, Shards * 62);
        Assert.All(taken.GroupBy(sample => sample.Shard), shard => Assert.Equal(
            [.. Enumerable.Range(0, 32), .. Enumerable.Range(70, 30)], shard.Select(sample => (int)sample.Sequence)));
        await Assert.ThrowsAsync<TimeoutException>(() => TakeAsync(reader, 1, Poll / 2));
        Assert.Empty(reader.TakeSkipped(_ => 69));
        Assert.Equal([new(0, 32, 70, 38), new(1, 32, 70, 38), new(2, 32, 70, 38)], reader.TakeSkipped(_ => 70).OrderBy(range => range.Shard));
        Assert.Empty(reader.TakeSkipped(_ => Items));
    }

    private static SampleReader Read(bool strict, Away? away, params long[] from) => Read(strict, away, maxLag: 0, from);

    private static SampleReader Read(bool strict, Away? away, long maxLag, long[] from)
    {
        var services = new TrainerServices(GrainFake.Factory(away ?? new Away()), null!, null!, null!, TimeProvider.System, null!, null!, "cpu", Poll);
        return new SampleReader(services, "digits", Decoder, from.Select((next, shard) => new ShardCursor(shard, next)), ahead: 1_000, strict, maxLag);
    }

    private static async Task<(int Shard, long Sequence)[]> TakeAsync(SampleReader reader, int count, TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? TimeSpan.FromSeconds(10));
        var taken = new List<(int, long)>();
        while (taken.Count < count)
        {
            if (reader.TryTake(out SampleReader.DecodedSample sample))
            {
                taken.Add((sample.Key.Shard, sample.Key.Sequence));
            }
            else if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"waiting for {count} samples; there are {taken.Count}; {reader.Problem}");
            }
            else
            {
                await reader.WaitAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
        }

        return [.. taken];
    }

    private sealed class Away
    {
        public volatile object? Which;

        public int? Shard
        {
            get => (int?)Which;
            set => Which = value;
        }
    }

    /// <summary>Answers what a reader asks: shards by key, and slices of them.</summary>
#pragma warning disable CA1852 // A dispatch proxy derives from it at run time.
    private class GrainFake : DispatchProxy
#pragma warning restore CA1852
    {
        private Away _away = null!;
        private int _shard;

        public static IGrainFactory Factory(Away away) => Make<IGrainFactory>(away, -1);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod!.Name is "GetGrain")
            {
                return Make<IShardGrain>(_away, int.Parse(GrainKeys.Split((string)args![0]!).Suffix, null));
            }

            Assert.Equal(nameof(IShardGrain.ReadAsync), targetMethod.Name);
            if (_away.Shard == _shard)
            {
                throw new ShoalException(ShoalErrorKind.Unavailable, "away");
            }

            var (from, count) = ((long)args![0]!, (int)args[1]!);
            LogItem[] items = [.. Enumerable.Range((int)from, (int)Math.Clamp(Items - from, 0, count)).Select(i => new LogItem(i, MediaTypes.RawImage, new byte[64]))];
            return Task.FromResult(new LogSlice { Items = items, Next = from + items.Length, End = Items });
        }

        private static T Make<T>(Away away, int shard)
            where T : class
        {
            T made = Create<T, GrainFake>();
            ((GrainFake)(object)made)._away = away;
            ((GrainFake)(object)made)._shard = shard;
            return made;
        }
    }
}
