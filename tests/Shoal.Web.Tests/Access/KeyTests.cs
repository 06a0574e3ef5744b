using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

/// <summary>Attacks on keys, and with keys.</summary>
[Collection("access")]
public sealed class KeyTests(WebFixture fixture)
{
    private GuardedApi Api => fixture.Guarded;

    [Fact]
    public async Task What_is_no_key_or_not_quite_one_opens_nothing()
    {
        string key = await Api.MasterAsync();
        using (HttpResponseMessage right = await Api.GetAsync("/datasets", key))
        {
            Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        }

        string otherSecret = key[..^1] + (key[^1] == '0' ? '1' : '0');
        string otherPrefix = AccessSecret.Mark + (key[6] == '0' ? '1' : '0') + key[7..];
        string[] wrong =
        [
            $"Bearer {otherSecret}", $"Bearer {otherPrefix}", $"Bearer {key}0", $"Bearer {key[..^1]}", $"Bearer {key[..14]}", "Bearer", "Bearer ", "Bearer null", $"Basic {key}", key,
            $"Bearer {key}, Bearer {key}", $"Bearer Bearer {key}", $"Bearer {new string('a', 4_000)}", $"Bearer {AccessSecret.New().Text}", "Bearer shoal_________________________________________________________________________",
        ];
        foreach (string header in wrong)
        {
            using HttpResponseMessage answer = await Api.SendAsync(HttpMethod.Get, "/datasets", null, null, ("Authorization", header));
            string problem = await RouteTests.ProblemAsync(answer, HttpStatusCode.Unauthorized);
            Assert.Contains("invalid_token", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(key[15..^1], problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_counts_in_its_header_alone_and_only_once()
    {
        string key = await Api.MasterAsync();
        string reader = (await Api.KeyAsync([AccessScopes.Read])).Secret;
        foreach (string path in new[] { $"/datasets?key={key}", $"/datasets?access_token={key}", $"/datasets?Authorization=Bearer%20{key}" })
        {
            await RouteTests.ProblemAsync(await Api.GetAsync(path, bearer: null), HttpStatusCode.Unauthorized);
        }

        foreach (string name in new[] { "Cookie", "X-Api-Key", "Proxy-Authorization", "X-Forwarded-Authorization" })
        {
            await RouteTests.ProblemAsync(await Api.SendAsync(HttpMethod.Get, "/datasets", null, null, (name, $"Bearer {key}")), HttpStatusCode.Unauthorized);
        }

        // What a proxy has read of two, and what we would, may differ.
        string twice = await RawHttp.SendAsync(Api.Address, ["GET /datasets HTTP/1.1", "Host: x", $"Authorization: Bearer {reader}", $"Authorization: Bearer {key}"]);
        Assert.Contains(RawHttp.StatusOf(twice), new[] { 400, 401 });
        Assert.Equal(200, RawHttp.StatusOf(await RawHttp.SendAsync(Api.Address, ["GET /datasets HTTP/1.1", "Host: x", $"authorization: bearer {key}"])));
    }

    [Fact]
    public async Task A_revoked_key_is_refused_within_five_seconds_and_not_before_it_is_revoked()
    {
        var time = new FakeTimeProvider();
        await using var client = new ShoalClient(fixture.Silo.Client, new ShoalClientOptions { Retries = 0 });
        using var ring = new KeyRing(client, time);
        CreatedKey created = await client.CreateKeyAsync(new NewAccessKey { Name = "short", Scopes = [AccessScopes.Read] });
        AccessSecret secret = AccessSecret.Parse(created.Secret)!;
        Assert.Equal($"key:{created.Key.Prefix}", (await ring.FindAsync(secret, TestContext.Current.CancellationToken))?.Id);

        await client.RevokeKeyAsync(created.Key.Prefix);
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.NotNull(await ring.FindAsync(secret, TestContext.Current.CancellationToken));
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Null(await ring.FindAsync(secret, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_key_opens_at_once_unless_strangers_have_just_tried_many()
    {
        var time = new FakeTimeProvider();
        await using var client = new ShoalClient(fixture.Silo.Client, new ShoalClientOptions { Retries = 0 });
        using var ring = new KeyRing(client, time);
        Assert.Null(await ring.FindAsync(AccessSecret.New(), TestContext.Current.CancellationToken));
        CreatedKey first = await client.CreateKeyAsync(new NewAccessKey { Name = "first", Scopes = [AccessScopes.Read] });
        Assert.NotNull(await ring.FindAsync(AccessSecret.Parse(first.Secret)!, TestContext.Current.CancellationToken));

        for (int stranger = 0; stranger < KeyRing.UnknownAtOnce; stranger++)
        {
            Assert.Null(await ring.FindAsync(AccessSecret.New(), TestContext.Current.CancellationToken));
        }

        AccessSecret second = AccessSecret.Parse((await client.CreateKeyAsync(new NewAccessKey { Name = "second", Scopes = [AccessScopes.Read] })).Secret)!;
        Assert.Null(await ring.FindAsync(second, TestContext.Current.CancellationToken));
        time.Advance(KeyRing.UnknownLifetime);
        Assert.NotNull(await ring.FindAsync(second, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task When_keys_are_known_no_longer_and_cannot_be_asked_for_nobody_is_let_in()
    {
        string key = await Api.MasterAsync();
        using (HttpResponseMessage known = await Api.GetAsync("/datasets", key))
        {
            Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        }

        Api.Time.Advance(TimeSpan.FromSeconds(5));

        // The call, and its one repetition.
        Api.Store.KeyFailures.Enqueue(new ShoalException(ShoalErrorKind.Unavailable, "Away."));
        Api.Store.KeyFailures.Enqueue(new ShoalException(ShoalErrorKind.Unavailable, "Away."));
        using HttpResponseMessage answer = await Api.GetAsync("/datasets", key);
        await RouteTests.ProblemAsync(answer, HttpStatusCode.ServiceUnavailable);
        Assert.NotNull(answer.Headers.RetryAfter);
        using HttpResponseMessage again = await Api.GetAsync("/datasets", key);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task A_key_ends_when_its_days_are_over()
    {
        string key = (await Api.KeyAsync([AccessScopes.Read], days: 0.5)).Secret;
        using (HttpResponseMessage before = await Api.GetAsync("/datasets", key))
        {
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        }

        Api.Time.Advance(TimeSpan.FromDays(1));
        await RouteTests.ProblemAsync(await Api.GetAsync("/datasets", key), HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_stream_ends_when_the_key_it_was_opened_with_is_revoked()
    {
        (string path, _) = fixture.Dataset();
        CreatedKey key = await Api.KeyAsync([AccessScopes.Read]);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{path}/events/stream");
        request.Headers.Authorization = new("Bearer", key.Secret);
        using HttpResponseMessage answer = await Api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream events = await answer.Content.ReadAsStreamAsync();
        Assert.NotEqual(0, await events.ReadAsync(new byte[1]));

        await Api.Client.RevokeKeyAsync(key.Key.Prefix);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        Api.Time.Advance(KeyRing.Lifetime);
        Exception ended = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            byte[] rest = new byte[1_000];
            while (await events.ReadAsync(rest, patience.Token) > 0)
            {
            }
        });
        Assert.True(ended is IOException or HttpRequestException, $"{ended}");
    }

    [Fact]
    public async Task A_key_for_one_dataset_sees_neither_another_nor_whether_there_is_one()
    {
        (string mine, _) = fixture.Dataset();
        (string theirs, FakeDataset hidden) = fixture.Dataset();
        (string own, string other) = (mine["/datasets/".Length..], theirs["/datasets/".Length..]);
        string key = await Api.MasterAsync(own, "not-made-yet");

        using HttpResponseMessage listed = await Api.GetAsync("/datasets", key);
        Assert.Equal(own, Assert.Single(await listed.Content.ReadFromJsonAsync<string[]>() ?? []));
        string there = await RouteTests.ProblemAsync(await Api.GetAsync(theirs, key), HttpStatusCode.NotFound);
        string nowhere = await RouteTests.ProblemAsync(await Api.GetAsync("/datasets/nowhere", key), HttpStatusCode.NotFound);
        Assert.Equal(Detail(nowhere).Replace("nowhere", other, StringComparison.Ordinal), Detail(there));

        // By what a body says instead of the path.
        await RouteTests.ProblemAsync(await PostAsync("/datasets", new { name = other }, key), HttpStatusCode.NotFound);
        await RouteTests.ProblemAsync(await PostAsync("/datasets", new { name = "not-made-yet", settings = new { startFrom = other } }, key), HttpStatusCode.NotFound);
        await RouteTests.ProblemAsync(await PostAsync($"{mine}/restore", new { source = "/mnt/monday", name = other }, key), HttpStatusCode.Forbidden);
        await RouteTests.ProblemAsync(await PostAsync($"{mine}/backup", new { target = "/etc" }, key), HttpStatusCode.Forbidden);
        await RouteTests.ProblemAsync(await Api.GetAsync("/metrics", key), HttpStatusCode.Forbidden);
        Assert.Empty(hidden.Items);

        // The control: its own may be made, and begin with its own.
        using HttpResponseMessage made = await PostAsync("/datasets", new { name = "not-made-yet", settings = new { startFrom = own } }, key);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
    }

    [Fact]
    public async Task No_secret_is_logged_by_anybody_at_any_level()
    {
        CreatedKey key = await Api.KeyAsync([AccessScopes.Read]);
        string secret = key.Secret[^64..];
        foreach (string path in new[] { "/datasets", "/datasets/no-such", "/docs", "/openapi/v1.json" })
        {
            using HttpResponseMessage used = await Api.GetAsync(path, key.Secret);
            using HttpResponseMessage mistaken = await Api.GetAsync(path, key.Secret + "0");
        }

        Api.Store.KeyFailures.Enqueue(new InvalidOperationException("A bug."));
        Api.Time.Advance(KeyRing.Lifetime);
        using HttpResponseMessage bug = await Api.GetAsync("/datasets", key.Secret);
        Assert.Equal(HttpStatusCode.InternalServerError, bug.StatusCode);
        string log = Api.Log.Text;
        Assert.DoesNotContain(secret, log, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(secret, key.Key.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(secret, $"{AccessSecret.Parse(key.Secret)}", StringComparison.OrdinalIgnoreCase);

        // The control: the log has what was asked for.
        Assert.Contains("/datasets/no-such", log, StringComparison.Ordinal);
    }

    private static string Detail(string problem) => JsonDocument.Parse(problem).RootElement.GetProperty("detail").GetString()!;

    private Task<HttpResponseMessage> PostAsync(string path, object body, string key) => Api.SendAsync(HttpMethod.Post, path, key, JsonContent.Create(body));
}
