using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

/// <summary>Listings, one cluster, similar bytes, exports, models, tags of answers, and the page of the API.</summary>
public sealed class QueryRouteTests(WebFixture fixture)
{
    [Fact]
    public async Task One_cluster_answers_with_its_history_also_by_an_id_that_was_merged_into_it()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        await PutAsync($"{path}/items/a", 0);
        await PutAsync($"{path}/items/b", 1);
        await PutAsync($"{path}/items/c", 2);
        await fixture.Http.PutAsJsonAsync($"{path}/clusters/1/name", new { name = "zeros" });
        await fixture.Http.PutAsJsonAsync($"{path}/clusters/2/name", new { name = "ones" });
        await fixture.Http.PutAsJsonAsync($"{path}/clusters/3/name", new { name = "twos" });
        dataset.Redirects[2] = 1;

        JsonElement details = await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/clusters/2?exemplars=2");
        JsonElement cluster = details.GetProperty("cluster");
        Assert.Equal((1, 2, 2), (cluster.GetProperty("id").GetInt32(), cluster.GetProperty("count").GetInt32(), cluster.GetProperty("exemplars").GetArrayLength()));
        Assert.Equal([2], cluster.GetProperty("merged").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal([1, 2], details.GetProperty("history").EnumerateArray().Select(e => e.GetProperty("cluster").GetInt32()).Order());
        JsonElement members = await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/items?cluster=2");
        Assert.Equal(["a", "b"], members.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()));
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/clusters/9"), HttpStatusCode.NotFound);
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/clusters/x"), HttpStatusCode.BadRequest);
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/clusters/1"), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Items_similar_to_bytes_are_found_and_the_bytes_are_not_stored()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        await PutAsync($"{path}/items/near", 12);
        await PutAsync($"{path}/items/far", 200);

