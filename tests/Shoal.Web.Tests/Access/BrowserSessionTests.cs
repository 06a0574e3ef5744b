using System.Net;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web.Tests;

/// <summary>People who sign in with a key in a browser, and pages of other sites that would like to use it.</summary>
[Collection("access")]
public sealed class BrowserSessionTests(WebFixture fixture)
{
    private const string Cookie = "__Host-shoal-key";

    private GuardedApi Api => fixture.Guarded;

    [Fact]
    public async Task Who_asks_for_a_page_is_sent_to_sign_in_and_comes_back_with_a_cookie_that_no_script_and_no_other_site_gets()
    {
        using HttpResponseMessage asked = await Api.SendAsync(HttpMethod.Get, "/datasets?x=1", bearer: null, headers: ("Accept", "text/html,*/*"));
        Assert.Equal((HttpStatusCode.Found, "/signin?return=%2Fdatasets%3Fx%3D1"), (asked.StatusCode, asked.Headers.Location?.OriginalString));
        using HttpResponseMessage form = await Api.GetAsync(asked.Headers.Location!.OriginalString, bearer: null);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (form.StatusCode, form.Content.Headers.ContentType?.MediaType));
        Assert.Contains("action=\"/signin?return=%2Fdatasets%3Fx%3D1\"", await form.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        string key = await Api.MasterAsync();
        using HttpResponseMessage entered = await EnterAsync(key, asked.Headers.Location.OriginalString);
        Assert.Equal((HttpStatusCode.Found, "/datasets?x=1"), (entered.StatusCode, entered.Headers.Location?.OriginalString));
        string cookie = Assert.Single(entered.Headers.GetValues("Set-Cookie"));
        Assert.Equal($"{Cookie}={key}; path=/; secure; samesite=strict; httponly", cookie, ignoreCase: true);
        Assert.Equal(HttpStatusCode.OK, await WithCookieAsync(HttpMethod.Get, "/datasets", key));
        Assert.Equal(HttpStatusCode.Unauthorized, await WithCookieAsync(HttpMethod.Get, "/datasets", key + "0"));

        using HttpResponseMessage left = await Api.SendAsync(HttpMethod.Post, "/signout", bearer: null);
        Assert.StartsWith($"{Cookie}=; expires=Thu, 01 Jan 1970", Assert.Single(left.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task What_another_site_sends_is_nobodys_even_with_the_cookie(string name, string value)
    {
        (string path, _) = fixture.Dataset();
        string key = await Api.MasterAsync();
        Assert.Equal(HttpStatusCode.NoContent, await WithCookieAsync(HttpMethod.Post, $"{path}/pause", key));
        Assert.Equal(HttpStatusCode.Unauthorized, await WithCookieAsync(HttpMethod.Post, $"{path}/pause", key, (name, value)));
        Assert.Equal(HttpStatusCode.Unauthorized, await WithCookieAsync(HttpMethod.Delete, path, key, (name, value)));

        // A connection by which pages are used begins with a GET.
        Assert.Equal(HttpStatusCode.Unauthorized, await WithCookieAsync(HttpMethod.Get, "/datasets", key, (name, value), ("Upgrade", "websocket"), ("Connection", "Upgrade")));
        using HttpResponseMessage entered = await EnterAsync(key, "/signin", (name, value));
        Assert.Equal(HttpStatusCode.BadRequest, entered.StatusCode);
        Assert.False(entered.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_browser_that_says_the_form_is_of_this_site_is_believed_whatever_origin_it_keeps_to_itself()
    {
        using HttpResponseMessage form = await Api.GetAsync("/signin", bearer: null);
        Assert.Equal("same-origin", Assert.Single(form.Headers.GetValues("Referrer-Policy")));
        string key = await Api.MasterAsync();
        using HttpResponseMessage entered = await EnterAsync(key, "/signin", ("Sec-Fetch-Site", "same-origin"), ("Origin", "null"));
        Assert.Equal(HttpStatusCode.Found, entered.StatusCode);
        using HttpResponseMessage other = await EnterAsync(key, "/signin", ("Sec-Fetch-Site", "cross-site"), ("Origin", $"{Api.Address.GetLeftPart(UriPartial.Authority)}"));
        Assert.Equal(HttpStatusCode.BadRequest, other.StatusCode);
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("evil.example")]
    [InlineData("/a\r\nSet-Cookie: x=y")]
    [InlineData("")]
    public async Task Signing_in_leads_nowhere_else(string wanted)
    {
        using HttpResponseMessage entered = await EnterAsync(await Api.MasterAsync(), $"/signin?return={Uri.EscapeDataString(wanted)}");
        Assert.Equal((HttpStatusCode.Found, "/"), (entered.StatusCode, entered.Headers.Location?.OriginalString));
    }

    [Fact]
    public async Task What_is_no_key_is_told_so_and_not_repeated_and_a_revoked_one_is_none()
    {
        CreatedKey key = await Api.KeyAsync([AccessScopes.Read]);
        Assert.Equal(HttpStatusCode.OK, await WithCookieAsync(HttpMethod.Get, "/datasets", key.Secret));
        await Api.Client.RevokeKeyAsync(key.Key.Prefix);
        Api.Time.Advance(KeyRing.Lifetime);
        Assert.Equal(HttpStatusCode.Unauthorized, await WithCookieAsync(HttpMethod.Get, "/datasets", key.Secret));
        foreach (string wrong in new[] { key.Secret, "<script>alert(1)</script>", string.Empty })
        {
            using HttpResponseMessage refused = await EnterAsync(wrong, "/signin?return=%22%3E%3Cscript%3E");
            string page = await refused.Content.ReadAsStringAsync();
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Contains("role=\"alert\"", page, StringComparison.Ordinal);
            Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
            Assert.True(wrong.Length == 0 || !page.Contains(wrong, StringComparison.Ordinal));
        }
    }

    private async Task<HttpResponseMessage> EnterAsync(string key, string path, params (string Name, string Value)[] headers)
    {
        using var form = new FormUrlEncodedContent([new("key", key)]);
        return await Api.SendAsync(HttpMethod.Post, path, bearer: null, form, headers);
    }

    private async Task<HttpStatusCode> WithCookieAsync(HttpMethod method, string path, string key, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage answer = await Api.SendAsync(method, path, bearer: null, content: null, [("Cookie", $"{Cookie}={key}"), .. headers]);
        return answer.StatusCode;
    }
}
