using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>A body that is one item.</summary>
/// <param name="item">The item.</param>
internal sealed class OneReader(ItemUpload item) : IBulkReader
{
    /// <inheritdoc/>
    public int Items => 1;

    /// <inheritdoc/>
    public string WhenEmpty => "The body holds no bytes.";

    /// <inheritdoc/>
    public IAsyncEnumerable<SourceItem> ReadAsync(CancellationToken cancellationToken = default) => new[] { new SourceItem(item) }.ToAsyncEnumerable();
}
