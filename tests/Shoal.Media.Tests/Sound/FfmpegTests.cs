using System.Diagnostics;
using System.Globalization;
using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

/// <summary>
/// What is given to ffmpeg and what is made of its answer, with a script in its place; and, where ffmpeg is installed, that it
/// understands.
/// </summary>
public sealed class FfmpegTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-ffmpeg-").FullName;
    private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Where_it_is_missing_the_error_says_what_to_install()
    {
        var missing = await Assert.ThrowsAsync<FfmpegMissingException>(() => new Ffmpeg("ffmpeg-that-nobody-has").ConvertAsync(new MemoryStream([1, 2, 3]), 16_000, 60, _cancel));
        Assert.Equal("'ffmpeg-that-nobody-has' cannot be started. Install ffmpeg (for example apt-get install ffmpeg), or send WAV.", missing.Message);
    }

    [Fact]
    public async Task The_sound_goes_in_and_values_come_out()
    {
        // 0.5 and -1 as little-endian floats.
        var program = Script("""printf '%s\n' "$@" > "$0.arguments"; cat > "$0.input"; printf '\000\000\000\077\000\000\200\277'""");
        var bytes = TestSounds.All["pcm16"];
        var (mono, problem) = await new Ffmpeg(program).ConvertAsync(new MemoryStream(bytes), 11_025, 60, _cancel);
        Assert.Null(problem);
        Assert.Equal([0.5f, -1], mono!);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(program + ".input", _cancel));
        var arguments = await File.ReadAllLinesAsync(program + ".arguments", _cancel);
        Assert.Equal(
            ["-hide_banner", "-nostdin", "-loglevel", "error", "-protocol_whitelist", "pipe", "-format_whitelist", "-i", "pipe:0", "-map", "0:a:0", "-ac", "1", "-ar", "11025", "-f", "f32le", "pipe:1"],
            arguments.Where(a => !a.Contains("flac", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task More_than_pipes_hold_goes_in_while_as_much_comes_out()
    {
        var noise = TestSounds.Noise(1_000_000, seed: 1);
        var (mono, problem) = await new Ffmpeg(Script("exec cat")).ConvertAsync(new MemoryStream(TestSounds.Encode(3, 32, noise)), 16_000, 63, _cancel);
        Assert.Null(problem);
        Assert.Equal(noise, mono!);
    }

    [Fact]
    public async Task A_files_name_is_one_argument_whatever_is_in_it()
    {
        var program = Script("""printf '%s\n' "$@" > "$0.arguments"; printf '\000\000\000\077'""");
        var path = Path.Combine(_folder, "-y; rm $HOME \"x.flac");
        Assert.Null((await new Ffmpeg(program).ConvertFileAsync(path, 16_000, 60, _cancel)).Problem);
        Assert.Contains("file:" + path, await File.ReadAllLinesAsync(program + ".arguments", _cancel));
    }

    [Fact]
    public async Task Its_last_words_are_the_reason()
    {
        var program = Script("echo 'first' >&2; echo 'pipe:0: Invalid data found' >&2; echo >&2; exit 1");
        var (mono, problem) = await new Ffmpeg(program).ConvertAsync(new MemoryStream(new byte[1_000_000]), 16_000, 60, _cancel);
        Assert.Null(mono);
        Assert.Equal(new MediaProblem("undecodable", "ffmpeg cannot read the sound: pipe:0: Invalid data found"), problem);
        Assert.Equal("empty", (await new Ffmpeg(Script("cat > /dev/null")).ConvertAsync(new MemoryStream([1]), 16_000, 60, _cancel)).Problem?.Code);
    }

    [Fact]
    public async Task Output_without_end_is_cut_off_and_the_process_ended()
    {
        var program = Script("echo $$ > \"$0.id\"; exec cat /dev/zero");
        var (mono, problem) = await new Ffmpeg(program).ConvertAsync(Stream.Null, 16_000, 2, _cancel);
        Assert.Null(mono);
        Assert.Equal(new MediaProblem("too-long", "The sound lasts longer than 2 s, which are read at once at most. Send it in parts."), problem);
        AssertEnded(program);

        // Exactly as much as is allowed is not too long.
        Assert.Equal(32_000, (await new Ffmpeg(Script("head -c 128000 /dev/zero")).ConvertAsync(Stream.Null, 16_000, 2, _cancel)).Mono?.Length);
    }

    [Fact]
    public async Task Cancelling_ends_the_process_that_waits_for_more()
    {
        var program = Script("echo $$ > \"$0.id\"; exec cat > /dev/null");
        using var cancel = new CancellationTokenSource();
        var conversion = new Ffmpeg(program).ConvertAsync(new Endless(), 16_000, 60, cancel.Token);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(program + ".id") && new FileInfo(program + ".id").Length > 0, TimeSpan.FromSeconds(30)), "the script did not start in 30 s");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => conversion);
        AssertEnded(program);
    }

    [Fact]
    public async Task A_source_that_fails_is_the_callers_exception()
    {
        var program = Script("exec cat > /dev/null");
        await Assert.ThrowsAsync<NotSupportedException>(() => new Ffmpeg(program).ConvertAsync(new Unreadable(), 16_000, 60, _cancel));
    }

    [Fact]
    public async Task Seconds_that_no_array_holds_are_the_callers_mistake() =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => new Ffmpeg().ConvertAsync(Stream.Null, 48_000, 1e5, _cancel));

    [Theory]
    [InlineData("flac", 0.001)]
    [InlineData("ogg", 0.1)]
    [InlineData("mp3", 0.1)]
    [InlineData("m4a", 0.1)]
    [InlineData("wav", 0.001)]
    public async Task What_is_installed_reads_files_and_streams(string extension, double tolerance)
    {
        SkipWithoutFfmpeg();
        var wav = Path.Combine(_folder, "tone.wav");
        await File.WriteAllBytesAsync(wav, WavWriter.Write(TestSounds.Tone(500, 16_000, 32_000), 16_000), _cancel);
        var path = Path.Combine(_folder, "coded." + extension);
        string[] fast = extension is "m4a" ? ["-movflags", "+faststart"] : [];
        using (var encoder = Process.Start(new ProcessStartInfo("ffmpeg", ["-loglevel", "error", "-nostdin", "-i", wav, .. fast, path]))!)
        {
            await encoder.WaitForExitAsync(_cancel);
            Assert.Equal(0, encoder.ExitCode);
        }

        foreach (var conversion in new[] { await new Ffmpeg().ConvertFileAsync(path, 8_000, 10, _cancel), await new Ffmpeg().ConvertAsync(new MemoryStream(await File.ReadAllBytesAsync(path, _cancel)), 8_000, 10, _cancel) })
        {
            Assert.Null(conversion.Problem);

            // Lossy formats pad with some thousand values; a tone of amplitude 0.5 has a level of 0.354.
            Assert.InRange(conversion.Mono!.Length, 15_900, 18_000);
            Assert.Equal(0.3536, TestSounds.Level(conversion.Mono.Skip(4_000).Take(8_000)), tolerance);
        }
    }

    [Fact]
    public async Task What_is_installed_refuses_text_and_playlists()
    {
        SkipWithoutFfmpeg();
        var secret = Path.Combine(_folder, "secret.wav");
        await File.WriteAllBytesAsync(secret, WavWriter.Write(TestSounds.Tone(500, 16_000, 16_000), 16_000), _cancel);
        var playlist = Path.Combine(_folder, "list.m3u8");
        await File.WriteAllTextAsync(playlist, $"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:{secret}\n#EXT-X-ENDLIST\n", _cancel);
        var concat = Path.Combine(_folder, "list.txt");
        await File.WriteAllTextAsync(concat, $"ffconcat version 1.0\nfile secret.wav\n", _cancel);
        foreach (var path in new[] { playlist, concat })
        {
            Assert.Equal("undecodable", (await new Ffmpeg().ConvertFileAsync(path, 16_000, 10, _cancel)).Problem?.Code);
        }

        var problem = (await new Ffmpeg().ConvertAsync(new MemoryStream("no sound at all"u8.ToArray()), 16_000, 10, _cancel)).Problem;
        Assert.StartsWith("ffmpeg cannot read the sound: ", problem?.Message, StringComparison.Ordinal);
    }

    private static void SkipWithoutFfmpeg() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "ffmpeg"))),
        "ffmpeg is not in PATH: apt-get install ffmpeg to have its conversions tested");

    private static void AssertEnded(string program)
    {
        var id = int.Parse(File.ReadAllText(program + ".id"), CultureInfo.InvariantCulture);
        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists($"/proc/{id}"), TimeSpan.FromSeconds(30)), $"process {id} still runs after 30 s");
    }

    private string Script(string body)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "scripts in place of ffmpeg need a shell");
        var path = Path.Combine(_folder, $"ffmpeg{Directory.GetFiles(_folder).Length}");
        File.WriteAllText(path, "#!/bin/sh\n" + body + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }

    /// <summary>Has bytes for ever.</summary>
    private sealed class Endless : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Math.Min(buffer.Length, 100));
    }

    /// <summary>Fails when it is read.</summary>
    private sealed class Unreadable : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new NotSupportedException("no");
    }
}
