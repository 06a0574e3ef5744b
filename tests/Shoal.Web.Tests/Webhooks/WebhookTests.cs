using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

/// <summary>Webhooks over a real server and a real receiver; which gateway sends, and when again, is the silo's and tested there.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private FakeSilo _silo = null!;
    private WebApplication _app = null!;
    private HttpClient _http = null!;
    private HookReceiver _receiver = null!;

    public async ValueTask InitializeAsync()
    {
        _silo = await FakeSilo.StartAsync();
        _silo.Store.Datasets["digits"] = new FakeDataset(new DatasetSettings { Shards = 2, MaxItemBytes = 1_000 });
        _receiver = await HookReceiver.StartAsync();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(_silo.Client);
        builder.Services.AddSingleton(new ShoalClient(_silo.Client, new ShoalClientOptions { Retries = 1, RetryDelay = TimeSpan.FromMilliseconds(1), Jitter = static () => 0.5 }));
        builder.Services.AddShoalWebhooks(new WebhookOptions
        {
            Networks = [IPNetwork.Parse("127.0.0.0/8")],
            Claim = TimeSpan.FromMilliseconds(20),
            Timeout = TimeSpan.FromSeconds(1),
        });
        builder.Services.AddShoalWeb();
        _app = builder.Build();
        _app.MapShoalApi();
        await _app.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        await _receiver.DisposeAsync();
        await _silo.DisposeAsync();
    }

    [Fact]
    public async Task Changes_arrive_signed_and_in_order_and_again_with_the_same_id_until_they_are_taken()
    {
        await PutAsync("before");
        JsonElement created = await CreateAsync(new { url = _receiver.Url });
        string secret = created.GetProperty("secret").GetString()!;
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);

        Received ready = await _receiver.NextAsync();
        Assert.Equal(("ready", "/hook"), (ready.Type, ready.Path));
        Assert.True(ready.IsSignedWith(secret));
        Assert.InRange(long.Parse(ready.Timestamp, System.Globalization.CultureInfo.InvariantCulture), TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 60, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

        _receiver.Answer(HttpStatusCode.InternalServerError);
        _receiver.Answers.Enqueue(static context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        await PutAsync("after");
        Received failed = await _receiver.NextAsync();
        Received broken = await _receiver.NextAsync();
        Received taken = await _receiver.NextAsync();
        Assert.Equal(["after"], taken.Items);
        Assert.Equal((failed.Id, failed.Body), (broken.Id, broken.Body));
        Assert.Equal((failed.Id, failed.Body), (taken.Id, taken.Body));
        Assert.NotEqual(ready.Id, taken.Id);
        Assert.True(taken.IsSignedWith(secret));

        // The control: a signature is of one message and one secret.
        Assert.False((taken with { Body = taken.Body.Replace("after", "other", StringComparison.Ordinal) }).IsSignedWith(secret));
        Assert.False((taken with { Id = ready.Id }).IsSignedWith(secret));
        Assert.False(taken.IsSignedWith("whsec_" + Convert.ToBase64String(new byte[32])));

        await PutAsync("last");
        Assert.Equal(["last"], (await _receiver.NextAsync()).Items);
        await TestUntilAsync(async () => (await ListAsync())[0].GetProperty("progress").GetProperty("delivered").GetInt64() == 3);
        Assert.DoesNotContain(secret["whsec_".Length..], await _http.GetStringAsync("/datasets/digits/webhooks"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_told_of_its_topics_alone_and_from_its_cursor_on()
    {
        await PutAsync("one");
        await CreateAsync(new { url = _receiver.Url, topics = new[] { "items" }, after = (string?)null });
        Assert.Equal("ready", (await _receiver.NextAsync()).Type);
        Assert.Equal(["one"], (await _receiver.NextAsync()).Items);

        await using HookReceiver events = await HookReceiver.StartAsync();
        await CreateAsync(new { url = events.Url, topics = new[] { "events" } });
        Assert.Equal("ready", (await events.NextAsync()).Type);
        await PutAsync("two");
        Assert.Equal(["two"], (await _receiver.NextAsync()).Items);
        using HttpResponseMessage named = await _http.PutAsJsonAsync("/datasets/digits/clusters/1/name", new { name = "zeros" });
        Assert.Equal(HttpStatusCode.NoContent, named.StatusCode);
        Received told = await events.NextAsync();
        Assert.Empty(told.Items);
        Assert.Equal("named", told.Json.GetProperty("data").GetProperty("changes")[0].GetProperty("event").GetProperty("kind").GetString());
        Assert.Equal(2, events.Count);
    }

    [Fact]
    public async Task A_redirect_is_not_followed_and_a_receiver_that_is_gone_stops_it_until_it_is_resumed()
    {
        await using HookReceiver inside = await HookReceiver.StartAsync();
        _receiver.Answer(HttpStatusCode.TemporaryRedirect, ("Location", inside.Url));
        _receiver.Answer(HttpStatusCode.Gone);
        string id = (await CreateAsync(new { url = _receiver.Url })).GetProperty("webhook").GetProperty("id").GetString()!;
        await _receiver.NextAsync();
        await TestUntilAsync(async () => (await ListAsync())[0].GetProperty("progress").GetProperty("stopped").GetBoolean());
        JsonElement progress = (await ListAsync())[0].GetProperty("progress");
        Assert.Equal((2, "The receiver answered 410."), (progress.GetProperty("failures").GetInt32(), progress.GetProperty("problem").GetString()));
        Assert.Equal((0, 2), (inside.Count, _receiver.Count));

        using HttpResponseMessage resumed = await _http.PostAsync($"/datasets/digits/webhooks/{id}/resume", null);
        Assert.Equal(HttpStatusCode.OK, resumed.StatusCode);
        await TestUntilAsync(async () => (await ListAsync())[0].GetProperty("progress").GetProperty("delivered").GetInt64() == 1);
    }

    [Fact]
    public async Task Who_does_not_answer_in_time_is_tried_again()
    {
        using var release = new SemaphoreSlim(0);
        _receiver.Answers.Enqueue(async _ => await release.WaitAsync());
        await CreateAsync(new { url = _receiver.Url });
        Assert.Equal("ready", (await _receiver.NextAsync()).Type);
        release.Release();
        Assert.Equal(2, _receiver.Count);
    }

    [Fact]
    public async Task One_that_was_removed_gets_nothing_more()
    {
        string id = (await CreateAsync(new { url = _receiver.Url })).GetProperty("webhook").GetProperty("id").GetString()!;
        await _receiver.NextAsync();
        using HttpResponseMessage removed = await _http.DeleteAsync($"/datasets/digits/webhooks/{id}");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        await Task.Delay(200);
        await PutAsync("later");
        await Task.Delay(300);
        Assert.Equal(1, _receiver.Count);
        await RouteTests.ProblemAsync(await _http.DeleteAsync($"/datasets/digits/webhooks/{id}"), HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"url":"ftp://example.org/x"}""", "https address")]
    [InlineData("""{"url":"/hook"}""", "https address")]
    [InlineData("""{"url":"https://user:word@example.org/"}""", "neither a user")]
    [InlineData("""{"url":"https://example.org/","topics":["all"]}""", "topics")]
    [InlineData("""{"url":"https://example.org/","topics":[]}""", "topics")]
    [InlineData("""{"url":"https://example.org/","after":"x"}""", "cursor")]
    [InlineData("""{"url":"http://169.254.169.254/latest/meta-data"}""", "--webhook-networks 169.254.169.254/32")]
    [InlineData("""{"url":"http://93.184.216.34/"}""", "https alone")]
    [InlineData("""{}""", "url")]
    public async Task What_is_wrong_is_told_when_it_is_created(string body, string says)
    {
        using var content = new StringContent(body, MediaTypeHeaderValue.Parse("application/json"));
        using HttpResponseMessage answer = await _http.PostAsync("/datasets/digits/webhooks", content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(says, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(_silo.Store.Webhooks);
    }

    private static async Task TestUntilAsync(Func<Task<bool>> holds)
    {
        for (int tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 300, "It did not come to that within 30 s.");
            await Task.Delay(100);
        }
    }

    private async Task<JsonElement> CreateAsync(object wanted)
    {
        using HttpResponseMessage answer = await _http.PostAsJsonAsync("/datasets/digits/webhooks", wanted);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<JsonElement[]> ListAsync() => [.. JsonDocument.Parse(await _http.GetStringAsync("/datasets/digits/webhooks")).RootElement.EnumerateArray()];

    private async Task PutAsync(string id)
    {
        using var content = new ByteArrayContent([1]);
        content.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        (await _http.PutAsync($"/datasets/digits/items/{id}", content)).EnsureSuccessStatusCode();
    }
}
