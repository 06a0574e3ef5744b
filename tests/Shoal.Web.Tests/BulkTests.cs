using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

public sealed class BulkTests(WebFixture fixture)
{
    [Fact]
    public async Task Each_line_gets_one_result()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        string body = string.Concat(Enumerable.Range(0, 2_000).Select(i => Line($"item/{i}", (byte)i) + "\n"));

        Dictionary<string, JsonElement> results = await PostAsync($"{path}/items", body);

        Assert.Equal(2_000, results.Count);
        Assert.All(results.Values, result => Assert.Equal("accepted", result.GetProperty("outcome").GetString()));
        Assert.Equal(2_000, dataset.Items.Count);
    }

    [Fact]
    public async Task Metadata_and_media_type_arrive_and_blank_lines_and_carriage_returns_do_not_matter()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();

        await PostAsync($"{path}/items", """{"id":"a","mediaType":"image/png","bytes":"AQI=","metadata":{"camera":"7"},"replace":true}""" + "\r\n\r\n  \n");

        FakeItem item = Assert.Single(dataset.Items.Values);
        Assert.Equal(("image/png", "7", true), (item.Upload.MediaType, item.Upload.Metadata!["camera"], item.Upload.Replace));
        Assert.Equal([1, 2], item.Upload.Bytes);
    }

    [Theory]
    [InlineData("{", "Line 2 is not JSON")]
    [InlineData("[]", "Line 2 is not a JSON object")]
    [InlineData("nonsense", "Line 2 is not JSON")]
    [InlineData("""{"id":"bad","bytes":"not base64!"}""", "Line 2 has bytes that are not base64")]
    [InlineData("""{"id":"bad","bytes":7}""", "Line 2 is not JSON of the form")]
    [InlineData("""{"id":"bad","byts":"AQ=="}""", "Line 2 has the unknown field 'byts'")]
    [InlineData("""{"id":"bad","bytes":"AQ=="} extra""", "Line 2 is not JSON")]
    [InlineData("""{"id":"bad"}""", "The item holds no bytes")]
    [InlineData("""{"id":"bad\u0000","bytes":"AQ=="}""", "control character U+0000")]
    [InlineData("""{"bytes":"AQ=="}""", "The item id is empty")]
    public async Task A_bad_line_is_rejected_with_its_reason_and_the_others_are_stored(string line, string reason)
    {
        (string path, FakeDataset dataset) = fixture.Dataset();

        Dictionary<string, JsonElement> results = await PostAsync($"{path}/items", $"{Line("first", 1)}\n{line}\n{Line("last", 1)}");

        JsonElement bad = Assert.Single(results.Values, result => result.GetProperty("outcome").ValueEquals("rejected"));
        Assert.Contains(reason, bad.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(["first", "last"], dataset.Items.Keys.Order());
    }

    [Fact]
    public async Task An_item_over_the_limit_is_rejected_alone()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();

        Dictionary<string, JsonElement> results = await PostAsync($"{path}/items", $"{Line("large", new byte[1_001])}\n{Line("good", 1)}\n");

        Assert.Equal("The item is larger than the dataset's limit of 1,000 bytes.", results["large"].GetProperty("reason").GetString());
        Assert.Equal("good", Assert.Single(dataset.Items).Key);
    }

    [Fact]
    public async Task A_line_far_over_the_limit_ends_the_request_and_is_named()
    {
        (string path, _) = fixture.Dataset();
        using var content = new StringContent($"{Line("good", 1)}\n{Line("huge", new byte[200_000])}\n", Encoding.UTF8, "application/x-ndjson");

        string problem = await RouteTests.ProblemAsync(await fixture.Http.PostAsync($"{path}/items", content), HttpStatusCode.RequestEntityTooLarge);

        Assert.Contains("Line 2 is longer than", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("items")]
    [InlineData("classify")]
    public async Task An_empty_body_is_a_400_and_an_unknown_dataset_a_404(string route)
    {
        (string path, _) = fixture.Dataset();
        using var empty = new StringContent("\n");
        using var one = new StringContent(Line("a", 1));

        await RouteTests.ProblemAsync(await fixture.Http.PostAsync($"{path}/{route}", empty), HttpStatusCode.BadRequest);
        await RouteTests.ProblemAsync(await fixture.Http.PostAsync($"/datasets/no-such/{route}", one), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_large_item_that_comes_in_many_reads_is_stored_whole()
    {
        (string path, FakeDataset dataset) = fixture.Dataset(maxItemBytes: 8 * 1024 * 1024);
        byte[] bytes = new byte[5_000_000];
        new Random(42).NextBytes(bytes);

        await PostAsync($"{path}/items", $"{Line("large", bytes)}\n{Line("small", 1)}");

        Assert.Equal(bytes, dataset.Items["large"].Upload.Bytes);
        Assert.Equal(2, dataset.Items.Count);
    }

    [Fact]
    public async Task Classified_items_come_back_in_order_with_embeddings_when_asked()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        using var content = new StringContent($"{Line("a", 0)}\nnonsense\n{Line("c", 2)}");

        string[] lines = (await (await fixture.Http.PostAsync($"{path}/classify?embeddings=true", content)).Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n');

        JsonElement[] answers = Array.ConvertAll(lines, line => JsonDocument.Parse(line).RootElement);
        Assert.Equal(["assigned", "quarantined", "assigned"], answers.Select(answer => answer.GetProperty("state").GetString()));
        Assert.Equal([1, 3], answers.Where(answer => answer.TryGetProperty("cluster", out _)).Select(answer => answer.GetProperty("cluster").GetInt32()));
        Assert.Equal("Ag==", answers[2].GetProperty("embedding").GetString());
        Assert.Equal(0.25, answers[2].GetProperty("distance").GetDouble());
        Assert.Empty(dataset.Items);
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("audio/wav")]
    public async Task A_body_that_is_one_item_is_classified_and_is_not_taken_for_many(string type)
    {
        (string path, FakeDataset dataset) = fixture.Dataset(maxItemBytes: 3);

        HttpResponseMessage answer = await fixture.Http.PostAsync($"{path}/classify", Bytes(type, 1, 2));

        JsonElement line = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal((HttpStatusCode.OK, "bytes", 2), (answer.StatusCode, line.GetProperty("id").GetString(), line.GetProperty("cluster").GetInt32()));
        Assert.Equal("3", Assert.Single(answer.Headers.GetValues("Shoal-Max-Item-Bytes")));
        await RouteTests.ProblemAsync(await fixture.Http.PostAsync($"{path}/classify", Bytes(type, 1, 2, 3, 4)), HttpStatusCode.RequestEntityTooLarge);
        Assert.Contains("quarantined", await (await fixture.Http.PostAsync($"{path}/classify", Bytes(type))).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("without an id; PUT it to", await RouteTests.ProblemAsync(await fixture.Http.PostAsync($"{path}/items", Bytes(type, 1)), HttpStatusCode.BadRequest), StringComparison.Ordinal);
        Assert.Empty(dataset.Items);
    }

    private static ByteArrayContent Bytes(string type, params byte[] bytes) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    private static string Line(string id, params byte[] bytes) => JsonSerializer.Serialize(new { id, mediaType = "image/png", bytes });

    private async Task<Dictionary<string, JsonElement>> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/x-ndjson");
        HttpResponseMessage answer = await fixture.Http.PostAsync(path, content);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType?.MediaType);
        return text.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(line => line.GetProperty("id").GetString()!);
    }
}
