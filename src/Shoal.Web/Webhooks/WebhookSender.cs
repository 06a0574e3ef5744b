using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Shoal.Web;

/// <summary>How a receiver took a message.</summary>
/// <param name="Problem">Why it did not; null when it did.</param>
/// <param name="Gone">Whether it said that it is gone for good.</param>
/// <param name="RetryAfter">How long it asked to wait; null when it did not.</param>
internal sealed record Answer(string? Problem, bool Gone = false, TimeSpan? RetryAfter = null);

/// <summary>Posts messages. What a receiver answers is looked at for its status alone, and never told to whoever made the webhook.</summary>
internal sealed class WebhookSender : IDisposable
{
    private readonly HttpClient _http;
    private readonly TimeProvider _time;

    public WebhookSender(WebhookOptions options, WebhookTargets targets, TimeProvider time)
    {
        _time = time;
        var handler = new SocketsHttpHandler
        {
            // A redirect would lead past the check of what was asked for; a proxy connects to where nobody looked.
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectCallback = targets.ConnectAsync,
            ConnectTimeout = options.Timeout,
            MaxConnectionsPerServer = 8,
            MaxResponseHeadersLength = 16,
            MaxResponseDrainSize = 0,
            // Names may move.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
        _http = new HttpClient(handler)
        {
            Timeout = options.Timeout,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Shoal", "1"));
    }

    /// <summary>Posts a message once.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="posting">The message.</param>
    /// <param name="secret">What it is signed with.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<Answer> SendAsync(Uri url, Posting posting, byte[] secret, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(posting.Body)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        request.Headers.Add("webhook-id", posting.Id);
        request.Headers.Add("webhook-timestamp", Posting.Seconds(now));
        request.Headers.Add("webhook-signature", posting.Sign(secret, now));
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode
                ? new Answer(Problem: null)
                : new Answer(Explain(response.StatusCode), response.StatusCode is HttpStatusCode.Gone, response.Headers.RetryAfter is { } after ? after.Delta ?? (after.Date - now) : null);
        }
        catch (HttpRequestException failure)
        {
            return new Answer(failure.InnerException is WebhookRefusedException refused ? refused.Message : Explain(failure, url));
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Answer($"The receiver did not answer within {_http.Timeout.TotalSeconds} s.");
        }
    }

    public void Dispose() => _http.Dispose();

    private static string Explain(HttpStatusCode status) => (int)status is >= 300 and < 400
        ? $"The receiver answered {(int)status}; redirects are not followed, so name the address that it leads to."
        : $"The receiver answered {(int)status}.";

    // By kind, and not in the words of the inside: those tell what is behind an address.
    private static string Explain(HttpRequestException failure, Uri url) => failure.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => $"There is no address of the name '{url.Host}'.",
        HttpRequestError.SecureConnectionError => $"'{url.Host}' shows no certificate that is trusted.",
        HttpRequestError.ConnectionError => failure.InnerException is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }
            ? $"There is no address of the name '{url.Host}'."
            : $"'{url.Authority}' cannot be connected to.",
        _ => $"'{url.Authority}' broke the connection off, or answered no HTTP.",
    };
}
