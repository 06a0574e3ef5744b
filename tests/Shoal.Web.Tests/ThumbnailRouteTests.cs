using System.Net;
using System.Net.Http.Headers;
using Shoal.Cli;
using Shoal.Contracts;
using Shoal.Fakes;
using SkiaSharp;
using Spectre.Console;

namespace Shoal.Web.Tests;

public sealed class ThumbnailRouteTests(WebFixture fixture)
{
    private static readonly DatasetSettings Sound = new() { Modality = DatasetSettings.Sound, Channels = 1, SampleRate = 8_000, WindowSeconds = 1, Shards = 4 };

    [Fact]
    public async Task An_image_is_scaled_down_and_never_up()
    {
        string path = fixture.Dataset(100_000).Path;
        await PutAsync($"{path}/items/a/wide", "image/png", Picture(300, 100));

        Assert.Equal((128, 43), await SizeAsync($"{path}/thumbnail/a/wide"));
        Assert.Equal((48, 16), await SizeAsync($"{path}/thumbnail/a%2Fwide?size=48"));
        Assert.Equal((300, 100), await SizeAsync($"{path}/thumbnail/a/wide?size=512"));
    }

    [Fact]
    public async Task A_window_of_sound_is_a_spectrogram_with_the_high_tone_on_top_and_time_to_the_right()
    {
        string path = fixture.Dataset(settings: Sound).Path;
        await PutAsync($"{path}/items/two.wav@0", "audio/wav", Recordings.Tones(8_000, (300, 0.5), (3_000, 0.5)));
        using SKBitmap picture = SKBitmap.Decode(await fixture.Http.GetByteArrayAsync($"{path}/thumbnail/two.wav@0?size=64"));

        Assert.Equal((64, 64), (picture.Width, picture.Height));
        int[] loudest = [.. new[] { 16, 48 }.Select(column => Enumerable.Range(0, 64).MaxBy(row => Light(picture.GetPixel(column, row))))];
        Assert.True(loudest[0] > 40 && loudest[1] < 20, $"the low tone is loudest in row {loudest[0]}, the high one in row {loudest[1]}, of 64 from the top");
    }

