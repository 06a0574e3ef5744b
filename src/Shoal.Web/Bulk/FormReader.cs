using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Reads the files of a <c>multipart/form-data</c> body as they arrive: a file's name is the item's id.</summary>
/// <param name="body">The body.</param>
/// <param name="contentType">The request's content type, which names the boundary.</param>
/// <param name="settings">The dataset's settings.</param>
/// <param name="maxItems">The most items taken.</param>
internal sealed class FormReader(Stream body, string contentType, DatasetSettings settings, int maxItems) : IBulkReader
{
    // RFC 2046, section 5.1.1.
    private const int MaxBoundary = 70;

    /// <inheritdoc/>
    public int Items { get; private set; }

    /// <inheritdoc/>
    public string WhenEmpty => "The form holds no file; send some with: curl -F 'file=@seven.png;filename=a/7'.";

    /// <inheritdoc/>
    /// <exception cref="ShoalException">Invalid: the body is no such form, or ends early.</exception>
    /// <exception cref="BadHttpRequestException">413: there are too many items.</exception>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var form = new MultipartReader(Boundary(), body);
        while (await TryAsync(() => form.ReadNextSectionAsync(cancellationToken)) is { } part)
        {
            if (++Items > maxItems)
            {
                throw new BadHttpRequestException(
                    $"A request may hold {maxItems:N0} items, and the form holds more; send the rest in another. Sending all again is safe.", StatusCodes.Status413PayloadTooLarge);
            }

            yield return await TryAsync(() => ReadAsync(part, cancellationToken));
        }
    }

    private string Boundary()
    {
        string boundary = MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type) ? HeaderUtilities.RemoveQuotes(type.Boundary).ToString() : string.Empty;
        return boundary.Length is > 0 and <= MaxBoundary
            ? boundary
            : throw new ShoalException(ShoalErrorKind.Invalid, $"The content type '{contentType}' names no boundary of 1 to {MaxBoundary} characters.");
    }

    private async Task<SourceItem> ReadAsync(MultipartSection part, CancellationToken cancellationToken)
    {
        if (NameOf(part) is not { Length: > 0 } id)
        {
            return SourceItem.Unreadable(string.Empty, $"Part {Items} of the form has no file name; the name is the item's id.");
        }

        using var bytes = new MemoryStream();
        byte[] piece = new byte[16 * 1024];
        for (int read; (read = await part.Body.ReadAsync(piece, cancellationToken)) > 0;)
        {
            if (bytes.Length + read > settings.MaxItemBytes)
            {
                // The form reader skips what is left of it.
                return SourceItem.Unreadable(id, UploadRules.TooLarge(settings));
            }

            await bytes.WriteAsync(piece.AsMemory(0, read), cancellationToken);
        }

        return new SourceItem(new ItemUpload { Id = id, MediaType = Requests.MediaType(part.ContentType, UploadRules.MediaTypeOf(id, settings)), Bytes = bytes.ToArray() });
    }

    // Browsers and curl write a quotation mark in a name as %22, and no other character so.
    private static string? NameOf(MultipartSection part) =>
        ContentDispositionHeaderValue.TryParse(part.ContentDisposition, out ContentDispositionHeaderValue? disposition)
            ? (disposition.FileNameStar.HasValue ? disposition.FileNameStar : HeaderUtilities.RemoveQuotes(disposition.FileName)).ToString().Replace("%22", "\"", StringComparison.Ordinal)
            : null;

    private static async Task<T> TryAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, "The form cannot be read: it is damaged or cut off. Files before may be stored; sending them again is safe.", failure);
        }
    }
}