        JsonElement found = await (await PostAsync($"{path}/similar?count=1", 10)).Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("near", Assert.Single(found.GetProperty("items").EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal((7, 2), (found.GetProperty("modelVersion").GetInt32(), dataset.Items.Count));
        Assert.Contains("holds no bytes", await RouteTests.ProblemAsync(await PostAsync($"{path}/similar"), HttpStatusCode.BadRequest), StringComparison.Ordinal);
        await RouteTests.ProblemAsync(await PostAsync($"{path}/similar?count=0", 1), HttpStatusCode.BadRequest);
        await RouteTests.ProblemAsync(await PostAsync($"{path}/similar", new byte[1_001]), HttpStatusCode.RequestEntityTooLarge);
        await RouteTests.ProblemAsync(await PostAsync("/datasets/no-such/similar", 1), HttpStatusCode.NotFound);

        async Task<HttpResponseMessage> PostAsync(string to, params byte[] bytes)
        {
            using var content = new ByteArrayContent(bytes);
            return await fixture.Http.PostAsync(to, content);
        }
    }

    [Theory]
    [InlineData("", "text/csv", "assignments.csv", "id,state,cluster")]
    [InlineData("?format=parquet", "application/vnd.apache.parquet", "assignments.parquet", "PAR1")]
    [InlineData("?format=npz", "application/zip", "embeddings.npz", "PK")]
    [InlineData("?format=csv&what=embeddings", "text/csv", "embeddings.csv", "id,model_version,e0")]
    public async Task All_items_are_exported_as_a_file(string query, string type, string name, string begins)
    {
        (string path, _) = fixture.Dataset();
        await PutAsync($"{path}/items/a", 1);

        HttpResponseMessage answer = await fixture.Http.GetAsync($"{path}/export{query}");

        Assert.Equal((HttpStatusCode.OK, type), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.EndsWith(name, answer.Content.Headers.ContentDisposition?.FileName?.Trim('"'), StringComparison.Ordinal);
        Assert.StartsWith(begins, Encoding.Latin1.GetString(await answer.Content.ReadAsByteArrayAsync()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?format=xml", HttpStatusCode.BadRequest)]
    [InlineData("?what=everything", HttpStatusCode.BadRequest)]
    [InlineData("?format=npz&what=assignments", HttpStatusCode.BadRequest)]
    public async Task An_export_that_there_is_not_is_a_problem(string query, HttpStatusCode status)
    {
        (string path, _) = fixture.Dataset();
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/export{query}"), status);
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/export"), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_model_is_described_and_its_versions_are_files()
    {
        (string path, _) = fixture.Dataset();

        JsonElement model = await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/model");
        Assert.Equal((7, FakeModelGrain.File.Length), (model.GetProperty("version").GetInt32(), model.GetProperty("bytes").GetInt32()));
        Assert.False(model.TryGetProperty("model", out _), "where it is kept is nobody's business");
        HttpResponseMessage file = await fixture.Http.GetAsync($"{path}/versions/5/model");
        Assert.Equal(FakeModelGrain.File.Length, file.Content.Headers.ContentLength);
        Assert.Equal(FakeModelGrain.File, await file.Content.ReadAsByteArrayAsync());
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/versions/6/model"), HttpStatusCode.NotFound);
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/model"), HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("items/a")]
    [InlineData("content/a")]
    [InlineData("clusters")]
    [InlineData("model")]
    [InlineData("versions/7/model")]
    public async Task Who_has_an_answer_already_is_told_so(string route)
    {
        (string path, _) = fixture.Dataset();
        await PutAsync($"{path}/items/a", 1);
        HttpResponseMessage first = await fixture.Http.GetAsync($"{path}/{route}");
        EntityTagHeaderValue tag = first.Headers.ETag!;
        Assert.False(tag.IsWeak);

        HttpResponseMessage again = await AskAsync(tag.ToString());
        Assert.Equal((HttpStatusCode.NotModified, tag), (again.StatusCode, again.Headers.ETag));
        Assert.Empty(await again.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.NotModified, (await AskAsync("\"other\", " + tag)).StatusCode);
        HttpResponseMessage other = await AskAsync("\"other\"");
        Assert.Equal((HttpStatusCode.OK, tag), (other.StatusCode, other.Headers.ETag));
        Assert.Equal(await first.Content.ReadAsByteArrayAsync(), await other.Content.ReadAsByteArrayAsync());

        async Task<HttpResponseMessage> AskAsync(string known)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{path}/{route}");
            request.Headers.TryAddWithoutValidation("If-None-Match", known);
            return await fixture.Http.SendAsync(request);
        }
    }

    [Fact]
    public async Task An_answer_that_changes_has_another_tag()
    {
        (string path, _) = fixture.Dataset();
        await PutAsync($"{path}/items/a", 1);
        string[] before = await TagsAsync();
        await PutAsync($"{path}/items/a?replace=true", 2);
        Assert.All(before.Zip(await TagsAsync()), pair => Assert.NotEqual(pair.First, pair.Second));

        async Task<string[]> TagsAsync() => await Task.WhenAll(
            new[] { "items/a", "content/a", "clusters" }.Select(async route => (await fixture.Http.GetAsync($"{path}/{route}")).Headers.ETag!.ToString()));
    }

    [Fact]
    public async Task Limits_stand_in_headers_also_of_the_answer_that_one_was_passed()
    {
        (string path, _) = fixture.Dataset();
        HttpResponseMessage stored = await PutAsync($"{path}/items/a", 1);
        HttpResponseMessage large = await PutAsync($"{path}/items/b", new byte[1_001]);
        HttpResponseMessage empty = await fixture.Http.PostAsync($"{path}/items", null);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.BadRequest), (stored.StatusCode, large.StatusCode, empty.StatusCode));
        Assert.All(new[] { stored, large, empty }, answer => Assert.Equal("1000", Assert.Single(answer.Headers.GetValues("Shoal-Max-Item-Bytes"))));
        Assert.Equal("100000", Assert.Single(empty.Headers.GetValues("Shoal-Max-Items")));
    }

    [Fact]
    public async Task Items_are_listed_page_by_page_by_cluster_state_and_confidence()
    {
        (string path, _) = fixture.Dataset();
        for (int i = 0; i < 30; i++)
        {
            await PutAsync($"{path}/items/{i}", (byte)(i % 4 == 3 ? 255 : i));
        }

        Assert.Equal(Enumerable.Range(0, 30).Reverse(), await AllAsync("order=newest&limit=4"));
        Assert.Equal(Enumerable.Range(0, 30).Where(i => i % 4 == 3), await AllAsync("state=pending"));
        Assert.Equal(Enumerable.Range(0, 30).Where(i => i % 4 != 3 && i % 3 == 1), await AllAsync("cluster=2&confidenceBelow=0.95&limit=3"));
        Assert.Empty(await AllAsync("confidenceBelow=0.5"));
        foreach (string wrong in new[] { "cluster=x", "state=deleted", "state=Assigned", "confidenceBelow=2", "confidenceBelow=x", "order=up", "limit=0", "limit=1001", "cursor=x" })
        {
            await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/items?{wrong}"), HttpStatusCode.BadRequest);
        }

        await RouteTests.ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/items"), HttpStatusCode.NotFound);

        async Task<List<int>> AllAsync(string query)
        {
            var listed = new List<int>();
            string? cursor = null;
            do
            {
                JsonElement page = await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/items?{query}&cursor={cursor}");
                listed.AddRange(page.GetProperty("items").EnumerateArray().Select(item => int.Parse(item.GetProperty("id").GetString()!)));
                cursor = page.TryGetProperty("cursor", out JsonElement next) ? next.GetString() : null;
            }
            while (cursor is not null);

            return listed;
        }
    }

    [Fact]
    public async Task The_api_document_is_a_page_whose_parts_all_come_from_here()
    {
        HttpResponseMessage answer = await fixture.Http.GetAsync("/docs");
        string page = await answer.Content.ReadAsStringAsync();
        string[] sources = [.. Regex.Matches(page, "(?:src|href)=[\"'](?<source>[^\"']+)[\"']", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Select(match => match.Groups["source"].Value)];

        Assert.Equal((HttpStatusCode.OK, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Contains("openapi/v1.json", page, StringComparison.Ordinal);
        Assert.StartsWith("default-src 'self'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Contains(sources, source => source.EndsWith(".js", StringComparison.Ordinal));
        Assert.All(sources, source => Assert.DoesNotContain("//", source, StringComparison.Ordinal));
        foreach (string source in sources.Where(source => source.EndsWith(".js", StringComparison.Ordinal)))
        {
            HttpResponseMessage script = await fixture.Http.GetAsync(new Uri(answer.RequestMessage!.RequestUri!, source));
            Assert.Equal(HttpStatusCode.OK, script.StatusCode);
            Assert.InRange((await script.Content.ReadAsByteArrayAsync()).Length, 1_000, int.MaxValue);
        }
    }

    private Task<HttpResponseMessage> PutAsync(string path, params byte[] bytes) => fixture.PutAsync(path, "image/png", bytes);
}
