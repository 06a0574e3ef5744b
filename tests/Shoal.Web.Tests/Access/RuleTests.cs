using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Contracts;

namespace Shoal.Web.Tests;

/// <summary>Every address of the API, found by asking the server which there are: each has a rule, and the rule is kept.</summary>
[Collection("access")]
public sealed partial class RuleTests(WebFixture fixture)
{
    [Fact]
    public void Every_endpoint_has_a_rule_and_only_health_is_open()
    {
        Assert.Empty(Unruled(fixture.Endpoints));
        RouteEndpoint[] routes = [.. fixture.Endpoints.OfType<RouteEndpoint>()];
        Assert.True(routes.Length > 40, $"only {routes.Length} endpoints were found");
        Assert.Equal(
            ["/healthz/live", "/healthz/ready"],
            routes.Where(route => route.Metadata.GetMetadata<AccessRule>()!.Scope is null).Select(route => route.RoutePattern.RawText).Order(StringComparer.Ordinal));
        Assert.All(routes, route => Assert.True(route.Metadata.GetMetadata<AccessRule>()!.Scope is null or AccessScopes.Ingest or AccessScopes.Read or AccessScopes.Manage));
    }

    [Fact]
    public async Task A_route_without_a_rule_is_found_and_is_closed_even_to_a_key_that_may_do_everything()
    {
        Assert.Equal([GuardedApi.Forgotten], Unruled(fixture.Guarded.Endpoints));
        using HttpResponseMessage answer = await fixture.Guarded.GetAsync(GuardedApi.Forgotten, await fixture.Guarded.MasterAsync());
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Without_a_key_every_address_but_health_answers_401_and_says_what_to_send()
    {
        foreach ((HttpMethod method, string path, AccessRule? rule) in Calls())
        {
            using HttpResponseMessage answer = await CallAsync(method, path, bearer: null);
            if (rule is { Scope: null })
            {
                // Signing in is open, and wants a key of its own form.
                Assert.Equal((path, method == HttpMethod.Get ? HttpStatusCode.OK : path is "/signin" ? HttpStatusCode.BadRequest : HttpStatusCode.Found), (path, answer.StatusCode));
                continue;
            }

            string problem = await RouteTests.ProblemAsync(answer, HttpStatusCode.Unauthorized);
            Assert.Contains("shoal key create", problem, StringComparison.Ordinal);
            Assert.Equal("Bearer", Assert.Single(answer.Headers.WwwAuthenticate).Scheme);
        }
    }

    [Theory]
    [InlineData(AccessScopes.Ingest)]
    [InlineData(AccessScopes.Read)]
    [InlineData(AccessScopes.Manage)]
    public async Task A_key_does_what_its_scope_says_and_nothing_else(string scope)
    {
        string key = (await fixture.Guarded.KeyAsync([scope])).Secret;
        int allowed = 0;
        foreach ((HttpMethod method, string path, AccessRule? rule) in Calls().Where(call => call.Rule is not { Scope: null }))
        {
            using HttpResponseMessage answer = await CallAsync(method, path, key);
            bool may = string.Equals(rule?.Scope, scope, StringComparison.Ordinal);
            Assert.True(may == (answer.StatusCode is not (HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized)), $"{scope}: {method} {path}: {answer.StatusCode}");
            allowed += may ? 1 : 0;
        }

        Assert.NotEqual(0, allowed);
    }

    [Fact]
    public async Task A_key_for_some_datasets_is_told_of_every_other_that_there_is_none()
    {
        string key = await fixture.Guarded.MasterAsync("somewhere-else");
        foreach ((HttpMethod method, string path, AccessRule? _) in Calls().Where(call => call.Path.StartsWith($"/datasets/{Name}", StringComparison.Ordinal)))
        {
            using HttpResponseMessage answer = await CallAsync(method, path, key);
            Assert.True(answer.StatusCode == HttpStatusCode.NotFound, $"{method} {path}: {answer.StatusCode}");
            Assert.Contains("that this caller knows of", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    private const string Name = "no-such";

    private static IEnumerable<string?> Unruled(IEnumerable<Endpoint> endpoints) => endpoints.OfType<RouteEndpoint>()
        .Where(route => route.Metadata.GetMetadata<AccessRule>() is null)
        .Select(route => route.RoutePattern.RawText);

    // Each address with values for what its pattern leaves open; the dataset does not exist, so that nothing is harmed by what is let through.
    private IEnumerable<(HttpMethod Method, string Path, AccessRule? Rule)> Calls() =>
        from route in fixture.Guarded.Endpoints.OfType<RouteEndpoint>()
        from method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        select (new HttpMethod(method), Filled(route.RoutePattern.RawText!), route.Metadata.GetMetadata<AccessRule>());

    private static string Filled(string pattern) => Parameter().Replace(pattern, static parameter => parameter.Groups["name"].Value switch
    {
        "dataset" => Name,
        "documentName" => "v1",
        _ => "1",
    });

    private Task<HttpResponseMessage> CallAsync(HttpMethod method, string path, string? bearer) => fixture.Guarded.SendAsync(
        method, path, bearer, method == HttpMethod.Get ? null : new StringContent("{}", Encoding.UTF8, "application/json"));

    [GeneratedRegex(@"\{\**(?<name>\w+)[^}]*\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Parameter();
}
