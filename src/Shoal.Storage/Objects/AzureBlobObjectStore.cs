using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Shoal.Storage;

/// <summary>Keeps objects as blobs of one container: block blobs for puts, append blobs for appends.</summary>
/// <remarks>
/// An append carries the position it expects, so the service appends whole blocks or nothing, and nothing of a writer that is behind.
/// Whether an append that was answered by a time-out or (because the client library had retried it) by a conflict has happened is found
/// out by reading it back. An append blob takes 50,000 blocks; <see cref="ObjectInfo.Appends"/> counts them.
/// The client's own retry policy applies; the container must exist.
/// </remarks>
public sealed class AzureBlobObjectStore : IObjectStore
{
    private const int Conflict = 409;
    private const int PreconditionFailed = 412;
    private const int NotFound = 404;
    private const int RangeNotSatisfiable = 416;

    private readonly BlobContainerClient _container;

    /// <summary>Wraps a container.</summary>
    /// <param name="container">The container; it must exist.</param>
    public AzureBlobObjectStore(BlobContainerClient container)
    {
        ArgumentNullException.ThrowIfNull(container);
        _container = container;
    }

    /// <inheritdoc/>
    public Task<StoredObject?> GetAsync(string name, CancellationToken ct = default) => Guarded(writes: false, "read", name, async () =>
    {
        try
        {
            BlobDownloadResult result = await _container.GetBlobClient(name).DownloadContentAsync(ct);
            return new StoredObject(result.Content.ToArray(), result.Details.ETag.ToString());
        }
        catch (RequestFailedException e) when (e.Status == NotFound && IsBlobMissing(e))
        {
            return (StoredObject?)null;
        }
    }, ct);

