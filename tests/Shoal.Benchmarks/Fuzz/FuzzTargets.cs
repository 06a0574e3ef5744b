using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Training;
using Shoal.Media;
using Shoal.Storage;
using Shoal.Web;
using SkiaSharp;

namespace Shoal.Benchmarks;

/// <summary>Something that reads bytes which others wrote.</summary>
/// <param name="Name">What it is called in figures.</param>
/// <param name="Seeds">Sound inputs, which are damaged.</param>
/// <param name="Read">Reads one; throws what it says it throws for bad input.</param>
/// <param name="IsRefusal">Whether a failure is how it refuses bad input.</param>
internal sealed record FuzzTarget(string Name, byte[][] Seeds, Func<byte[], Task> Read, Func<Exception, bool> IsRefusal)
{
    /// <summary>Whether it mends what it reads, so that it refuses nothing.</summary>
    public bool Mends { get; init; }
}

/// <summary>Everything in Shoal that reads foreign bytes.</summary>
internal static partial class FuzzTargets
{
    private const string Log = "log";
    private const string Segment = "log/00000001.seg";

    /// <summary>All of them.</summary>
    /// <param name="folder">An empty folder for those that read files.</param>
    public static async Task<FuzzTarget[]> AllAsync(string folder) =>
    [
        Images(),
        Sound(),
        Archive(),
        Form(),
        new FuzzTarget("ndjson", [Lines(3), Lines(1)], NdjsonAsync, e => e is BadHttpRequestException or FormatException),
        Document<CreateDataset>("http-dataset", """{"name":"digits","settings":{"height":28,"width":28,"channels":1,"objectives":{"moco":1.5},"retainDays":0.5}}"""),
        Document<DatasetChange>("http-change", """{"roundSeconds":3.5,"idleRehearsalSteps":800,"retainBytes":1000000}"""),
        Document<NameByExamples>("http-names", """{"name":"sevens","examples":["a/7","a/8","\u00e4"]}"""),
        new FuzzTarget("cursor", [Encoding.ASCII.GetBytes(new ChangeCursor(7, [new FeedPlace(1, 2, 3, Behind: true), new FeedPlace(4, 500, -1, Behind: false)]).ToString())],
            bytes => Task.FromResult(ChangeCursor.Parse(Encoding.Latin1.GetString(bytes), 2)), e => e is ShoalException { Kind: ShoalErrorKind.Invalid }),
        await LogTargetAsync(),
        await RepairTargetAsync(),
        new FuzzTarget("safetensors", [Tensors()], bytes => Task.FromResult(SafeTensors.Read(bytes)), e => e is InvalidDataException),
        await StoredAsync("manifest", new Manifest { Term = 3, State = new Checkpoint { Cursors = [new ShardCursor(0, 5)], Parts = new(StringComparer.Ordinal) { ["model"] = new Claim("a", 1) } } }),
        await StoredAsync("backup", new BackupDescription(1, "digits", DateTimeOffset.UnixEpoch, [new ObjectCopy("a", 1, "00", Appended: false)])),
        Files("idx", folder, "train-images-idx3-ubyte", Idx()),
        Files("csv", folder, "items.csv", "label,p0,p1,p2,p3\n7,0,1,2,255\n8,3,4,5,6\n"u8.ToArray()),
    ];

    private static FuzzTarget Images()
    {
        var decoder = new ImageDecoder(new ImageFormatOptions { Height = 16, Width = 16, Channels = 3, MaxBytes = 1 << 20, MaxPixels = 1_000_000 });
        using var bitmap = new SKBitmap(24, 20);
        bitmap.Pixels = [.. Enumerable.Range(0, 480).Select(i => new SKColor((byte)(i * 7), (byte)(i * 3), (byte)i))];
        byte[][] seeds = [.. new[] { SKEncodedImageFormat.Png, SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Webp }.Select(format =>
        {
            using SKData data = bitmap.Encode(format, 80);
            return data.ToArray();
        }), Bmp()];
        return new FuzzTarget("images", seeds, bytes =>
        {
            var sample = new byte[decoder.SampleBytes];
            if ((decoder.Check(MediaTypes.AnyImage, bytes) ?? (decoder.TryDecode(MediaTypes.AnyImage, bytes, sample, out MediaProblem? problem) ? null : problem!)) is { } refused)
            {
                throw new FormatException(refused.Message);
            }

            return Task.CompletedTask;
        }, e => e is FormatException or DecodeMemoryException);
    }

    private static byte[] Bmp()
    {
        var bytes = new byte[54 + (8 * 8 * 3)];
        new byte[] { 0x42, 0x4D, 246, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 1, 0, 24 }.CopyTo(bytes, 0);
        return bytes;
    }

