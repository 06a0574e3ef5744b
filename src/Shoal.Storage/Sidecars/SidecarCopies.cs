using System.Text.Json;

namespace Shoal.Storage;

/// <summary>Copies a shard's sidecars to the store, page by page, so that the shard can open on another host without rebuilding them.</summary>
/// <remarks>
/// A view of a view: whatever is missing or damaged is rebuilt as if there were no copy. Pages are immutable objects under names of their own; one
/// small object, swapped by ETag, names those that belong together, so that an opener whose log was taken over cannot mix its pages with those of
/// the one that took it. For one caller at a time, which is also the only one that changes the table (a grain's turns).
/// </remarks>
/// <param name="store">The store.</param>
/// <param name="prefix">Where the copies are; ends with a slash.</param>
/// <param name="directory">The folder of the sidecars.</param>
/// <param name="index">The index.</param>
/// <param name="table">The assignments.</param>
/// <param name="marks">What both tell of their changes.</param>
public sealed class SidecarCopies(IObjectStore store, string prefix, string directory, ItemIndex index, AssignmentTable table, PageMarks marks)
{
    private const int AtOnce = 4;
    private const string NoteName = "copied";

    private Head _head = new(0, [], [], []);
    private string? _etag;
    private bool _known;
    private int _number;

    /// <summary>Brings a shard's sidecars to a folder, unless what is there is at least as new.</summary>
    /// <param name="store">The store.</param>
    /// <param name="prefix">Where the copies are; ends with a slash.</param>
    /// <param name="directory">The folder; no sidecar in it may be open.</param>
    /// <param name="ct">Cancels it; what was brought until then is of no harm.</param>
    /// <returns>Whether it was needed: nothing in the folder is as new any more, and what was brought is there instead.</returns>
    /// <exception cref="StorageUnavailableException">The store is away, or the disk is full.</exception>
    public static async Task<bool> RestoreAsync(IObjectStore store, string prefix, string directory, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        Directory.CreateDirectory(directory);
        (Head? head, var etag) = await LoadAsync(store, prefix, ct);
        if (head is null || ItemIndex.EpochIn(directory) >= head.Epoch)
        {
            return false;
        }

        SidecarLayout embeddings = AssignmentTable.EmbeddingLayout(head.Width);
        string[] files = [ItemIndex.Layout.In(directory), AssignmentTable.Layout.In(directory), embeddings.In(directory)];
        Array.ForEach(files, File.Delete);
        File.Delete(Path.Combine(directory, NoteName));
        var whole = true;
        using (var indexFile = new SidecarFile(files[0]))
        using (var assignmentFile = new SidecarFile(files[1]))
        using (var embeddingFile = new SidecarFile(files[2]))
        {
            await Parallel.ForEachAsync(head.Pages, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct }, async (entry, token) =>
            {
                StoredObject? stored = await store.GetAsync(prefix + entry.Value, token);
                if (stored is null || SidecarPage.Parse(stored.Content) is not { } page || page.Width != head.Width)
                {
                    whole = false;
                    return;
                }

                var first = (long)entry.Key * PageMarks.PageItems;
                indexFile.Write(ItemIndex.Layout.Place(first), page.Index);
                assignmentFile.Write(AssignmentTable.Layout.Place(first), page.Assignments);
                embeddingFile.Write(embeddings.Place(first), page.Embeddings);
            });
            embeddingFile.Write(0, head.Embeddings);
            if (whole)
            {
                // Last: without it the index is none, and is built from the log.
                indexFile.Write(0, head.Index);
                await File.WriteAllTextAsync(Path.Combine(directory, NoteName), etag, ct);
            }
        }

