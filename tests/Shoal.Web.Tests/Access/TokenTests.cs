using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Shoal.Web.Tests;

/// <summary>Callers by tokens of an issuer, and tokens that are none.</summary>
[Collection("access")]
public sealed class TokenTests(WebFixture fixture)
{
    private const string NoAlgorithm = """{"alg":"none","typ":"JWT"}""";
    private const string SharedSecret = """{"alg":"HS256","typ":"JWT","kid":"one"}""";

    private GuardedApi Api => fixture.Guarded;

    [Theory]
    [InlineData("scope")]
    [InlineData("scp")]
    [InlineData("roles")]
    public async Task Scopes_come_from_any_of_the_usual_claims(string claim)
    {
        string token = Api.Token(Claims(claim, "openid shoal.read"));

        using HttpResponseMessage read = await Api.GetAsync("/datasets", token);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        await RouteTests.ProblemAsync(await Api.SendAsync(HttpMethod.Delete, "/datasets/no-such", token), HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Several_roles_come_as_a_list_and_scopes_of_other_programs_are_none_of_ours()
    {
        using HttpResponseMessage listed = await Api.GetAsync("/datasets", Api.Token(Claims("roles", new[] { "shoal.ingest", "shoal.read" })));
        Assert.Equal(HttpStatusCode.OK, listed.StatusCode);
        foreach (string scope in new[] { "read", "other.read", "Shoal.read", "shoal.Read", "shoal.", "openid" })
        {
            await RouteTests.ProblemAsync(await Api.GetAsync("/datasets", Api.Token(Claims("scope", scope))), HttpStatusCode.Forbidden);
        }
    }

    [Fact]
    public async Task Datasets_come_from_a_claim_and_without_it_there_are_none()
    {
        (string mine, _) = fixture.Dataset();
        (string theirs, _) = fixture.Dataset();
        string name = mine["/datasets/".Length..];
        Dictionary<string, object> claims = Claims("scope", "shoal.read");
        claims[GuardedApi.DatasetsClaim] = new[] { name };
        string token = Api.Token(claims);

        using HttpResponseMessage listed = await Api.GetAsync("/datasets", token);
        Assert.Equal(name, Assert.Single(await listed.Content.ReadFromJsonAsync<string[]>() ?? []));
        using HttpResponseMessage own = await Api.GetAsync(mine, token);
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        await RouteTests.ProblemAsync(await Api.GetAsync(theirs, token), HttpStatusCode.NotFound);

        claims.Remove(GuardedApi.DatasetsClaim);
        await RouteTests.ProblemAsync(await Api.GetAsync(mine, Api.Token(claims)), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_token_that_is_not_of_the_issuer_for_us_and_of_now_opens_nothing()
    {
        Dictionary<string, object> claims = Claims("scope", "shoal.read shoal.manage");
        using (HttpResponseMessage right = await Api.GetAsync("/datasets", Api.Token(claims)))
        {
            Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        }

        using var stranger = RSA.Create(2_048);
        string good = Api.Token(claims);
        string[] parts = good.Split('.');
        (string Why, string Token)[] wrong =
        [
            ("for another program", Api.Token(claims, audience: "others")),
            ("of another issuer", Api.Token(claims, issuer: "https://evil.example")),
            ("signed by another", Api.Token(claims, signer: stranger)),
            ("over", Api.Token(claims, life: TimeSpan.FromHours(-1))),
            ("not signed", $"{Base64UrlEncoder.Encode(NoAlgorithm)}.{parts[1]}."),
            ("with another's claims", $"{parts[0]}.{Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(parts[1]).Replace("shoal.read", "shoal.reap", StringComparison.Ordinal))}.{parts[2]}"),
            ("signed with what everyone may read", Forged(parts[1])),
            ("cut off", good[..^10]),
        ];
        foreach ((string why, string token) in wrong)
        {
            using HttpResponseMessage answer = await Api.GetAsync("/datasets", token);
            Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{why}: {answer.StatusCode}");
        }
    }

    [Fact]
    public void A_token_that_names_no_audience_or_an_issuer_without_TLS_is_refused_at_the_start()
    {
        Assert.Contains("--jwt-audience", Assert.Single(new AccessOptions { IsRequired = true, Authority = "https://issuer.example" }.Problems()), StringComparison.Ordinal);
        Assert.Contains("https", Assert.Single(new AccessOptions { IsRequired = true, Authority = "http://issuer.example", Audience = "x" }.Problems()), StringComparison.Ordinal);
        Assert.Contains("--auth", Assert.Single(new AccessOptions { Authority = "https://issuer.example", Audience = "x" }.Problems()), StringComparison.Ordinal);
        Assert.Empty(new AccessOptions { IsRequired = true, Authority = "https://issuer.example", Audience = "x", DatasetsClaim = "d" }.Problems());
        Assert.Empty(new AccessOptions().Problems());
    }

    // A token of somebody, for every dataset unless its claim is taken away.
    private static Dictionary<string, object> Claims(string name, object value) => new(StringComparer.Ordinal)
    {
        ["sub"] = "somebody",
        [GuardedApi.DatasetsClaim] = "*",
        [name] = value,
    };

    // HS256 with the issuer's name for a key: a reader that takes any algorithm takes this one, too.
    private static string Forged(string payload)
    {
        string signed = $"{Base64UrlEncoder.Encode(SharedSecret)}.{payload}";
        return $"{signed}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(Encoding.ASCII.GetBytes(GuardedApi.Issuer), Encoding.ASCII.GetBytes(signed)))}";
    }
}
