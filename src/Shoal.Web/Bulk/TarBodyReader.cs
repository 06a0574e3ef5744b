using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Reads a tar archive that arrives as a body.</summary>
/// <param name="body">The archive.</param>
/// <param name="settings">The dataset's settings.</param>
/// <param name="maxItems">The most items taken.</param>
internal sealed class TarBodyReader(Stream body, DatasetSettings settings, int maxItems) : IBulkReader
{
    /// <inheritdoc/>
    public int Items { get; private set; }

    /// <inheritdoc/>
    public string WhenEmpty => "The archive holds no file.";

    /// <inheritdoc/>
    /// <exception cref="BadHttpRequestException">413: there are too many items.</exception>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (SourceItem item in new TarSource(body, settings.Modality, settings.MaxItemBytes).ReadAsync(cancellationToken))
        {
            yield return ++Items > maxItems
                ? throw new BadHttpRequestException(
                    $"A request may hold {maxItems:N0} items, and the archive holds more; send the rest in another. Sending all again is safe.", StatusCodes.Status413PayloadTooLarge)
                : item;
        }
    }
}