    [Fact]
    public async Task What_is_known_is_not_sent_again_until_it_changes_and_cannot_pass_for_a_page_of_this_site()
    {
        string path = fixture.Dataset(100_000).Path;
        await PutAsync($"{path}/items/a", "image/png", Picture(40, 40));
        HttpResponseMessage first = await fixture.Http.GetAsync($"{path}/thumbnail/a");
        EntityTagHeaderValue tag = first.Headers.ETag!;

        Assert.Equal(HttpStatusCode.NotModified, await AskAsync("a", tag));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("a?size=20", tag));
        await PutAsync($"{path}/items/a?replace=true", "image/png", Picture(41, 40));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("a", tag));

        Assert.Equal("image/png", first.Content.Headers.ContentType?.MediaType);
        Assert.Equal("private, no-cache", string.Join(", ", first.Headers.CacheControl!.ToString().Split(", ").OrderDescending()));
        Assert.Equal("nosniff", Assert.Single(first.Headers.GetValues("X-Content-Type-Options")));
        Assert.StartsWith("sandbox", Assert.Single(first.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);

        async Task<HttpStatusCode> AskAsync(string item, EntityTagHeaderValue known)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{path}/thumbnail/{item}", UriKind.Relative));
            request.Headers.IfNoneMatch.Add(known);
            return (await fixture.Http.SendAsync(request)).StatusCode;
        }
    }

    [Fact]
    public async Task What_cannot_be_drawn_says_why()
    {
        string path = fixture.Dataset().Path;
        string sound = fixture.Dataset(settings: Sound).Path;
        await PutAsync($"{path}/items/text", "image/png", "no picture"u8.ToArray());
        await PutAsync($"{sound}/items/quiet@0", "audio/wav", Recordings.Tones(8_000, (0, 0.5)));

        Assert.Contains("must be 16 to 512", await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/thumbnail/text?size=15"), HttpStatusCode.BadRequest), StringComparison.Ordinal);
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/thumbnail/text?size=big"), HttpStatusCode.BadRequest);
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{path}/thumbnail/nobody"), HttpStatusCode.NotFound);
        await RouteTests.ProblemAsync(await fixture.Http.GetAsync("/datasets/no-such/thumbnail/nobody"), HttpStatusCode.NotFound);
        HttpResponseMessage text = await fixture.Http.GetAsync($"{path}/thumbnail/text");
        Assert.Contains("no PNG, JPEG", await RouteTests.ProblemAsync(text, HttpStatusCode.UnprocessableEntity), StringComparison.Ordinal);
        Assert.Null(text.Headers.ETag);
        Assert.Contains("-60 dB", await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{sound}/thumbnail/quiet@0"), HttpStatusCode.UnprocessableEntity), StringComparison.Ordinal);
        Assert.Contains("RECORDING@MILLISECONDS", await RouteTests.ProblemAsync(await fixture.Http.GetAsync($"{sound}/thumbnail/quiet"), HttpStatusCode.NotFound), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_writes_it_into_a_file()
    {
        string path = fixture.Dataset(100_000).Path;
        string name = path["/datasets/".Length..];
        await PutAsync($"{path}/items/a/b", "image/png", Picture(64, 32));
        string folder = Directory.CreateTempSubdirectory("shoal-thumbnail-").FullName;
        string file = Path.Combine(folder, "b.png");

        (int code, string text, _) = await RunAsync("thumbnail", name, "a/b", "-o", file, "--size", "16", "--http", fixture.Address.ToString());
        Assert.Equal(ExitCodes.Success, code);
        Assert.Contains(file, text, StringComparison.Ordinal);
        using SKBitmap picture = SKBitmap.Decode(file);
        Assert.Equal((16, 8), (picture.Width, picture.Height));

        Assert.Equal((ExitCodes.UserError, "error: The parameter 'size' is 9; must be 16 to 512 pixels.\n"), await FailAsync("--size", "9", "--http", fixture.Address.ToString()));
        (code, string error) = await FailAsync("--http", "http://127.0.0.1:1");
        Assert.Equal(ExitCodes.ServerError, code);
        Assert.Contains("No silo's HTTP API answers at http://127.0.0.1:1/", error, StringComparison.Ordinal);
        (code, error) = await FailAsync("--http", "127.0.0.1:5080");
        Assert.Equal(ExitCodes.UserError, code);
        Assert.Contains("must be an address", error, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);

        async Task<(int Code, string Error)> FailAsync(params string[] more)
        {
            (int failed, string nothing, string reason) = await RunAsync(["thumbnail", name, "a/b", "-o", file, .. more]);
            Assert.Empty(nothing);
            return (failed, reason);
        }
    }

    private static async Task<(int Code, string Text, string Error)> RunAsync(params string[] arguments)
    {
        using var text = new StringWriter();
        using var error = new StringWriter();
        int code = await ShoalCli.RunAsync(arguments, new CliSurroundings { Out = text, Error = error, Terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text) }) });
        return (code, text.ToString(), error.ToString());
    }

    private static int Light(SKColor colour) => colour.Red + colour.Green + colour.Blue;

    private static byte[] Picture(int width, int height)
    {
        using var bitmap = new SKBitmap(width, height);
        bitmap.Erase(SKColors.Teal);
        using SKData encoded = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return encoded.ToArray();
    }

    private async Task<(int Width, int Height)> SizeAsync(string address)
    {
        using SKBitmap picture = SKBitmap.Decode(await fixture.Http.GetByteArrayAsync(address));
        return (picture.Width, picture.Height);
    }

    private async Task PutAsync(string address, string mediaType, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        HttpResponseMessage answer = await fixture.Http.PutAsync(address, content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
