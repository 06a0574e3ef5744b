using System.IO.Compression;
using System.Net;
using System.Text;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

/// <summary>Requests with an idempotency key, which are carried out once.</summary>
public sealed class OnceTests(WebFixture fixture)
{
    private const string Hook = """{"url":"https://hooks.example.org/shoal"}""";

    [Fact]
    public async Task What_is_sent_again_with_its_key_is_answered_the_same_and_done_once()
    {
        (string path, _) = fixture.Dataset();
        string key = Guid.NewGuid().ToString();
        using HttpResponseMessage first = await PostAsync($"{path}/webhooks", Hook, key);
        using HttpResponseMessage again = await PostAsync($"{path}/webhooks", Hook, key);
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.Equal((first.StatusCode, first.Headers.Location, first.Content.Headers.ContentType), (again.StatusCode, again.Headers.Location, again.Content.Headers.ContentType));
        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        Assert.Equal((false, true), (first.Headers.Contains("Idempotency-Replayed"), again.Headers.Contains("Idempotency-Replayed")));
        Assert.Single(Webhooks(path));

        // The controls: another key, and none, make others.
        using HttpResponseMessage other = await PostAsync($"{path}/webhooks", Hook, Guid.NewGuid().ToString());
        using HttpResponseMessage none = await PostAsync($"{path}/webhooks", Hook, key: null);
        Assert.Equal(3, Webhooks(path).Count());
    }

    [Fact]
    public async Task A_key_of_another_request_is_refused()
    {
        (string path, _) = fixture.Dataset();
        (string elsewhere, _) = fixture.Dataset();
        string key = Guid.NewGuid().ToString();
        using HttpResponseMessage first = await PostAsync($"{path}/webhooks", Hook, key);
        await RouteTests.ProblemAsync(await PostAsync($"{path}/webhooks", """{"url":"https://other.example.org/"}""", key), HttpStatusCode.UnprocessableEntity);
        await RouteTests.ProblemAsync(await PostAsync($"{elsewhere}/webhooks", Hook, key), HttpStatusCode.UnprocessableEntity);
        Assert.Single(Webhooks(path));
    }

    [Fact]
    public async Task What_failed_is_tried_anew()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        string name = path.Split('/')[^1];
        string key = Guid.NewGuid().ToString();
        fixture.Store.Datasets.TryRemove(name, out _);
        await RouteTests.ProblemAsync(await PostAsync($"{path}/webhooks", Hook, key), HttpStatusCode.NotFound);
        fixture.Store.Datasets[name] = dataset;
        using HttpResponseMessage again = await PostAsync($"{path}/webhooks", Hook, key);
        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
    }

    [Fact]
    public async Task A_compressed_request_is_the_same_one_and_is_unpacked_once()
    {
        (string path, _) = fixture.Dataset();
        string key = Guid.NewGuid().ToString();
        using var packed = new MemoryStream();
        await using (var pack = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await pack.WriteAsync(Encoding.UTF8.GetBytes(Hook));
        }

        using var content = new ByteArrayContent(packed.ToArray()) { Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } } };
        using HttpRequestMessage request = Request($"{path}/webhooks", content, key);
        using HttpResponseMessage first = await fixture.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        using HttpResponseMessage again = await PostAsync($"{path}/webhooks", Hook, key);
        Assert.Equal("true", Assert.Single(again.Headers.GetValues("Idempotency-Replayed")));
        Assert.Single(Webhooks(path));
    }

    [Fact]
    public async Task One_whose_body_comes_late_hears_what_the_other_was_answered()
    {
        (string path, _) = fixture.Dataset();
        string key = Guid.NewGuid().ToString();
        using var sending = new SlowContent(Hook);
        using HttpRequestMessage slow = Request($"{path}/webhooks", sending, key);
        Task<HttpResponseMessage> first = fixture.Http.SendAsync(slow);

        // Not begun before its body is whole: this one is, and carried out.
        using HttpResponseMessage second = await PostAsync($"{path}/webhooks", Hook, key);
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        sending.Release();
        using HttpResponseMessage late = await first;
        Assert.Equal(await second.Content.ReadAsStringAsync(), await late.Content.ReadAsStringAsync());
        Assert.Single(Webhooks(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("long")]
    public async Task A_key_that_is_none_is_a_problem(string key)
    {
        (string path, _) = fixture.Dataset();
        await RouteTests.ProblemAsync(await PostAsync($"{path}/webhooks", Hook, key is "long" ? new string('k', 256) : key), HttpStatusCode.BadRequest);
        Assert.Empty(Webhooks(path));
    }

    [Fact]
    public async Task Keys_are_each_callers_own()
    {
        (string path, _) = fixture.Dataset();
        string key = Guid.NewGuid().ToString();
        string[] answers = [];
        foreach (string caller in new[] { await fixture.Guarded.MasterAsync(), await fixture.Guarded.MasterAsync() })
        {
            using var body = new StringContent(Hook, Encoding.UTF8, "application/json");
            using HttpResponseMessage answer = await fixture.Guarded.SendAsync(HttpMethod.Post, $"{path}/webhooks", caller, body, ("Idempotency-Key", key));
            answers = [.. answers, await answer.Content.ReadAsStringAsync()];
        }

        Assert.NotEqual(answers[0], answers[1]);
        Assert.Equal(2, Webhooks(path).Count());
    }

    private static HttpRequestMessage Request(string path, HttpContent content, string? key)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        return request;
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string json, string? key)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using HttpRequestMessage request = Request(path, content, key);
        return await fixture.Http.SendAsync(request);
    }

    private IEnumerable<WebhookWork> Webhooks(string path) =>
        fixture.Store.Webhooks.Values.Where(work => string.Equals(work.Webhook.Dataset, path.Split('/')[^1], StringComparison.Ordinal));

    // Sends its last byte when it is told to.
    private sealed class SlowContent : HttpContent
    {
        private readonly byte[] _bytes;
        private readonly TaskCompletionSource _release = new();

        public SlowContent(string json)
        {
            _bytes = Encoding.UTF8.GetBytes(json);
            Headers.ContentType = new("application/json");
        }

        public void Release() => _release.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(_bytes.AsMemory(0, _bytes.Length - 1));
            await stream.FlushAsync();
            await _release.Task;
            await stream.WriteAsync(_bytes.AsMemory(_bytes.Length - 1));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }
}
