using Shoal.Storage;

namespace Shoal.Grains.Shards;

/// <content>How a shard's store is opened, opened anew, and handed over.</content>
internal sealed partial class ShardStore
{
    /// <summary>Opens a shard; fences every earlier activation.</summary>
    /// <param name="store">The store.</param>
    /// <param name="logName">The log's name in it.</param>
    /// <param name="sidecars">The folder of the sidecars.</param>
    /// <param name="copies">Where copies of the sidecars are in the store, ending with a slash; null where none are kept.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<ShardStore> OpenAsync(
        IObjectStore store, string logName, string sidecars, string? copies, TimeProvider time, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(sidecars);
        var restored = copies is not null && await SidecarCopies.RestoreAsync(store, copies, sidecars, cancellationToken);
        var marks = copies is null ? null : new PageMarks();
        // The sidecar files are locked: an activation that ended badly must give them back, or the next cannot open them.
        var index = new ItemIndex(sidecars, marks);
        AssignmentTable? table = null;
        ChangeRing? changes = null;
        try
        {
            table = new AssignmentTable(sidecars, marks);
            var last = index.Covered?.Epoch;
            Task<ShardLog> Open(CancellationToken ct) => ShardLog.OpenAsync(store, logName, new ShardLogOptions(), time, index, ct);
            ShardLog log = await Open(cancellationToken);
            if (restored || log.Epoch != last + 1)
            {
                // It was open elsewhere in between: the ring lacks what changed there.
                ChangeRing.Remove(sidecars);
            }

            changes = new ChangeRing(sidecars, index.Covered!.Value.Log, ChangeRing.ThisBoot, ChangesKept);
            SidecarCopies? copier = copies is null ? null : new SidecarCopies(store, copies, sidecars, index, table, marks!);
            var shard = new ShardStore(() => Open(CancellationToken.None), log, index, table, changes, copier, time);
            shard.FirstPending = shard.Load();
            return shard;
        }
        catch
        {
            index.Dispose();
            table?.Dispose();
            changes?.Dispose();
            throw;
        }
    }

    /// <summary>Copies what changed in the sidecars to the store, where copies are kept; one call at a time.</summary>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>How many pages were written.</returns>
    public Task<int> CopySidecarsAsync(CancellationToken cancellationToken) => _copies?.CopyAsync(Log.Epoch, cancellationToken) ?? Task.FromResult(0);

    /// <summary>Copies what is left, and notes that nothing is: nothing may change any more.</summary>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task HandOverAsync(CancellationToken cancellationToken)
    {
        if (_copies is not null)
        {
            await _copies.CopyAsync(Log.Epoch, cancellationToken);
            _copies.Close();
        }
    }

    /// <summary>Opens the log anew after it could not go on; items that were written without anybody's knowing are found.</summary>
    /// <exception cref="StorageException">It cannot be opened, now or ever.</exception>
    public async Task ReopenAsync()
    {
        ShardLog log = await Task.Run(_open);
        await Log.DisposeAsync();
        Log = log;
        FirstPending = Load();
    }

    private long Load()
    {
        (LiveBytes, _firstLive) = (0, 0);
        _toErase.Clear();
        var gone = new HashSet<long>();
        var block = new ItemRecord[4_096];
        int read;
        for (long from = 0; (read = Index.GetMany(from, block)) > 0; from += read)
        {
            for (var i = 0; i < read; i++)
            {
                if (block[i].IsGone())
                {
                    gone.Add(from + i);
                }
                else
                {
                    LiveBytes += block[i].Position.Length;
                }

                if (block[i].IsGone() && !block[i].Marks.HasFlag(ItemMarks.Erased))
                {
                    _toErase.Add(from + i);
                    if (Changes.WasKilled && block[i].Marks.HasFlag(ItemMarks.Deleted))
                    {
                        Ledger.NoteDeleted(from + i);
                    }
                }
            }
        }

        Live = Index.Count - gone.Count;
        return Ledger.Load(Index.Count, gone.Contains);
    }
}
