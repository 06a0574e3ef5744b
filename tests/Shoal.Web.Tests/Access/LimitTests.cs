using System.Diagnostics;
using System.Net;
using System.Text;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web.Tests;

/// <summary>Rates, quotas, and the audit log.</summary>
[Collection("access")]
public sealed class LimitTests(WebFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private GuardedApi Api => fixture.Guarded;

    [Fact]
    public async Task A_quota_of_a_day_ends_a_key_until_the_day_is_over_and_no_other()
    {
        string small = (await Api.KeyAsync([AccessScopes.Read], perDay: 2)).Secret;
        string other = (await Api.KeyAsync([AccessScopes.Read], perDay: 2)).Secret;
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage within = await Api.GetAsync("/datasets", small);
            Assert.Equal(HttpStatusCode.OK, within.StatusCode);
        }

        using HttpResponseMessage beyond = await Api.GetAsync("/datasets", small);
        await RouteTests.ProblemAsync(beyond, HttpStatusCode.TooManyRequests);
        Assert.True(beyond.Headers.RetryAfter?.Delta > TimeSpan.FromHours(1), $"{beyond.Headers.RetryAfter}");
        using HttpResponseMessage others = await Api.GetAsync("/datasets", other);
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
    }

    [Fact]
    public async Task A_key_that_asks_faster_than_it_may_is_told_when_to_come_again()
    {
        string slow = (await Api.KeyAsync([AccessScopes.Read], perSecond: 1)).Secret;

        // Of thirty at once two are taken, and as many more as there are seconds: fewer than ten on any machine.
        HttpResponseMessage[] answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Api.GetAsync("/datasets", slow)));

        HttpResponseMessage[] refused = Array.FindAll(answers, static answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.InRange(refused.Length, 20, 28);
        Assert.All(refused, answer => Assert.True(answer.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1)));
        Assert.All(answers, static answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task Strangers_are_limited_by_where_they_come_from_whatever_they_say_of_it_and_nobody_else_is()
    {
        await using GuardedApi strict = await GuardedApi.StartAsync(fixture.Silo, new AccessOptions { StrangerRequestsPerSecond = 1 });
        string key = await strict.MasterAsync();

        HttpResponseMessage[] answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => strict.SendAsync(HttpMethod.Get, "/datasets", null, null, ("X-Forwarded-For", $"10.0.0.{i}"))));

        Assert.InRange(answers.Count(static answer => answer.StatusCode == HttpStatusCode.TooManyRequests), 20, 28);
        using HttpResponseMessage known = await strict.GetAsync("/datasets", key);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        using HttpResponseMessage health = await strict.GetAsync("/healthz/live", bearer: null);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task More_requests_at_once_than_a_caller_may_have_are_refused()
    {
        await using GuardedApi narrow = await GuardedApi.StartAsync(fixture.Silo, new AccessOptions { MostAtOnce = 2 });
        (string path, _) = fixture.Dataset();
        string key = await narrow.MasterAsync();
        string other = await narrow.MasterAsync();
        var open = new List<HttpResponseMessage>();
        for (int i = 0; i < 2; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{path}/events/stream");
            request.Headers.Authorization = new("Bearer", key);
            open.Add(await narrow.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
        }

        Assert.All(open, static answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        await RouteTests.ProblemAsync(await narrow.GetAsync("/datasets", key), HttpStatusCode.TooManyRequests);
        using HttpResponseMessage others = await narrow.GetAsync("/datasets", other);
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
        open.ForEach(static answer => answer.Dispose());
    }

    [Fact]
    public async Task What_is_managed_stands_in_the_audit_log_with_who_and_how_it_ended()
    {
        (string path, _) = fixture.Dataset();
        string dataset = path["/datasets/".Length..];
        CreatedKey manager = await Api.KeyAsync([AccessScopes.Manage]);
        CreatedKey reader = await Api.KeyAsync([AccessScopes.Read]);

        using HttpResponseMessage paused = await Api.SendAsync(HttpMethod.Post, $"{path}/pause", manager.Secret);
        using HttpResponseMessage refused = await Api.SendAsync(HttpMethod.Delete, path, reader.Secret);
        using HttpResponseMessage stranger = await Api.SendAsync(HttpMethod.Delete, path, bearer: null);
        using HttpResponseMessage looked = await Api.GetAsync($"{path}/backup", manager.Secret);
        using var body = new StringContent($$"""{"name":"{{dataset}}-audited"}""", Encoding.UTF8, "application/json");
        using HttpResponseMessage made = await Api.SendAsync(HttpMethod.Post, "/datasets", manager.Secret, body);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);

        AuditEntry[] entries = await EntriesAsync(dataset, 3);
        Assert.Equal(
            [
                ($"key:{manager.Key.Prefix}", "POST /datasets/", $"{dataset}-audited", "201"),
                ($"key:{manager.Key.Prefix}", "POST /datasets/{dataset}/pause", dataset, "204"),
                ($"key:{reader.Key.Prefix}", "DELETE /datasets/{dataset}", dataset, "403"),
            ],
            entries.OrderBy(entry => entry.Outcome, StringComparer.Ordinal).Select(entry => (entry.Who, entry.What, entry.Dataset!, entry.Outcome)));
        Assert.Contains($"6010 key:{manager.Key.Prefix}: POST /datasets/{{dataset}}/pause, dataset {dataset}, {path}/pause: 204", Api.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_with_line_ends_makes_one_line_of_the_log()
    {
        (string path, _) = fixture.Dataset();
        CreatedKey manager = await Api.KeyAsync([AccessScopes.Manage]);

        using HttpResponseMessage answer = await Api.SendAsync(HttpMethod.Delete, $"{path}/items/a%0Akey:00000000:%20nothing", manager.Secret);

        AuditEntry entry = Assert.Single(await EntriesAsync(path["/datasets/".Length..], 1));
        Assert.DoesNotContain('\n', entry.Target!);
        Assert.Contains("%0A", entry.Target!, StringComparison.OrdinalIgnoreCase);
    }

    // An entry is stored once the answer is on its way, so that the caller may be faster.
    private async Task<AuditEntry[]> EntriesAsync(string dataset, int count)
    {
        var clock = Stopwatch.StartNew();
        AuditEntry[] found;
        do
        {
            found = [.. fixture.Store.Audit.Where(entry => string.Equals(entry.Dataset, dataset, StringComparison.Ordinal) || string.Equals(entry.Dataset, $"{dataset}-audited", StringComparison.Ordinal))];
            await Task.Yield();
        }
        while (found.Length < count && clock.Elapsed < Patience);

        return found;
    }
}
