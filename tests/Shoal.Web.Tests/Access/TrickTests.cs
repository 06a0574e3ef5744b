using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

/// <summary>Requests that are written so that two readers of them may read two things: paths, headers, methods, sizes.</summary>
[Collection("access")]
public sealed class TrickTests(WebFixture fixture)
{
    private const string Hidden = "what nobody may see";

    private GuardedApi Api => fixture.Guarded;

    [Theory]
    [InlineData("/datasets/{theirs}/content/secret")]
    [InlineData("//datasets/{theirs}/content/secret")]
    [InlineData("/datasets//{theirs}/content/secret")]
    [InlineData("/datasets/./{theirs}/content/secret")]
    [InlineData("/datasets/{mine}/../{theirs}/content/secret")]
    [InlineData("/datasets/{mine}/%2e%2e/{theirs}/content/secret")]
    [InlineData("/datasets/{mine}/%2E%2E/{theirs}/content/secret")]
    [InlineData("/datasets/{mine}/%252e%252e/{theirs}/content/secret")]
    [InlineData("/datasets/{mine}%2f..%2f{theirs}/content/secret")]
    [InlineData("/datasets/{mine}/..%2f{theirs}/content/secret")]
    [InlineData("/datasets/{mine}/..\\{theirs}/content/secret")]
    [InlineData("/datasets/{mine}/content/../../{theirs}/content/secret")]
    [InlineData("/datasets/{mine}/content/..%2f..%2f{theirs}%2fcontent%2fsecret")]
    [InlineData("/datasets/{mine}/content/secret?dataset={theirs}")]
    [InlineData("/datasets/{mine};/../{theirs}/content/secret")]
    [InlineData("/datasets/{theirs};{mine}/content/secret")]
    [InlineData("/datasets/{theirs}%00{mine}/content/secret")]
    [InlineData("/DATASETS/{theirs}/content/secret")]
    [InlineData("/healthz/live/../../datasets/{theirs}/content/secret")]
    [InlineData("/healthz/live/%2e%2e/%2e%2e/datasets/{theirs}/content/secret")]
    [InlineData("/healthz/live;/datasets/{theirs}/content/secret")]
    [InlineData("http://127.0.0.1/datasets/{theirs}/content/secret")]
    [InlineData("http://127.0.0.1/healthz/live/../../datasets/{theirs}/content/secret")]
    public async Task However_a_path_is_written_it_leads_to_no_other_dataset(string target)
    {
        (string mine, _) = fixture.Dataset();
        (string theirs, FakeDataset dataset) = fixture.Dataset();
        (await fixture.PutAsync($"{theirs}/items/secret", "image/png", Encoding.UTF8.GetBytes(Hidden))).EnsureSuccessStatusCode();
        string key = await Api.MasterAsync(Name(mine));
        string path = target.Replace("{mine}", Name(mine), StringComparison.Ordinal).Replace("{theirs}", Name(theirs), StringComparison.Ordinal);
        foreach (string[] caller in new string[][] { [], [$"Authorization: Bearer {key}"] })
        {
            foreach (string method in new[] { "GET", "DELETE", "PUT" })
            {
                string answer = await RawHttp.SendAsync(Api.Address, [$"{method} {path} HTTP/1.1", "Host: 127.0.0.1", .. caller, "Content-Length: 0"]);
                Assert.True(RawHttp.StatusOf(answer) is >= 400 and < 500, $"{method} {path}: {answer}");
                Assert.DoesNotContain(Hidden, answer, StringComparison.Ordinal);
            }
        }

        Assert.Equal("secret", Assert.Single(dataset.Items).Key);

        // The control: whose dataset it is reads it.
        string read = await RawHttp.SendAsync(Api.Address, [$"GET {theirs}/content/secret HTTP/1.1", "Host: 127.0.0.1", $"Authorization: Bearer {await Api.MasterAsync(Name(theirs))}"]);
        Assert.EndsWith(Hidden, read, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_written_over_a_detour_lands_in_the_dataset_that_was_checked()
    {
        (string mine, FakeDataset own) = fixture.Dataset();
        (string theirs, FakeDataset hidden) = fixture.Dataset();
        string key = await Api.MasterAsync(Name(mine));

        await RawHttp.SendAsync(Api.Address, [$"PUT /datasets/{Name(theirs)}/../{Name(mine)}/items/x HTTP/1.1", "Host: x", $"Authorization: Bearer {key}", "Content-Type: image/png", "Content-Length: 1"], "1");
        await RawHttp.SendAsync(Api.Address, [$"PUT /datasets/{Name(mine)}/items/../../{Name(theirs)}/items/x HTTP/1.1", "Host: x", $"Authorization: Bearer {key}", "Content-Type: image/png", "Content-Length: 1"], "1");

        Assert.Empty(hidden.Items);
        Assert.Single(own.Items);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-Host", "127.0.0.1")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("X-Forwarded-Prefix", "/healthz/live")]
    [InlineData("X-Forwarded-User", "admin")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("X-Original-URL", "/healthz/live")]
    [InlineData("X-Rewrite-URL", "/healthz/live")]
    [InlineData("Forwarded", "for=127.0.0.1;host=127.0.0.1;proto=https")]
    [InlineData("X-MS-CLIENT-PRINCIPAL", "e30=")]
    [InlineData("X-ARR-ClientCert", "MIIB")]
    public async Task What_proxies_say_of_a_caller_opens_nothing(string name, string value) =>
        await RouteTests.ProblemAsync(await Api.SendAsync(HttpMethod.Get, "/datasets", null, null, (name, value)), HttpStatusCode.Unauthorized);

    [Theory]
    [InlineData("X-HTTP-Method-Override")]
    [InlineData("X-HTTP-Method")]
    [InlineData("X-Method-Override")]
    public async Task A_method_is_what_the_request_line_says(string header)
    {
        (string path, _) = fixture.Dataset();
        string reader = (await Api.KeyAsync([AccessScopes.Read])).Secret;

        using HttpResponseMessage read = await Api.SendAsync(HttpMethod.Get, path, reader, null, (header, "DELETE"));
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        await RouteTests.ProblemAsync(await Api.SendAsync(HttpMethod.Post, $"{path}?_method=DELETE", reader, null, (header, "DELETE")), HttpStatusCode.MethodNotAllowed);
        await RouteTests.ProblemAsync(await Api.SendAsync(HttpMethod.Delete, path, reader, null, (header, "GET")), HttpStatusCode.Forbidden);
        await RouteTests.ProblemAsync(await Api.SendAsync(new HttpMethod("GETS"), path, reader), HttpStatusCode.MethodNotAllowed);
        Assert.Contains(Name(path), fixture.Store.Datasets.Keys);
    }

    [Fact]
    public async Task Nothing_is_read_of_a_body_before_its_sender_is_known()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        var clock = Stopwatch.StartNew();

        // A gigabyte is announced, and never comes: who waits for it waits in vain.
        string answer = await RawHttp.SendAsync(Api.Address, [$"PUT {path}/items/x HTTP/1.1", "Host: x", "Content-Type: image/png", "Content-Length: 1000000000"], headOnly: true);

        Assert.Equal(401, RawHttp.StatusOf(answer));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"answered after {clock.Elapsed}");
        await RouteTests.ProblemAsync(await SendAsync($"{path}/items", Bomb(), bearer: null), HttpStatusCode.Unauthorized);
        Assert.Empty(dataset.Items);
    }

    [Fact]
    public async Task A_known_sender_fills_neither_memory_nor_time()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        string key = (await Api.KeyAsync([AccessScopes.Ingest])).Secret;

        string large = await RawHttp.SendAsync(Api.Address, [$"PUT {path}/items/x HTTP/1.1", "Host: x", $"Authorization: Bearer {key}", "Content-Type: image/png", "Content-Length: 1000000000"], headOnly: true);
        Assert.Equal(413, RawHttp.StatusOf(large));
        await RouteTests.ProblemAsync(await SendAsync($"{path}/items", Bomb(), key), HttpStatusCode.RequestEntityTooLarge);
        Assert.Equal(431, RawHttp.StatusOf(await RawHttp.SendAsync(Api.Address, ["GET /datasets HTTP/1.1", "Host: x", $"X: {new string('x', 33_000)}"])));
        Assert.Equal(414, RawHttp.StatusOf(await RawHttp.SendAsync(Api.Address, [$"GET /{new string('x', 9_000)} HTTP/1.1", "Host: x"])));
        Assert.Empty(dataset.Items);
    }

