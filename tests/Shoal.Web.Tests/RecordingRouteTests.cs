using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

public sealed class RecordingRouteTests(WebFixture fixture)
{
    [Fact]
    public async Task A_recording_is_sent_answered_as_a_timeline_and_deleted()
    {
        string path = fixture.Dataset(settings: new DatasetSettings { Modality = DatasetSettings.Sound, Channels = 1, SampleRate = 8_000, Shards = 4 }).Path;
        HttpResponseMessage sent = await PutAsync($"{path}/recordings/night/owl%20one.wav", Recordings.Tones(44_100, (440, 1.2)));
        Assert.Equal(HttpStatusCode.OK, sent.StatusCode);
        JsonElement results = await sent.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(["night/owl one.wav@0", "night/owl one.wav@500"], results.EnumerateArray().Select(result => result.GetProperty("id").GetString()).Order());

        JsonElement known = await fixture.Http.GetFromJsonAsync<JsonElement>($"{path}/recordings/night/owl%20one.wav");
        Assert.Equal([0, 0.5], known.GetProperty("windows").EnumerateArray().Select(window => window.GetProperty("start").GetDouble()));

        Assert.Equal(HttpStatusCode.NoContent, (await fixture.Http.DeleteAsync($"{path}/recordings/night/owl%20one.wav")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await fixture.Http.GetAsync($"{path}/items/night/owl%20one.wav@500")).StatusCode);
    }

    [Fact]
    public async Task What_cannot_be_a_recording_is_a_400_with_the_reason_and_one_never_sent_a_404()
    {
        string path = fixture.Dataset(settings: new DatasetSettings { Modality = DatasetSettings.Sound, Channels = 1, Shards = 4 }).Path;
        HttpResponseMessage torn = await PutAsync($"{path}/recordings/torn", Recordings.Tones(8_000, (440, 1))[..40]);
        Assert.Equal(HttpStatusCode.BadRequest, torn.StatusCode);
        Assert.Contains("WAV", await torn.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await fixture.Http.GetAsync($"{path}/recordings/nobody")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await fixture.Http.DeleteAsync($"{path}/recordings/nobody")).StatusCode);

        string images = fixture.Dataset().Path;
        HttpResponseMessage wrong = await PutAsync($"{images}/recordings/x", Recordings.Tones(8_000, (440, 1)));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Contains("its modality is 'image'", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("recordings/owl", "audio/wav", false)]
    [InlineData("recordings/owl", "audio/wav", true)]
    [InlineData("items/owl", "audio/x-raw", false)]
    public async Task Items_carry_the_fields_of_the_query_string(string below, string type, bool chunked)
    {
        (string path, FakeDataset dataset) = fixture.Dataset(settings: new DatasetSettings { Modality = DatasetSettings.Sound, Channels = 1, SampleRate = 8_000, Shards = 4 });

        HttpResponseMessage sent = await SendAsync("field=box=north%3D1&field=season=spring");
        Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync());
        Assert.NotEmpty(dataset.Items);
        Assert.All(dataset.Items.Values, item => Assert.Equal([("box", "north=1"), ("season", "spring")], item.Upload.Metadata!.OrderBy(field => field.Key).Select(field => (field.Key, field.Value))));

        HttpResponseMessage refused = await SendAsync("field=box");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("NAME=VALUE", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        async Task<HttpResponseMessage> SendAsync(string query)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"{path}/{below}?{query}", UriKind.Relative)) { Content = new ByteArrayContent(Recordings.Tones(8_000, (440, 1))) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
            request.Headers.TransferEncodingChunked = chunked;
            return await fixture.Http.SendAsync(request);
        }
    }

    [Fact]
    public async Task Sound_of_unknown_length_is_stored_while_it_comes()
    {
        (string path, FakeDataset dataset) = fixture.Dataset(settings: new DatasetSettings { Modality = DatasetSettings.Sound, Channels = 1, SampleRate = 8_000, Shards = 4 });
        byte[] wav = Recordings.Tones(8_000, (440, 3));
        var pipe = new Pipe();
        Stream writer = pipe.Writer.AsStream();
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"{path}/recordings/live", UriKind.Relative)) { Content = new StreamContent(pipe.Reader.AsStream()) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("audio/wav");
        request.Headers.TransferEncodingChunked = true;
        Task<HttpResponseMessage> answer = fixture.Http.SendAsync(request);
        // Two windows are whole; of the rest the HTTP client keeps up to 4 KB back.
        await writer.WriteAsync(wav.AsMemory(0, 44 + 30_000));
        await writer.FlushAsync();
        while (!dataset.Items.Values.Any(item => item.Upload.Id is "live@500"))
        {
            Assert.False(answer.IsCompleted, answer.IsCompleted ? $"{(await answer).StatusCode} {await (await answer).Content.ReadAsStringAsync()}" : null);
            await Task.Delay(20);
        }

        await writer.WriteAsync(wav.AsMemory(44 + 30_000));
        await writer.DisposeAsync();
        JsonElement results = await (await answer).Content.ReadFromJsonAsync<JsonElement>();
        // From 0, 0.5, 1, 1.5 and 2 s on; nothing is left behind 3 s.
        Assert.Equal(5, results.GetArrayLength());
    }

    private Task<HttpResponseMessage> PutAsync(string path, byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("audio/wav");
        return fixture.Http.PutAsync(new Uri(path, UriKind.Relative), content);
    }
}
