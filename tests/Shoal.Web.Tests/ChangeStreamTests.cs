using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Shoal.Web.Tests;

/// <summary>Changes as server-sent events, read by the runtime's own reader of them.</summary>
public sealed class ChangeStreamTests(WebFixture fixture)
{
    [Fact]
    public async Task Changes_come_as_they_happen_and_a_listener_that_comes_back_misses_nothing()
    {
        (string path, _) = fixture.Dataset();
        await PutAsync(path, "early");
        string heard;
        await using (Listener first = await Listener.OpenAsync(fixture.Http, $"{path}/events/stream"))
        {
            SseItem<string> early = await first.NextAsync();
            Assert.Equal(("item", "early"), (early.EventType, Id(early)));
            await PutAsync(path, "late");
            SseItem<string> late = await first.NextAsync();
            Assert.Equal(("item", "late"), (late.EventType, Id(late)));
            heard = late.EventId!;
        }

        await PutAsync(path, "meanwhile");
        await using Listener again = await Listener.OpenAsync(fixture.Http, $"{path}/events/stream?after=end", heard);
        Assert.Equal("meanwhile", Id(await again.NextAsync()));
    }

    [Fact]
    public async Task From_the_end_only_what_comes_is_told_and_quiet_says_where_one_stands()
    {
        (string path, _) = fixture.Dataset();
        await PutAsync(path, "early");
        await using Listener listener = await Listener.OpenAsync(fixture.Http, $"{path}/events/stream?after=end");
        SseItem<string> quiet = await listener.NextAsync();
        Assert.Equal(("quiet", "{}"), (quiet.EventType, quiet.Data));
        Assert.NotEmpty(quiet.EventId!);
        await PutAsync(path, "late");
        Assert.Equal("late", Id(await listener.NextAsync()));
    }

    [Fact]
    public async Task A_cursor_that_is_none_and_a_dataset_that_is_not_are_problems()
    {
        (string path, _) = fixture.Dataset();
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/events/stream?after=x"), HttpStatusCode.BadRequest);
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/events/stream"), HttpStatusCode.NotFound);
    }

    private static string Id(SseItem<string> told) => JsonDocument.Parse(told.Data).RootElement.GetProperty("item").GetProperty("id").GetString()!;

    private async Task PutAsync(string path, string id)
    {
        using var content = new ByteArrayContent([1]);
        content.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        (await fixture.Http.PutAsync($"{path}/items/{id}", content)).EnsureSuccessStatusCode();
    }

    private sealed class Listener(HttpResponseMessage answer, IAsyncEnumerator<SseItem<string>> events) : IAsyncDisposable
    {
        public static async Task<Listener> OpenAsync(HttpClient http, string path, string? heard = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (heard is not null)
            {
                request.Headers.Add("Last-Event-ID", heard);
            }

            HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
            return new Listener(answer, SseParser.Create(await answer.Content.ReadAsStreamAsync()).EnumerateAsync().GetAsyncEnumerator());
        }

        public async Task<SseItem<string>> NextAsync()
        {
            Assert.True(await events.MoveNextAsync(), "the stream ended");
            return events.Current;
        }

        public async ValueTask DisposeAsync()
        {
            await events.DisposeAsync();
            answer.Dispose();
        }
    }
}
