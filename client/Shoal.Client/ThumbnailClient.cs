using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>
/// Gets pictures of items from a silo's HTTP API: they are drawn there, because what draws them is a native library that clients do without.
/// </summary>
/// <param name="http">With the address of the API as its base, for example <c>http://127.0.0.1:5080</c>.</param>
public sealed class ThumbnailClient(HttpClient http)
{
    /// <summary>A picture of an item: an image scaled down, a window of sound as a spectrogram.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id; of a recording's window <c>RECORDING@MILLISECONDS</c>.</param>
    /// <param name="size">The longer side at most, in pixels, 16 to 512.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>A PNG.</returns>
    /// <exception cref="ShoalException">Invalid (the size is out of range, or the item cannot be drawn), NotFound, Overloaded, Unavailable (also: no API answers at the address).</exception>
    public async Task<byte[]> GetAsync(string dataset, string id, int size = 128, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(id);

        // Slashes are encoded too: an id may hold '/../', which would else be another address.
        var address = new Uri($"datasets/{Uri.EscapeDataString(dataset)}/thumbnail/{Uri.EscapeDataString(id)}?size={size}", UriKind.Relative);
        try
        {
            using HttpResponseMessage answer = await http.GetAsync(address, cancellationToken);
            return answer.IsSuccessStatusCode
                ? await answer.Content.ReadAsByteArrayAsync(cancellationToken)
                : throw new ShoalException(KindOf(answer.StatusCode), await ReasonAsync(answer, cancellationToken));
        }
        catch (HttpRequestException away)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, $"No silo's HTTP API answers at {http.BaseAddress}: {away.Message} Without --http-address it listens on its own host alone.", away);
        }
    }

    private static ShoalErrorKind KindOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.NotFound => ShoalErrorKind.NotFound,
        HttpStatusCode.TooManyRequests => ShoalErrorKind.Overloaded,
        >= HttpStatusCode.InternalServerError => ShoalErrorKind.Unavailable,
        _ => ShoalErrorKind.Invalid,
    };

    private static async Task<string> ReasonAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer.Content.Headers.ContentType?.MediaType is "application/problem+json")
        {
            JsonElement problem = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            if (problem.TryGetProperty("detail", out JsonElement detail) && detail.GetString() is { Length: > 0 } reason)
            {
                return reason;
            }
        }

        return $"What answers at {answer.RequestMessage?.RequestUri?.GetLeftPart(UriPartial.Authority)} says {(int)answer.StatusCode}; is it a silo's HTTP API?";
    }
}
