using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Shoal.Contracts;

namespace Shoal.Web.Tests;

/// <summary>Orleans' dashboard: there only when asked for, and for those alone who manage every dataset.</summary>
[Collection("access")]
public sealed class DashboardTests(WebFixture fixture)
{
    private GuardedApi Api => fixture.Guarded;

    [Theory]
    [InlineData("/dashboard")]
    [InlineData("/dashboard/")]
    [InlineData("/dashboard/DashboardCounters")]
    [InlineData("/dashboard/GrainState")]
    public async Task Where_it_is_off_there_is_no_such_address(string address)
    {
        using HttpResponseMessage answer = await fixture.Http.GetAsync(address);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task It_is_refused_without_a_key_with_one_that_reads_and_with_one_for_some_datasets()
    {
        string reader = (await Api.KeyAsync([AccessScopes.Read, AccessScopes.Ingest])).Secret;
        string some = await Api.MasterAsync("yard");
        string[] addresses = [.. Routes().Select(route => route.RoutePattern.RawText!.Split('{')[0]).Distinct(StringComparer.Ordinal)];
        Assert.True(addresses.Length > 10, $"only {addresses.Length} addresses were found");
        foreach (string address in addresses)
        {
            Assert.Equal((address, HttpStatusCode.Unauthorized), (address, await StatusAsync(address, bearer: null)));
            Assert.Equal((address, HttpStatusCode.Forbidden), (address, await StatusAsync(address, reader)));
            Assert.Equal((address, HttpStatusCode.Forbidden), (address, await StatusAsync(address, some)));
        }
    }

    [Fact]
    public async Task It_answers_a_key_that_manages_every_dataset_with_a_page_and_figures_of_this_cluster()
    {
        string key = await Api.MasterAsync();
        using HttpResponseMessage page = await Api.GetAsync(ShoalDashboard.Address, key);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        Assert.Contains("index.min.js", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'; script-src 'self';", Assert.Single(page.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);

        using HttpResponseMessage figures = await Api.GetAsync("/dashboard/DashboardCounters", key);
        Assert.Equal(HttpStatusCode.OK, figures.StatusCode);
        using JsonDocument told = JsonDocument.Parse(await figures.Content.ReadAsStringAsync());
        Assert.Equal(1, told.RootElement.GetProperty("hosts").GetArrayLength());
    }

    [Theory]
    [InlineData("/dashboard/GrainState?grainId=access&grainType=Shoal.Fakes.FakeAccessGrain")]
    [InlineData("/dashboard/Trace")]
    public async Task It_neither_calls_grains_nor_shows_the_log(string address)
    {
        using HttpResponseMessage answer = await Api.GetAsync(address, await Api.MasterAsync());
        Assert.Contains("does not serve this", await RouteTests.ProblemAsync(answer, HttpStatusCode.NotFound), StringComparison.Ordinal);
    }

    private IEnumerable<RouteEndpoint> Routes() => Api.Endpoints.OfType<RouteEndpoint>().Where(route => route.RoutePattern.RawText!.StartsWith("/dashboard", StringComparison.Ordinal));

    private async Task<HttpStatusCode> StatusAsync(string address, string? bearer)
    {
        using HttpResponseMessage answer = await Api.GetAsync(address, bearer);
        return answer.StatusCode;
    }
}
