using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

public sealed class RouteTests(WebFixture fixture)
{
    [Fact]
    public async Task A_dataset_is_created_listed_shown_changed_paused_resumed_and_deleted()
    {
        var wanted = new { name = "web-made", settings = new { height = 28, width = 28, channels = 1, shards = 2 } };

        Assert.Equal(HttpStatusCode.Created, (await fixture.Http.PostAsJsonAsync("/datasets", wanted)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await fixture.Http.PostAsJsonAsync("/datasets", wanted)).StatusCode);
        await ProblemAsync(await fixture.Http.PostAsJsonAsync("/datasets", new { name = "web-made" }), HttpStatusCode.Conflict);
        Assert.Contains("web-made", await fixture.Http.GetFromJsonAsync<string[]>("/datasets") ?? []);
        HttpResponseMessage changed = await fixture.Http.PatchAsJsonAsync("/datasets/web-made", new { idleRehearsalSteps = 800 });
        Assert.Equal(800, (await changed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("idleRehearsalSteps").GetInt32());
        await ProblemAsync(await fixture.Http.PatchAsJsonAsync("/datasets/web-made", new { }), HttpStatusCode.BadRequest);
        await ProblemAsync(await fixture.Http.PatchAsJsonAsync("/datasets/web-made", new { height = 12 }), HttpStatusCode.BadRequest);
        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.PutAsync("/datasets/web-made/weights", new ByteArrayContent([1, 2, 3]))).StatusCode);
        Assert.Equal([1, 2, 3], fixture.Store.Datasets["web-made"].FirstWeights);
        await ProblemAsync(await fixture.Http.PutAsync("/datasets/web-made/weights", new ByteArrayContent(new byte[(64 * 1024 * 1024) + 1])), HttpStatusCode.RequestEntityTooLarge);
        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.PostAsync("/datasets/web-made/pause", null)).StatusCode);
        JsonElement status = await fixture.Http.GetFromJsonAsync<JsonElement>("/datasets/web-made");
        Assert.Equal("paused", status.GetProperty("training").GetProperty("activity").GetString());
        Assert.Equal("NaN", status.GetProperty("training").GetProperty("progress").GetProperty("losses").GetProperty("moco").GetString());
        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.PostAsync("/datasets/web-made/resume", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.DeleteAsync("/datasets/web-made")).StatusCode);
        await ProblemAsync(await fixture.Http.GetAsync("/datasets/web-made"), HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"name":"x","settings":{"heigth":3}}""")]
    [InlineData("""{"name":"UPPER"}""")]
    [InlineData("""{"name":"x","settings":{"clusters":1}}""")]
    public async Task A_bad_dataset_document_is_a_400_that_says_what_is_wrong(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        await ProblemAsync(await fixture.Http.PostAsync("/datasets", content), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task An_item_is_stored_known_replaced_or_in_conflict()
    {
        (string path, _) = fixture.Dataset();

        Assert.Equal(HttpStatusCode.Created, (await PutAsync($"{path}/items/a", 1)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync($"{path}/items/a", 1)).StatusCode);
        await ProblemAsync(await PutAsync($"{path}/items/a", 2), HttpStatusCode.Conflict);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync($"{path}/items/a?replace=true", 2)).StatusCode);
        Assert.Equal([2], await fixture.Http.GetByteArrayAsync($"{path}/content/a"));
    }

    [Theory]
    [InlineData("train/00042", "train/00042")]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("a%252Fb", "a%2Fb")]
    [InlineData("100%25", "100%")]
    [InlineData("%C3%A9t%C3%A9/%E2%98%83", "été/☃")]
    [InlineData("a%20b%3Fc%23d", "a b?c#d")]
    [InlineData("x/items/y", "x/items/y")]
    public async Task An_id_with_slashes_and_percent_signs_is_the_same_in_every_route(string encoded, string id)
    {
        (string path, FakeDataset dataset) = fixture.Dataset();

        HttpResponseMessage stored = await PutAsync($"{path}/items/{encoded}", 1);

        Assert.Equal(HttpStatusCode.Created, stored.StatusCode);
        Assert.Equal(id, Assert.Single(dataset.Items).Key);
        JsonElement answer = await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/items/{encoded}");
        Assert.Equal((id, "assigned"), (answer.GetProperty("id").GetString(), answer.GetProperty("state").GetString()));
        Assert.Equal([1], await fixture.Http.GetByteArrayAsync($"{path}/content/{encoded}"));
        Assert.Equal(HttpStatusCode.OK, (await fixture.Http.GetAsync($"{path}/similar/{encoded}")).StatusCode);
        Assert.Equal(id, (await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/history/{encoded}")).GetProperty("changes")[0].GetProperty("id").GetString());
        Assert.Equal(HttpStatusCode.OK, (await fixture.Http.GetAsync(stored.Headers.Location)).StatusCode);
    }

    [Theory]
    [InlineData("%01")]
    [InlineData("a%09b")]
    [InlineData("a%0Ab")]
    public async Task An_id_with_control_characters_is_a_400(string id)
    {
        (string path, FakeDataset dataset) = fixture.Dataset();

        await ProblemAsync(await PutAsync($"{path}/items/{id}", 1), HttpStatusCode.BadRequest);
        Assert.Empty(dataset.Items);
    }

    [Fact]
    public async Task A_too_long_id_an_empty_body_and_too_many_bytes_are_refused()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();

        await ProblemAsync(await PutAsync($"{path}/items/{new string('x', 513)}", 1), HttpStatusCode.BadRequest);
        await ProblemAsync(await PutAsync($"{path}/items/a"), HttpStatusCode.BadRequest);
        await ProblemAsync(await PutAsync($"{path}/items/a", new byte[1_001]), HttpStatusCode.RequestEntityTooLarge);
        using var chunked = new StreamContent(new UnknownLength(1_001));
        await ProblemAsync(await fixture.Http.PutAsync($"{path}/items/a", chunked), HttpStatusCode.RequestEntityTooLarge);
        Assert.Empty(dataset.Items);
    }

    [Fact]
    public async Task An_item_never_seen_is_a_404_with_its_state_and_an_unknown_dataset_a_problem()
    {
        (string path, _) = fixture.Dataset();

        HttpResponseMessage unknown = await fixture.Http.GetAsync($"{path}/items/nobody");

        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("unknown", (await unknown.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("state").GetString());
        await ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/items/nobody"), HttpStatusCode.NotFound);
        await ProblemAsync(await PutAsync("/datasets/no-such/items/a", 1), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/content/nobody"), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/similar/nobody"), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/history/nobody"), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/history/nobody?limit=0"), HttpStatusCode.BadRequest);
        await ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/clusters"), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/events"), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.DeleteAsync("/datasets/no-such"), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.GetAsync("/datasets/UPPER"), HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData(ShoalErrorKind.Overloaded, HttpStatusCode.TooManyRequests, 1)]
    [InlineData(ShoalErrorKind.Unavailable, HttpStatusCode.ServiceUnavailable, 5)]
    public async Task What_may_pass_is_answered_with_the_seconds_to_wait(ShoalErrorKind kind, HttpStatusCode status, int seconds)
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        dataset.AppendFailures.Enqueue(new ShoalException(kind, "Later."));
        dataset.AppendFailures.Enqueue(new ShoalException(kind, "Later."));

        HttpResponseMessage answer = await PutAsync($"{path}/items/a", 1);

        await ProblemAsync(answer, status);
        Assert.Equal(TimeSpan.FromSeconds(seconds), answer.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task A_bug_is_a_500_that_says_nothing_of_the_inside()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        dataset.AppendFailures.Enqueue(new InvalidOperationException("secret detail"));

        string text = await ProblemAsync(await PutAsync($"{path}/items/a", 1), HttpStatusCode.InternalServerError);

        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clusters_are_listed_and_named()
    {
        (string path, _) = fixture.Dataset();
        await PutAsync($"{path}/items/a", 0);
        await PutAsync($"{path}/items/b", 0);

        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.PutAsJsonAsync($"{path}/clusters/1/name", new { name = "zeros" })).StatusCode);
        JsonElement cluster = (await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/clusters?exemplars=1"))[0];
        Assert.Equal(("zeros", 2, 1), (cluster.GetProperty("name").GetString(), cluster.GetProperty("count").GetInt32(), cluster.GetProperty("exemplars").GetArrayLength()));
        Assert.Equal(1, (await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/events")).GetArrayLength());
        await ProblemAsync(await fixture.Http.PutAsJsonAsync($"{path}/clusters/9/name", new { name = "x" }), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.PutAsJsonAsync($"{path}/clusters/2/name", new { name = "zeros" }), HttpStatusCode.Conflict);
        await ProblemAsync(await fixture.Http.PutAsJsonAsync($"{path}/clusters/x/name", new { name = "x" }), HttpStatusCode.BadRequest);
        await ProblemAsync(await fixture.Http.PutAsJsonAsync($"{path}/clusters/1/name", new { nam = "x" }), HttpStatusCode.BadRequest);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/clusters?exemplars=101"), HttpStatusCode.BadRequest);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/clusters?exemplars=many"), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Clusters_are_named_by_examples_pinned_merged_and_versions_rolled_back()
    {
        (string path, _) = fixture.Dataset();
        await PutAsync($"{path}/items/a", 3);
        await PutAsync($"{path}/items/b", 4);

        HttpResponseMessage named = await fixture.Http.PostAsJsonAsync($"{path}/clusters/names", new { name = "zeros", examples = new[] { "a" } });
        Assert.Equal(1, (await named.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("cluster").GetInt64());
        await ProblemAsync(await fixture.Http.PostAsJsonAsync($"{path}/clusters/names", new { name = "x", examples = new[] { "a", "b" } }), HttpStatusCode.Conflict);
        await ProblemAsync(await fixture.Http.PostAsJsonAsync($"{path}/clusters/names", new { name = "x", examples = new[] { "nonesuch" } }), HttpStatusCode.NotFound);

        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.PutAsync($"{path}/clusters/1/pin", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.DeleteAsync($"{path}/clusters/1/pin")).StatusCode);
        await ProblemAsync(await fixture.Http.PutAsync($"{path}/clusters/9/pin", null), HttpStatusCode.NotFound);

        HttpResponseMessage merged = await fixture.Http.PostAsJsonAsync($"{path}/clusters/2/merge", new { with = 1 });
        Assert.Equal(1, (await merged.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("cluster").GetInt64());
        await ProblemAsync(await fixture.Http.PostAsJsonAsync($"{path}/clusters/2/merge", new { with = 2 }), HttpStatusCode.BadRequest);
        await ProblemAsync(await fixture.Http.DeleteAsync($"{path}/clusters/2/merge"), HttpStatusCode.NotFound);

        Assert.Equal([7, 5], (await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/versions")).EnumerateArray().Select(v => v.GetProperty("version").GetInt32()));
        HttpResponseMessage restored = await fixture.Http.PostAsync($"{path}/versions/5/rollback", null);
        Assert.Equal(8, (await restored.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("version").GetInt32());
        await ProblemAsync(await fixture.Http.PostAsync($"{path}/versions/6/rollback", null), HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.OK, (await fixture.Http.GetAsync($"{path}/items/a?fresh=true")).StatusCode);
    }

    [Fact]
    public async Task Content_cannot_pass_for_a_page_of_this_site()
    {
        (string path, _) = fixture.Dataset();
        await PutAsync($"{path}/items/a", "text/html", "<script>"u8.ToArray());

        HttpResponseMessage answer = await fixture.Http.GetAsync($"{path}/content/a");

        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.StartsWith("sandbox", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_item_is_gone_and_deleting_it_again_is_fine()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        await PutAsync($"{path}/items/a/7", 1);

        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.DeleteAsync($"{path}/items/a/7")).StatusCode);
        Assert.Empty(dataset.Items);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/content/a/7"), HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.DeleteAsync($"{path}/items/a/7")).StatusCode);
        await ProblemAsync(await fixture.Http.DeleteAsync($"{path}/items/never"), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.DeleteAsync($"{path}/items/{new string('x', 513)}"), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_backup_is_begun_watched_and_restored()
    {
        (string path, _) = fixture.Dataset();
        HttpResponseMessage answer = await fixture.Http.PostAsJsonAsync($"{path}/backup", new { target = "/mnt/monday" });
        Assert.Equal((HttpStatusCode.Accepted, $"{path}/backup"), (answer.StatusCode, answer.Headers.Location?.ToString()));
        JsonElement status = await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/backup");
        Assert.Equal(("done", "/mnt/monday"), (status.GetProperty("activity").GetString(), status.GetProperty("place").GetString()));
        string name = path["/datasets/".Length..];
        Assert.Equal(HttpStatusCode.Accepted, (await fixture.Http.PostAsJsonAsync($"{path}-2/restore", new { source = "/mnt/monday", name })).StatusCode);
        await ProblemAsync(await fixture.Http.PostAsJsonAsync($"{path}-2/restore", new { source = "/mnt/monday", name }), HttpStatusCode.Conflict);
        await ProblemAsync(await fixture.Http.PostAsJsonAsync("/datasets/no-such/backup", new { target = "/mnt/monday" }), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.PostAsJsonAsync($"{path}/backup", new { where = "/mnt/monday" }), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Changes_are_told_from_a_cursor_on()
    {
        (string path, _) = fixture.Dataset();
        await PutAsync($"{path}/items/a", 1);
        JsonElement page = await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/changes?limit=100");
        JsonElement item = Assert.Single(page.GetProperty("changes").EnumerateArray()).GetProperty("item");
        Assert.Equal(("a", "pending", "assigned"), (item.GetProperty("id").GetString(), item.GetProperty("stateBefore").GetString(), item.GetProperty("state").GetString()));

        string after = page.GetProperty("cursor").GetString()!;
        Task<JsonElement> waiting = fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/changes?after={after}&wait=30");
        await PutAsync($"{path}/items/b", 1);
        Assert.Equal("b", Assert.Single((await waiting).GetProperty("changes").EnumerateArray()).GetProperty("item").GetProperty("id").GetString());
        Assert.Contains("leave it out", await ProblemAsync(await fixture.Http.GetAsync($"{path}/changes?after=x"), HttpStatusCode.BadRequest), StringComparison.Ordinal);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/changes?wait=61"), HttpStatusCode.BadRequest);
        await ProblemAsync(await fixture.Http.GetAsync($"{path}/changes?limit=0"), HttpStatusCode.BadRequest);
        await ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/changes"), HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/healthz/live")]
    [InlineData("/healthz/ready")]
    [InlineData("/openapi/v1.json")]
    public async Task Health_and_the_api_document_answer(string path) =>
        Assert.Equal(HttpStatusCode.OK, (await fixture.Http.GetAsync(path)).StatusCode);

    [Fact]
    public async Task Metrics_of_shoal_orleans_and_the_runtime_answer_with_a_value_for_each_dataset()
    {
        using var meter = new Meter("Shoal");
        meter.CreateObservableGauge("shoal.training.lag", () => new Measurement<long>(42, KeyValuePair.Create<string, object?>("dataset", "digits")), "{item}");
        using var other = new Meter("SomebodyElse");
        other.CreateObservableGauge("nobodys.business", () => 1);

        HttpResponseMessage answer = await fixture.Http.GetAsync("/metrics");
        string text = await answer.Content.ReadAsStringAsync();
        for (int again = 0; again < 10 && !text.Contains("shoal_training_lag", StringComparison.Ordinal); again++)
        {
            // What somebody was answered less than 300 ms ago is answered again.
            await Task.Delay(100);
            text = await fixture.Http.GetStringAsync("/metrics");
        }

        Assert.Equal((HttpStatusCode.OK, "text/plain"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Matches(@"(?m)^shoal_training_lag\{[^}]*dataset=""digits""[^}]*\} 42\b", text);
        Assert.Matches("(?m)^orleans_", text);
        Assert.Matches("(?m)^dotnet_", text);
        Assert.DoesNotContain("nobodys_business", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_api_document_names_every_route()
    {
        JsonElement paths = (await fixture.Http.GetFromJsonAsync<JsonElement>("/openapi/v1.json")).GetProperty("paths");

        Assert.Equal(
            [
                "/datasets", "/datasets/{dataset}", "/datasets/{dataset}/backup", "/datasets/{dataset}/changes", "/datasets/{dataset}/classify", "/datasets/{dataset}/clusters",
                "/datasets/{dataset}/clusters/names", "/datasets/{dataset}/clusters/{cluster}", "/datasets/{dataset}/clusters/{cluster}/merge", "/datasets/{dataset}/clusters/{cluster}/name", "/datasets/{dataset}/clusters/{cluster}/pin",
                "/datasets/{dataset}/content/{id}", "/datasets/{dataset}/events", "/datasets/{dataset}/events/stream", "/datasets/{dataset}/export", "/datasets/{dataset}/history/{id}", "/datasets/{dataset}/items", "/datasets/{dataset}/items/{id}", "/datasets/{dataset}/model",
                "/datasets/{dataset}/pause", "/datasets/{dataset}/recordings/{id}", "/datasets/{dataset}/repair", "/datasets/{dataset}/reports/bias", "/datasets/{dataset}/reports/invariance", "/datasets/{dataset}/restore", "/datasets/{dataset}/resume", "/datasets/{dataset}/similar", "/datasets/{dataset}/similar/{id}",
                "/datasets/{dataset}/thumbnail/{id}", "/datasets/{dataset}/versions", "/datasets/{dataset}/versions/{version}/model", "/datasets/{dataset}/versions/{version}/rollback", "/datasets/{dataset}/webhooks", "/datasets/{dataset}/webhooks/{id}", "/datasets/{dataset}/webhooks/{id}/resume", "/datasets/{dataset}/weights", "/healthz/live", "/healthz/ready",
            ],
            paths.EnumerateObject().Select(path => path.Name.TrimEnd('/')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_address_or_method_that_there_is_not_is_a_problem_too()
    {
        (string path, _) = fixture.Dataset();

        await ProblemAsync(await fixture.Http.GetAsync($"{path}/nothing"), HttpStatusCode.NotFound);
        await ProblemAsync(await fixture.Http.DeleteAsync($"{path}/clusters"), HttpStatusCode.MethodNotAllowed);
    }

    internal static async Task<string> ProblemAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == answer.StatusCode, $"expected {status}, got {answer.StatusCode}: {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        JsonElement problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
        return text;
    }

    private Task<HttpResponseMessage> PutAsync(string path, params byte[] bytes) => fixture.PutAsync(path, "image/png", bytes);

    private Task<HttpResponseMessage> PutAsync(string path, string mediaType, byte[] bytes) => fixture.PutAsync(path, mediaType, bytes);

    /// <summary>A stream that cannot say how long it is, so that the body goes in chunks.</summary>
    private sealed class UnknownLength(int bytes) : MemoryStream(new byte[bytes])
    {
        public override bool CanSeek => false;
    }
}