    private static byte[] Lines(int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, count).Select(i =>
        $$"""{"id":"a/{{i}}","mediaType":"image/png","bytes":"iVBORw0KGgo=","metadata":{"camera":"7"},"replace":false}""" + "\n")));

    private static async Task NdjsonAsync(byte[] bytes)
    {
        var reader = new NdjsonReader(PipeReader.Create(new MemoryStream(bytes)), maxItemBytes: 1_024, maxLines: 100);
        await ReadAllAsync(reader.ReadAsync());
    }

    // Each is an item, or says what is wrong.
    private static async Task ReadAllAsync(IAsyncEnumerable<SourceItem> items)
    {
        await foreach (SourceItem item in items)
        {
            if (item.Problem is { } problem)
            {
                throw new FormatException(problem);
            }

            if (item.Upload is not { Id: not null, Bytes: not null })
            {
                throw new InvalidOperationException("It is neither an item nor a problem.");
            }
        }
    }

    private static FuzzTarget Document<T>(string name, string json) => new(name, [Encoding.UTF8.GetBytes(json)], bytes =>
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(bytes);
        return Requests.DocumentAsync<T>(context, json);
    }, e => e is ShoalException { Kind: ShoalErrorKind.Invalid });

    private static async Task<FuzzTarget> LogTargetAsync()
    {
        (var segment, IReadOnlyDictionary<string, string> items) = await WriteLogAsync();
        return new FuzzTarget(Log, [segment], async bytes =>
        {
            var store = new MemoryObjectStore();
            store.Set(Segment, bytes);
            await OpenAsync(store, items);
        }, e => e is StorageCorruptException);
    }

    // What is repaired can be opened, and holds nothing but what was written.
    private static async Task<FuzzTarget> RepairTargetAsync()
    {
        (var segment, IReadOnlyDictionary<string, string> items) = await WriteLogAsync();
        return new FuzzTarget("repair", [segment], async bytes =>
        {
            var store = new MemoryObjectStore();
            store.Set(Segment, bytes);
            await LogRepair.RunAsync(store, Log, "removed", 0, TimeProvider.System);
            try
            {
                await OpenAsync(store, items);
            }
            catch (StorageCorruptException e)
            {
                throw new InvalidOperationException($"It was repaired, and is damaged: {e.Message}", e);
            }
        }, e => e is StorageCorruptException)
        { Mends = true };
    }

    private static async Task<(byte[] Segment, IReadOnlyDictionary<string, string> Items)> WriteLogAsync()
    {
        var store = new MemoryObjectStore();
        await using ShardLog log = await ShardLog.OpenAsync(store, Log, new ShardLogOptions(), TimeProvider.System, new Positions(), CancellationToken.None);
        var items = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 6; i++)
        {
            byte[] bytes = [.. Enumerable.Range(0, 20 + (i * 7)).Select(b => (byte)(b * i))];
            items[$"item/{i}"] = Convert.ToHexString(bytes);
            await log.AppendAsync([new LogEntry($"item/{i}", "image/x-raw", bytes, i % 2 == 0 ? null : new Dictionary<string, string>(StringComparer.Ordinal) { ["camera"] = "7" }, ContentHash: 1, IdHash: (UInt128)(i + 1))]);
        }

        await log.AppendAsync([LogEntry.Deletion(2)]);
        return (store.Objects[Segment], items);
    }

    private static async Task OpenAsync(MemoryObjectStore store, IReadOnlyDictionary<string, string> items)
    {
        await using ShardLog log = await ShardLog.OpenAsync(store, Log, new ShardLogOptions(), TimeProvider.System, new Positions(), CancellationToken.None);
        foreach (LogRecord record in await log.ReadRangeAsync(0, 1_000, 1 << 20))
        {
            if (!string.Equals(items.GetValueOrDefault(record.Id), Convert.ToHexString(record.Bytes.Span), StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"'{record.Id}' was read, which nobody wrote so.");
            }
        }
    }

    private static byte[] Tensors() => SafeTensors.Write(
        [new TensorEntry("a", "F32", [2, 3], new byte[24]), new TensorEntry("b", "I64", [2], new byte[16])], new Dictionary<string, string>(StringComparer.Ordinal) { ["k"] = "v" });

    private static async Task<FuzzTarget> StoredAsync<T>(string name, T value)
        where T : class
    {
        var written = new MemoryObjectStore();
        await new StoredDocument<T>(written, name).SaveAsync(value);
        return new FuzzTarget(name, [written.Objects[name]], async bytes =>
        {
            var store = new MemoryObjectStore();
            store.Set(name, bytes);
            await new StoredDocument<T>(store, name).LoadAsync();
        }, e => e is ShoalException);
    }

    private static byte[] Idx() => [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];

    private static FuzzTarget Files(string name, string folder, string file, byte[] sound)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        var path = Path.Combine(own, file);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(sound);
        }

        var zipped = name is "idx" ? new[] { sound, packed.ToArray() } : [sound];
        return new FuzzTarget(name, zipped, async bytes =>
        {
            // Packed files begin with the magic of gzip and are told by their name.
            var to = bytes is [0x1F, 0x8B, ..] && name is "idx" ? path + ".gz" : path;
            await File.WriteAllBytesAsync(to, bytes);
            try
            {
                await ReadAllAsync(ItemSources.Open(name is "idx" ? own : path).ReadAsync());
            }
            finally
            {
                File.Delete(to);
            }
        }, e => e is ShoalException or FormatException);
    }

    /// <summary>Where items stand, and nothing else.</summary>
    private sealed class Positions : ILogReplayTarget
    {
        private readonly List<LogPosition> _positions = [];

        public LogCheckpoint? Covered { get; private set; }

        public int Locate(long fromSequence, Span<LogPosition> positions)
        {
            var count = (int)Math.Clamp(_positions.Count - fromSequence, 0, positions.Length);
            for (var i = 0; i < count; i++)
            {
                positions[i] = _positions[(int)fromSequence + i];
            }

            return count;
        }

        public void Reserve(int items)
        {
            // A list grows by itself.
        }

        public void Add(in LogIndexEntry entry) => _positions.Add(entry.Position);

        public void Skip(in LogIndexEntry first, long count)
        {
            for (long i = 0; i < count; i++)
            {
                _positions.Add(first.Position with { Sequence = first.Position.Sequence + i, Length = 0 });
            }
        }

        public void Delete(UInt128 idHash)
        {
            // What is deleted can still be read here.
        }

        public void Expire(long below)
        {
            // The same.
        }

        public void Commit(in LogCheckpoint covered) => Covered = covered;

        public void Reset()
        {
            _positions.Clear();
            Covered = null;
        }
    }
}
