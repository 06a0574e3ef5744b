using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shoal.Pages.Data;

namespace Shoal.Pages.Tests;

/// <summary>The pages on a real server, as a browser without its own network would load them.</summary>
public sealed partial class HostTests : IAsyncLifetime
{
    private static readonly object Rule = new();

    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        // As the silo is built: whatever a slim builder lacks is missing there too.
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IShoalSource>(new FakeSource());
        builder.Services.AddShoalPages(static _ => new FakeGuard());
        _app = builder.Build();
        _app.MapShoalPages().WithMetadata(Rule);
        await _app.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/silos")]
    [InlineData("/watch/digits/clusters")]
    [InlineData("/watch/digits/map")]
    [InlineData("/watch/digits/learning")]
    [InlineData("/watch/digits/item?id=a%2Fb")]
    public async Task A_page_is_served_and_everything_that_it_names_comes_from_here(string address)
    {
        using HttpResponseMessage answer = await _http.GetAsync(address);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("default-src 'self'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        string page = await answer.Content.ReadAsStringAsync();
        string[] named = [.. Named().Matches(page).Select(match => match.Groups["file"].Value)];
        Assert.True(named.Length >= 4, page);
        foreach (string file in named)
        {
            using HttpResponseMessage loaded = await _http.GetAsync("/" + file);
            Assert.True(loaded.StatusCode == HttpStatusCode.OK, $"{file} answers {loaded.StatusCode}.");
        }
    }

    [Fact]
    public async Task Files_of_browsers_are_whole_typed_and_not_sent_twice()
    {
        string[] addresses = [.. BrowserFiles.Addresses];
        Assert.Contains("_framework/blazor.web.js", addresses);
        Assert.Contains("_content/MudBlazor/MudBlazor.min.css", addresses);
        Assert.Contains("_content/MudBlazor/MudBlazor.min.js", addresses);
        Assert.Contains(addresses, address => address.StartsWith("_content/Plotly.Blazor/plotly-interop-", StringComparison.Ordinal));
        Assert.Contains(addresses, address => address.StartsWith("_content/Plotly.Blazor/plotly-", StringComparison.Ordinal) && address.EndsWith(".min.js", StringComparison.Ordinal));
        foreach (string address in addresses)
        {
            using HttpResponseMessage first = await _http.GetAsync("/" + address);
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            Assert.Equal(address.EndsWith(".css", StringComparison.Ordinal) ? "text/css" : "text/javascript", first.Content.Headers.ContentType?.MediaType);
            Assert.NotEmpty(await first.Content.ReadAsByteArrayAsync());

            using var again = new HttpRequestMessage(HttpMethod.Get, "/" + address);
            again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
            using HttpResponseMessage second = await _http.SendAsync(again);
            Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        }
    }

    [Fact]
    public void A_rule_for_the_pages_is_one_for_their_connection_too()
    {
        RouteEndpoint[] endpoints = [.. _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

        string[] ruled = [.. endpoints.Where(endpoint => endpoint.Metadata.Contains(Rule)).Select(endpoint => "/" + endpoint.RoutePattern.RawText?.Trim('/'))];
        string[] others = [.. endpoints.Where(endpoint => !endpoint.Metadata.Contains(Rule)).Select(endpoint => "/" + endpoint.RoutePattern.RawText?.Trim('/'))];
        Assert.Superset(new HashSet<string>(StringComparer.Ordinal) { "/", "/silos", "/watch/{Dataset}/clusters", "/watch/{Dataset}/item", "/_blazor", "/_blazor/negotiate" }, ruled.ToHashSet(StringComparer.Ordinal));
        Assert.All(others, route => Assert.True(BrowserFiles.Addresses.Contains(route[1..], StringComparer.Ordinal), $"{route} is open to everybody."));
    }

    [Fact]
    public async Task A_circuit_can_be_begun()
    {
        using HttpResponseMessage answer = await _http.PostAsync("/_blazor/negotiate?negotiateVersion=1", content: null);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    // Scripts and styles that are not inside the page itself.
    [GeneratedRegex("""<(?:script|link)[^>]* (?:src|href)="(?!data:)(?<file>[^"]+)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Named();
}
