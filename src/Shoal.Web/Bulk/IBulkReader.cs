using Shoal.Client;

namespace Shoal.Web;

/// <summary>Reads the items of a request's body as they arrive.</summary>
internal interface IBulkReader
{
    /// <summary>How many items were read, rejected ones included.</summary>
    int Items { get; }

    /// <summary>What to say when there was none.</summary>
    string WhenEmpty { get; }

    /// <summary>Reads the items; one that cannot be read is a rejected one.</summary>
    /// <param name="cancellationToken">Stops the reading.</param>
    IAsyncEnumerable<SourceItem> ReadAsync(CancellationToken cancellationToken = default);
}