        return true;
    }

    /// <summary>Copies what changed since the last time.</summary>
    /// <param name="epoch">The epoch under which the log is open.</param>
    /// <param name="ct">Cancels it; the next time copies what this one did not.</param>
    /// <returns>How many pages were written; 0 also where a newer opener copies.</returns>
    /// <exception cref="StorageUnavailableException">The store is away; the next time tries again.</exception>
    public async Task<int> CopyAsync(long epoch, CancellationToken ct = default)
    {
        if (!_known)
        {
            await BeginAsync(epoch, ct);
        }

        if (_head.Epoch > epoch)
        {
            return 0;
        }

        // The header first: what it covers is marked by now, and newer records behind it do no harm.
        byte[] header = index.ReadHeader();
        byte[] embeddings = table.ReadEmbeddingHeader();
        int[] changed = marks.Take();
        if (_head.Pages.Count > 0 && _head.Width != table.Width)
        {
            changed = All();
        }

        if (changed.Length == 0 && _head.Epoch == epoch)
        {
            return 0;
        }

        List<Task> under = [];
        try
        {
            var width = table.Width;
            Dictionary<int, string> pages = new(_head.Pages);
            foreach (var page in changed)
            {
                if (under.Count == AtOnce)
                {
                    Task done = await Task.WhenAny(under);
                    under.Remove(done);
                    await done;
                }

                var first = (long)page * PageMarks.PageItems;
                pages[page] = $"{page:D6}-{epoch:D8}-{_number++:D8}";
                SidecarPage content = SidecarPage.Read(index, table, first, (int)Math.Min(PageMarks.PageItems, Math.Max(0, index.Count - first)));
                if (content.Width != width)
                {
                    // Another model's encoder came meanwhile: all of it is to be copied again.
                    throw new StorageUnavailableException("The embeddings changed their width while they were copied; the next time copies them.");
                }

                under.Add(store.PutAsync(prefix + pages[page], content.Bytes, PutCondition.IfAbsent, ct));
            }

            await Task.WhenAll(under);
            await SwapAsync(new Head(epoch, header, embeddings, pages) { Width = width }, ct);
            return changed.Length;
        }
        catch
        {
            // Whoever closes the shard behind this call must find nothing of it under way.
            await Task.WhenAll(under).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            Array.ForEach(changed, page => marks.Mark((long)page * PageMarks.PageItems));
            throw;
        }
    }

    /// <summary>Notes in the folder that all of it is copied: whoever opens it next need not copy it again. Call it last, behind a copy.</summary>
    public void Close()
    {
        if (_etag is not null)
        {
            File.WriteAllText(Path.Combine(directory, NoteName), _etag);
        }
    }

    private static async Task<(Head? Head, string? ETag)> LoadAsync(IObjectStore store, string prefix, CancellationToken ct)
    {
        StoredObject? stored = await store.GetAsync(prefix + Head.Name, ct);
        try
        {
            return (stored is null ? null : JsonSerializer.Deserialize<Head>(stored.Content), stored?.ETag);
        }
        catch (JsonException)
        {
            // Whatever it is, there is no copy in it; it is overwritten.
            return (null, stored!.ETag);
        }
    }

    private async Task BeginAsync(long epoch, CancellationToken ct)
    {
        (Head? head, _etag) = await LoadAsync(store, prefix, ct);
        _head = head ?? _head;
        var note = Path.Combine(directory, NoteName);
        var isCopied = File.Exists(note) && string.Equals(await File.ReadAllTextAsync(note, ct), _etag, StringComparison.Ordinal);
        File.Delete(note);
        if (!isCopied)
        {
            // What changed before the marks began nobody knows.
            MarkAll();
        }

        if (_head.Epoch <= epoch)
        {
            await RemoveOrphansAsync(ct);
        }

        _known = true;
    }

    // Left by copies that did not come to an end.
    private async Task RemoveOrphansAsync(CancellationToken ct)
    {
        HashSet<string> named = [Head.Name, .. _head.Pages.Values];
        await foreach (ObjectInfo info in store.ListAsync(prefix, ct))
        {
            if (!named.Contains(info.Name[prefix.Length..]))
            {
                await store.DeleteAsync(info.Name, ct);
            }
        }
    }

    private async Task SwapAsync(Head next, CancellationToken ct)
    {
        Head before = _head;
        try
        {
            _etag = await store.PutAsync(
                prefix + Head.Name, JsonSerializer.SerializeToUtf8Bytes(next), _etag is null ? PutCondition.IfAbsent : PutCondition.IfMatch(_etag), ct);
        }
        catch (ObjectConflictException)
        {
            (Head? theirs, _etag) = await LoadAsync(store, prefix, ct);
            _head = theirs ?? _head;
            if (_head.Epoch <= next.Epoch)
            {
                // An opener that the log has fenced off was faster, and may have removed what this one counted on.
                _head = _head with { Pages = [] };
                MarkAll();
            }

            return;
        }

        _head = next;
        foreach (var old in before.Pages.Where(entry => !string.Equals(next.Pages[entry.Key], entry.Value, StringComparison.Ordinal)))
        {
            await store.DeleteAsync(prefix + old.Value, ct);
        }
    }

    private int[] All() => [.. Enumerable.Range(0, (int)((index.Count + PageMarks.PageItems - 1) / PageMarks.PageItems))];

    private void MarkAll() => Array.ForEach(All(), page => marks.Mark((long)page * PageMarks.PageItems));

    /// <summary>What names the pages that belong together.</summary>
    /// <param name="Epoch">The epoch under which they were copied.</param>
    /// <param name="Index">The header of the index.</param>
    /// <param name="Embeddings">The header of the embeddings.</param>
    /// <param name="Pages">The object of each page.</param>
    private sealed record Head(long Epoch, byte[] Index, byte[] Embeddings, Dictionary<int, string> Pages)
    {
        public const string Name = "pages.json";

        /// <summary>Halves in an embedding.</summary>
        public int Width { get; init; }
    }
}
