using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>One item read from a source.</summary>
/// <param name="Upload">What is sent.</param>
/// <param name="Label">What the source says the item is; it stays with the caller and is never sent.</param>
/// <param name="Problem">Why the item cannot be sent, for example an unreadable file; null when it can.</param>
public readonly record struct SourceItem(ItemUpload Upload, string? Label = null, string? Problem = null)
{
    /// <summary>An item that cannot be sent: ingest answers it as rejected, with the reason.</summary>
    /// <param name="id">The item's id.</param>
    /// <param name="problem">Why, in a sentence.</param>
    /// <param name="label">What the source says the item is.</param>
    public static SourceItem Unreadable(string id, string problem, string? label = null) =>
        new(new ItemUpload { Id = id, MediaType = MediaTypes.AnyImage, Bytes = [] }, label, problem);
}

/// <summary>Where items come from: files of one layout.</summary>
public interface IItemSource
{
    /// <summary>How many items there are; null when that is not known beforehand.</summary>
    long? Count { get; }

    /// <summary>Reads the items in the same order each time.</summary>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="ShoalException">Invalid (the files are not of the layout).</exception>
    IAsyncEnumerable<SourceItem> ReadAsync(CancellationToken cancellationToken = default);
}
