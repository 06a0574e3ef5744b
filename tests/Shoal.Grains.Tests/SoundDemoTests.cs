using Shoal.Demo;
using Shoal.Fakes;
using Shoal.Storage.Tests;
using SkiaSharp;
using Spectre.Console;

namespace Shoal.Grains.Tests;

/// <summary>The demo of sound, over few recordings of two kinds.</summary>
[Collection(SiloCollections.Second)]
public sealed class SoundDemoTests
{
    [Fact]
    public async Task It_ingests_learns_draws_and_says_how_to_go_on()
    {
        using var folder = new TempFolder();
        var recordings = Path.Combine(folder.Path, "recordings");
        for (var i = 0; i < 24; i++)
        {
            await WriteAsync($"low/{i}.wav", Recordings.Tones(8_000, (150 + (10 * i), 2), (0, 0.5)));
            await WriteAsync($"high/{i}.wav", Recordings.Tones(8_000, (2_500 + (20 * i), 2), (0, 0.5)));
        }

        await WriteAsync("high/torn.wav", Recordings.Tones(8_000, (900, 1))[..50]);
        var data = Path.Combine(folder.Path, "silo");
        (IAnsiConsole console, StringWriter text) = Terminal();

        Assert.Equal(0, await SoundRun.RunAsync(new SoundRequest(data, Fresh: true, recordings, Most: null, Json: false) { IdleSteps = 2 }, console, TestContext.Current.CancellationToken));

        // A tone of 2 s and silence of 0.5 s have windows at 0, 0.25, ... 2, of which only the last is silent.
        var said = text.ToString();
        Assert.Contains("49 recordings, 432 windows, 48 of them silent; 1 refused", said, StringComparison.Ordinal);
        Assert.Contains("high/torn.wav", said, StringComparison.Ordinal);
        Assert.Contains("50.0%", said.Replace(" %", "%", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Matches(@"(low|high)/\d+\.wav: 9 windows", said);
        Assert.Contains($"./shoal serve --data {data}", said, StringComparison.Ordinal);
        var sheet = Assert.Single(Directory.GetFiles(data, "sounds-version-*.png"));
        Assert.Contains(sheet, said, StringComparison.Ordinal);
        using SKBitmap picture = SKBitmap.Decode(sheet);
        Assert.True(picture.Width > 96 && picture.Height > 96);

        async Task WriteAsync(string name, byte[] wav)
        {
            var file = Path.Combine(recordings, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllBytesAsync(file, wav);
        }
    }

    [Theory]
    [InlineData("--recordings /no/such/folder", "There is no folder '/no/such/folder'; --recordings takes one")]
    [InlineData("--recordings EMPTY", "holds no WAV, FLAC")]
    [InlineData("--sound --recordings NOSILO --data NOSILO --fresh", "is not a silo's folder")]
    [InlineData("--recordings", "Required argument missing")]
    [InlineData("--sound --items 0", "--items must be 1 or more")]
    [InlineData("--sound --items few", "few")]
    public async Task What_the_user_got_wrong_is_said_in_a_line_and_nothing_is_made(string arguments, string reason)
    {
        using var folder = new TempFolder();
        var (empty, other) = (Directory.CreateDirectory(Path.Combine(folder.Path, "empty")).FullName, Directory.CreateDirectory(Path.Combine(folder.Path, "other")).FullName);
        await File.WriteAllBytesAsync(Path.Combine(other, "a.wav"), Recordings.Tones(8_000, (440, 1)));
        (IAnsiConsole console, _) = Terminal();
        using var error = new StringWriter();

        var code = await DemoProgram.RunAsync(arguments.Replace("EMPTY", empty, StringComparison.Ordinal).Replace("NOSILO", other, StringComparison.Ordinal).Split(' '), console, error);

        Assert.NotEqual(0, code);
        Assert.Contains(reason, error.ToString(), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(other, "a.wav")));
    }

    [Theory]
    [InlineData("ForzeeStereo/HiHatOpen-0.wav", "hi-hat")]
    [InlineData("The Black Pearl 1.0/SabianHatClosed-Soft.wav", "hi-hat")]
    [InlineData("The Black Pearl 1.0/PearlSnareRimshot-Hard.wav", "snare")]
    [InlineData("ForzeeStereo/CrashRide18Bell-0.wav", "cymbal")]
    [InlineData("The Black Pearl 1.0/PaisteBell-Hard.wav", "cymbal")]
    [InlineData("circAfrique v4/Sangban1 Bell Mute.wav", "bell")]
    [InlineData("ForzeeStereo/TomHigh-0.wav", "tom")]
    [InlineData("ForzeeStereo/Tambourine-0.wav", "tambourine")]
    [InlineData("Audiophob/16336__sstokes__ss-ht-crunchtime.wav", null)]
    public void A_drum_is_known_by_the_name_of_its_file(string id, string? kind) => Assert.Equal(kind, DrumKinds.Of(id));

    private static (IAnsiConsole Console, StringWriter Text) Terminal()
    {
        var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = 200;
        return (console, text);
    }
}
