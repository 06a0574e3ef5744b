using System.IO.MemoryMappedFiles;

namespace Shoal.Benchmarks;

/// <summary>A call of the store.</summary>
internal enum StoreCall
{
    /// <summary>Of a whole object.</summary>
    Get,

    /// <summary>Of a whole object.</summary>
    Put,

    /// <summary>To a segment of a log.</summary>
    Append,

    /// <summary>Of a range.</summary>
    Read,

    /// <summary>Of an object's length.</summary>
    Stat,

    /// <summary>Of names.</summary>
    List,

    /// <summary>Of an object.</summary>
    Delete,
}

/// <summary>Calls of the store and their bytes, in a file that two processes share: a silo that counts, and who measures it.</summary>
internal sealed class StoreCounters : IDisposable
{
    private const int Logs = 0;
    private const int Others = 1;
    private const int Kinds = 2;
    private const int Calls = (int)StoreCall.Delete + 1;
    private const int Slots = Kinds * Calls * 2;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long[] _totals = new long[Slots];

    /// <summary>Opens the file, all zeros when it is new.</summary>
    /// <param name="path">The file.</param>
    public StoreCounters(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, mapName: null, Slots * sizeof(long));
        _view = _file.CreateViewAccessor();
    }

    /// <summary>Counts a call.</summary>
    /// <param name="name">The object, or the start of names.</param>
    /// <param name="call">The call.</param>
    /// <param name="bytes">The bytes that it carried.</param>
    public void Add(string name, StoreCall call, long bytes)
    {
        var slot = Slot(name.Contains("/log/", StringComparison.Ordinal) || name.EndsWith("/log", StringComparison.Ordinal) ? Logs : Others, call);
        // A total that another thread writes a moment earlier is behind by what is under way, never for good.
        _view.Write(slot * sizeof(long), Interlocked.Increment(ref _totals[slot]));
        _view.Write((slot + 1) * sizeof(long), Interlocked.Add(ref _totals[slot + 1], bytes));
    }

    /// <summary>What the silo has counted until now.</summary>
    public StoreCounts Read()
    {
        var totals = new long[Slots];
        _view.ReadArray(0, totals, 0, Slots);
        return new StoreCounts(totals);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    private static int Slot(int kind, StoreCall call) => ((kind * Calls) + (int)call) * 2;

    /// <summary>Totals at a moment, or between two.</summary>
    /// <param name="totals">As they lie in the file.</param>
    internal sealed class StoreCounts(long[] totals)
    {
        private readonly long[] _totals = totals;

        /// <summary>Calls of logs.</summary>
        /// <param name="call">Which.</param>
        public long OfLogs(StoreCall call) => _totals[Slot(Logs, call)];

        /// <summary>Bytes that calls of logs carried.</summary>
        /// <param name="call">Which.</param>
        public long BytesOfLogs(StoreCall call) => _totals[Slot(Logs, call) + 1];

        /// <summary>Calls of everything that is no log: parts of rounds, manifests, small documents.</summary>
        /// <param name="call">Which.</param>
        public long OfOthers(StoreCall call) => _totals[Slot(Others, call)];

        /// <summary>Bytes that calls of what is no log carried.</summary>
        /// <param name="call">Which.</param>
        public long BytesOfOthers(StoreCall call) => _totals[Slot(Others, call) + 1];

        /// <summary>What came since.</summary>
        /// <param name="earlier">The earlier totals.</param>
        public StoreCounts Since(StoreCounts earlier) => new([.. _totals.Zip(earlier._totals, (now, then) => now - then)]);
    }
}