    /// <inheritdoc/>
    public Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default) =>
        Guarded(writes: true, "write", name, async () =>
        {
            BlobRequestConditions conditions = new();
            if (condition.MustBeAbsent)
            {
                conditions.IfNoneMatch = ETag.All;
            }
            else if (condition.ETag is { } etag)
            {
                conditions.IfMatch = new ETag(etag);
            }

            BlobClient blob = _container.GetBlobClient(name);
            try
            {
                BlobContentInfo info = await blob.UploadAsync(new BinaryData(content), new BlobUploadOptions { Conditions = conditions }, ct);
                return info.ETag.ToString();
            }
            catch (RequestFailedException e) when (e.Status is Conflict or PreconditionFailed or NotFound && !IsContainerMissing(e))
            {
                // Ours all the same, if the client library retried a put that had been done.
                return await OwnPutAsync(blob, content, condition, ct)
                    ?? throw new ObjectConflictException(name, condition.MustBeAbsent ? "it exists already" : "it has changed since it was read", e);
            }
        }, ct);

    /// <inheritdoc/>
    public Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(expectedLength);
        AppendBlobClient blob = _container.GetAppendBlobClient(name);
        if (content.Length > blob.AppendBlobMaxAppendBlockBytes)
        {
            throw new ArgumentException(
                $"{content.Length} bytes; a block takes at most {blob.AppendBlobMaxAppendBlockBytes}. Append less at once.", nameof(content));
        }

        return Guarded(writes: true, "append to", name, async () =>
        {
            if (content.IsEmpty)
            {
                long length = (await StatOrNullAsync(name, ct))?.Length ?? 0;
                return length == expectedLength ? length : throw new AppendConflictException(name, expectedLength, length);
            }

            try
            {
                if (expectedLength == 0)
                {
                    await CreateAsync(blob, ct);
                }

                using Stream stream = BinaryData.FromBytes(content).ToStream();
                await blob.AppendBlockAsync(
                    stream,
                    new AppendBlobAppendBlockOptions { Conditions = new AppendBlobRequestConditions { IfAppendPositionEqual = expectedLength } },
                    ct);
                return expectedLength + content.Length;
            }
            catch (Exception e) when (IsUnsure(e, ct))
            {
                return await FindOutAsync(name, expectedLength, content, e, ct);
            }
        }, ct);
    }

    /// <inheritdoc/>
    public Task CutAsync(string name, long observedLength, long length, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, observedLength);
        return Guarded(writes: false, "look at", name, async () =>
        {
            long actual = (await StatOrNullAsync(name, ct))?.Length ?? 0;
            if (actual != observedLength)
            {
                throw new AppendConflictException(name, observedLength, actual);
            }

            return length == observedLength ? true : throw new NotSupportedException(
                $"Append blob '{name}' cannot have a torn tail: the service appends whole blocks or nothing.");
        }, ct);
    }

    /// <inheritdoc/>
    public Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default) => Guarded(writes: false, "read", name, async () =>
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        try
        {
            BlobDownloadOptions range = new() { Range = new HttpRange(offset, buffer.Length) };
            using BlobDownloadStreamingResult result = await _container.GetBlobClient(name).DownloadStreamingAsync(range, ct);
            return await result.Content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        }
        catch (RequestFailedException e) when (e.Status == RangeNotSatisfiable || (e.Status == NotFound && IsBlobMissing(e)))
        {
            return 0;
        }
    }, ct);

    /// <inheritdoc/>
    public Task<ObjectInfo?> StatAsync(string name, CancellationToken ct = default) => Guarded(writes: false, "look at", name, () => StatOrNullAsync(name, ct), ct);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        await using IAsyncEnumerator<BlobItem> blobs = _container
            .GetBlobsAsync(new GetBlobsOptions { Prefix = prefix.Length == 0 ? null : prefix }, ct).GetAsyncEnumerator(ct);
        while (await Translated(writes: false, "list", prefix, async () => await blobs.MoveNextAsync(), ct))
        {
            BlobItemProperties properties = blobs.Current.Properties;
            yield return new ObjectInfo(blobs.Current.Name, properties.ContentLength ?? 0, properties.LastModified ?? default);
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken ct = default) => Guarded(writes: true, "delete", name, async () =>
        await _container.DeleteBlobIfExistsAsync(name, DeleteSnapshotsOption.IncludeSnapshots, conditions: null, ct), ct);

    /// <summary>What to do about a failure.</summary>
    /// <param name="failure">The failure.</param>
    internal static string Remedy(Exception failure) => failure switch
    {
        AuthenticationFailedException => "Give this process an identity that may enter the storage account, or name the account by a connection string",
        RequestFailedException { Status: 401 or 403 } => "Give this identity the role Storage Blob Data Contributor on the container, then retry",
        RequestFailedException { Status: 404 } => "Create the container, then retry",
        RequestFailedException { Status: 409 } failed when failed.ErrorCode == BlobErrorCode.BlockCountExceedsLimit => "The blob has 50,000 blocks; let the log roll earlier",
        _ => "See that the storage account answers, then retry",
    };

    /// <summary>The first line of a message: those of identities go on with all that was tried.</summary>
    /// <param name="failure">The failure.</param>
    internal static string FirstLine(Exception failure) => failure.Message.Split('\n')[0].TrimEnd();

    private static async Task CreateAsync(AppendBlobClient blob, CancellationToken ct)
    {
        try
        {
            AppendBlobCreateOptions absent = new() { Conditions = new AppendBlobRequestConditions { IfNoneMatch = ETag.All } };
            await blob.CreateAsync(absent, ct);
        }
        catch (RequestFailedException e) when (e.Status is Conflict or PreconditionFailed && !IsContainerMissing(e))
        {
            // It exists; the append position decides.
        }
    }

    // A conflict may be our own success (the client library retries); a broken connection may have delivered the block.
    private static bool IsUnsure(Exception e, CancellationToken ct) => e switch
    {
        RequestFailedException failed => failed.Status is PreconditionFailed or 408 or 0 or >= 500
            || (failed.Status == NotFound && IsBlobMissing(failed)),
        _ => IsNoAnswer(e, ct),
    };

    // A connection that breaks while it is made comes as a bare SocketException, which neither the transport nor the retries know.
    private static bool IsNoAnswer(Exception e, CancellationToken ct) =>
        e is AggregateException or IOException or SocketException || (e is OperationCanceledException && !ct.IsCancellationRequested);

    private static bool IsBlobMissing(RequestFailedException e) => e.ErrorCode is null || e.ErrorCode == BlobErrorCode.BlobNotFound;

    private static bool IsContainerMissing(RequestFailedException e) => e.ErrorCode == BlobErrorCode.ContainerNotFound;

    private static async Task<string?> OwnPutAsync(BlobClient blob, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct)
    {
        try
        {
            // Under If-Match, equal content with another tag can only be what we wanted to write; under If-None-Match it may be
            // an equal put of somebody else, who then has the right to it.
            BlobDownloadResult present = await blob.DownloadContentAsync(ct);
            string tag = present.Details.ETag.ToString();
            return condition.ETag is { } old && !string.Equals(tag, old, StringComparison.Ordinal) && present.Content.ToMemory().Span.SequenceEqual(content.Span) ? tag : null;
        }
        catch (RequestFailedException e) when (e.Status == NotFound)
        {
            return null;
        }
    }

    private static Task<T> Guarded<T>(bool writes, string what, string name, Func<Task<T>> call, CancellationToken ct)
    {
        ObjectNames.Check(name);
        return Translated(writes, what, name, call, ct);
    }

    private static async Task<T> Translated<T>(bool writes, string what, string name, Func<Task<T>> call, CancellationToken ct)
    {
        try
        {
            return await call();
        }
        catch (RequestFailedException e)
        {
            throw new StorageUnavailableException(
                $"Cannot {what} '{name}': the service answered {e.Status} {e.ErrorCode}. {Remedy(e)}.", e, writes && e.Status is 0 or 408 or >= 500);
        }
        catch (AuthenticationFailedException e)
        {
            // A second try may have been what needed another token: of the first nothing is known then.
            throw new StorageUnavailableException($"Cannot {what} '{name}': {FirstLine(e)} {Remedy(e)}.", e, writes);
        }
        catch (Exception e) when (IsNoAnswer(e, ct))
        {
            throw new StorageUnavailableException(
                $"Cannot {what} '{name}': no answer ({e.Message}). See that the storage account can be reached, then retry.", e, writes);
        }
    }

    private async Task<long> FindOutAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, Exception cause, CancellationToken ct)
    {
        long length;
        try
        {
            length = (await StatOrNullAsync(name, ct))?.Length ?? 0;
            if (length >= expectedLength + content.Length)
            {
                byte[] present = new byte[content.Length];
                int read = await ReadAsync(name, expectedLength, present, ct);
                if (present.AsSpan(0, read).SequenceEqual(content.Span))
                {
                    return expectedLength + content.Length;
                }
            }
        }
        catch (Exception e) when (e is RequestFailedException or StorageUnavailableException || IsNoAnswer(e, ct))
        {
            throw new StorageUnavailableException(
                $"Cannot append to '{name}': {cause.Message} Whether it was done is not known, for reading it back failed too.", cause, outcomeUnknown: true);
        }

        if (length != expectedLength)
        {
            throw new AppendConflictException(name, expectedLength, length, cause);
        }

        // Not there, but a request on its way may still land.
        throw new StorageUnavailableException(
            $"Cannot append to '{name}': {cause.Message} See that the storage account answers, then retry.", cause, outcomeUnknown: true);
    }

    private async Task<ObjectInfo?> StatOrNullAsync(string name, CancellationToken ct)
    {
        try
        {
            BlobProperties properties = await _container.GetBlobClient(name).GetPropertiesAsync(conditions: null, ct);
            int? appends = properties.BlobType == BlobType.Append ? properties.BlobCommittedBlockCount : null;
            return new ObjectInfo(name, properties.ContentLength, properties.LastModified, appends);
        }
        catch (RequestFailedException e) when (e.Status == NotFound && IsBlobMissing(e))
        {
            return null;
        }
    }
}
