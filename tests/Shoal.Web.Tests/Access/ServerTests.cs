using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Shoal.Web.Tests;

/// <summary>What the server does before it knows of a caller, and what every answer says to browsers.</summary>
[Collection("access")]
public sealed class ServerTests(WebFixture fixture)
{
    [Fact]
    public async Task Who_dawdles_with_headers_or_a_body_is_sent_away_and_who_does_not_is_served()
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(static kestrel => kestrel.ApplyShoalLimits(TimeSpan.FromSeconds(1.5)));
        await using WebApplication app = builder.Build();
        app.MapPost("/", static async (HttpContext context) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            return TypedResults.Text("read");
        });
        await app.StartAsync();
        var server = new Uri(app.Urls.First());

        // Three connections at once: each is waited for as long as it may last.
        string[] answers = await Task.WhenAll(
            RawHttp.ExchangeAsync(server, "POST / HTTP/1.1\r\nHost: x\r\nX-Never: en", headOnly: true),
            RawHttp.ExchangeAsync(server, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx", headOnly: true),
            RawHttp.SendAsync(server, ["POST / HTTP/1.1", "Host: x", "Content-Length: 5"], "whole"));

        // Of headers that never end, Kestrel may close without a word.
        Assert.Contains(RawHttp.StatusOf(answers[0]), new[] { 0, 408 });
        Assert.Equal(408, RawHttp.StatusOf(answers[1]));
        Assert.Equal(200, RawHttp.StatusOf(answers[2]));
    }

    [Fact]
    public async Task Every_answer_tells_browsers_to_make_nothing_else_of_it_and_names_no_server()
    {
        (string path, _) = fixture.Dataset();
        string key = await fixture.Guarded.MasterAsync();
        (string Path, string? Key, HttpStatusCode Status)[] cases =
        [
            ("/datasets", key, HttpStatusCode.OK), ("/datasets", null, HttpStatusCode.Unauthorized), ("/datasets/none", key, HttpStatusCode.NotFound),
            (path, key, HttpStatusCode.OK), ("/healthz/live", null, HttpStatusCode.OK), ("/nothing", key, HttpStatusCode.NotFound),
        ];
        foreach ((string address, string? bearer, HttpStatusCode status) in cases)
        {
            using HttpResponseMessage answer = await fixture.Guarded.GetAsync(address, bearer);
            Assert.Equal((address, status), (address, answer.StatusCode));
            Assert.Equal("nosniff", Header(answer, "X-Content-Type-Options"));
            Assert.Equal("DENY", Header(answer, "X-Frame-Options"));
            Assert.Equal("default-src 'none'; frame-ancestors 'none'", Header(answer, "Content-Security-Policy"));
            Assert.Equal("no-referrer", Header(answer, "Referrer-Policy"));
            Assert.Equal("same-origin", Header(answer, "Cross-Origin-Resource-Policy"));
            Assert.Contains("private", Header(answer, "Cache-Control"), StringComparison.Ordinal);
            Assert.False(answer.Headers.Contains("Server"));
            Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        }

        // A page may do a little more, and what is a stranger's less.
        using HttpResponseMessage docs = await fixture.Guarded.GetAsync("/docs", key);
        Assert.Contains("script-src 'self'", Header(docs, "Content-Security-Policy"), StringComparison.Ordinal);
        (await fixture.PutAsync($"{path}/items/a", "image/png", [1])).EnsureSuccessStatusCode();
        using HttpResponseMessage content = await fixture.Guarded.GetAsync($"{path}/content/a", key);
        Assert.Contains("sandbox", Header(content, "Content-Security-Policy"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://127.0.0.1.evil.example")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Where_nobody_is_asked_a_page_of_another_site_changes_nothing(string name, string value)
    {
        (string path, _) = fixture.Dataset();

        // What a form or a simple request of a page may send without the browser asking first.
        foreach (string type in new[] { "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{path}/pause");
            request.Content = new ByteArrayContent([]);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            request.Headers.TryAddWithoutValidation(name, value);
            await RouteTests.ProblemAsync(await fixture.Http.SendAsync(request), HttpStatusCode.Forbidden);
        }

        Assert.False(fixture.Store.Dataset(path["/datasets/".Length..]).Settings.Paused);

        // The controls: the API's own page may, and a link from elsewhere may be followed.
        using var own = new HttpRequestMessage(HttpMethod.Post, $"{path}/pause");
        own.Headers.TryAddWithoutValidation("Origin", fixture.Address.GetLeftPart(UriPartial.Authority));
        own.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");
        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.SendAsync(own)).StatusCode);
        using var link = new HttpRequestMessage(HttpMethod.Get, path);
        link.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "cross-site");
        Assert.Equal(HttpStatusCode.OK, (await fixture.Http.SendAsync(link)).StatusCode);
    }

    [Theory]
    [InlineData("evil.example", 403)]
    [InlineData("evil.example:80", 403)]
    [InlineData("127.0.0.1.evil.example", 403)]
    [InlineData("192.168.1.7", 403)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("localhost:5080", 200)]
    [InlineData("[::1]:5080", 200)]
    public async Task Where_nobody_is_asked_a_name_that_was_made_to_mean_this_host_is_no_name_of_it(string host, int status)
    {
        string answer = await RawHttp.SendAsync(fixture.Address, ["GET /datasets HTTP/1.1", $"Host: {host}"]);

        Assert.Equal(status, RawHttp.StatusOf(answer));
    }

    [Fact]
    public async Task Where_callers_are_asked_a_browser_brings_nothing_by_itself_and_is_allowed_nothing()
    {
        using HttpResponseMessage asked = await fixture.Guarded.SendAsync(
            HttpMethod.Options, "/datasets", null, null, ("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization"));
        Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode);
        Assert.False(asked.Headers.Contains("Access-Control-Allow-Origin"));
        using var form = new StringContent("""{"name":"by-a-form"}""", Encoding.UTF8, "text/plain");
        await RouteTests.ProblemAsync(await fixture.Guarded.SendAsync(HttpMethod.Post, "/datasets", null, form, ("Origin", "https://evil.example"), ("Cookie", "session=1")), HttpStatusCode.Unauthorized);
        Assert.DoesNotContain("by-a-form", fixture.Store.Datasets.Keys);
    }

    private static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) || answer.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : string.Empty;
}