    [Theory]
    [InlineData("Content-Length: 5", "Transfer-Encoding: chunked")]
    [InlineData("Content-Length: 5", "Content-Length: 6")]
    [InlineData("Transfer-Encoding: identity, chunked, identity", "X: y")]
    public async Task A_body_with_two_lengths_hides_no_second_request(string first, string second)
    {
        string key = await Api.MasterAsync();

        string answer = await RawHttp.SendAsync(
            Api.Address,
            ["POST /datasets HTTP/1.1", "Host: x", $"Authorization: Bearer {key}", first, second],
            "0\r\n\r\nGET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n");

        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
        Assert.True(RawHttp.StatusOf(answer) is >= 400 and < 500, answer);
    }

    private static string Name(string path) => path["/datasets/".Length..];

    // 100 MB of zeros in 100 KB.
    private static byte[] Bomb()
    {
        using var packed = new MemoryStream();
        using (var pack = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 100; i++)
            {
                pack.Write(zeros);
            }
        }

        return packed.ToArray();
    }

    private Task<HttpResponseMessage> SendAsync(string path, byte[] tarGz, string? bearer)
    {
        var content = new ByteArrayContent(tarGz);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        content.Headers.ContentEncoding.Add("gzip");
        return Api.SendAsync(HttpMethod.Post, path, bearer, content);
    }
}
