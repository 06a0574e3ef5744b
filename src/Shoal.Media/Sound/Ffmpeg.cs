using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Shoal.Media.Sound;

/// <summary>What became of a sound.</summary>
/// <param name="Mono">One channel at the rate that was asked for, full scale -1 to 1; null on failure.</param>
/// <param name="Problem">What is wrong; null on success.</param>
public sealed record Conversion(float[]? Mono, MediaProblem? Problem);

/// <summary>Converts FLAC, OGG, MP3, M4A and whatever else ffmpeg reads. Thread-safe: every conversion is a process of its own.</summary>
/// <remarks>
/// A plain process, because FFMpegCore 6.0.0 asks for ffmpeg's version before every conversion, joins arguments into one
/// text, sends bytes through sockets in the folder for temporary files, and has no bound on what comes out.
/// </remarks>
/// <param name="program">The program's name, looked for in PATH, or its path.</param>
public sealed class Ffmpeg(string program = "ffmpeg")
{
    // Containers of sound. Playlists are left out: they name other files and addresses, which would be read with our rights.
    private const string Formats = "aac,ac3,aiff,amr,ape,asf,au,caf,eac3,flac,matroska,mov,mp3,mpeg,mpegts,ogg,tta,w64,wav,wv";

    // More than ffmpeg's last line.
    private const int KeptComplaint = 2_000;

    /// <summary>Converts a file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="rate">Values a second that are wanted.</param>
    /// <param name="maxSeconds">How long it may last: nothing is kept beyond it.</param>
    /// <param name="cancellationToken">Ends the process.</param>
    /// <returns>The sound, or why there is none; a file that breaks off gives what ffmpeg could read of it.</returns>
    /// <exception cref="FfmpegMissingException">ffmpeg is not installed.</exception>
    public Task<Conversion> ConvertFileAsync(string path, int rate, double maxSeconds, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return RunAsync("file", "file:" + Path.GetFullPath(path), Stream.Null, rate, maxSeconds, cancellationToken);
    }

    /// <summary>Converts a stream. A long M4A whose index is at its end may not be readable this way, but is as a file.</summary>
    /// <param name="input">The bytes of a sound file; read to its end, not closed.</param>
    /// <param name="rate">Values a second that are wanted.</param>
    /// <param name="maxSeconds">How long it may last: nothing is kept beyond it.</param>
    /// <param name="cancellationToken">Ends the process.</param>
    /// <returns>As for <see cref="ConvertFileAsync"/>.</returns>
    /// <exception cref="FfmpegMissingException">ffmpeg is not installed.</exception>
    public Task<Conversion> ConvertAsync(Stream input, int rate, double maxSeconds, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return RunAsync("pipe", "pipe:0", input, rate, maxSeconds, cancellationToken);
    }

    // Reads to the end, or to one byte more than is allowed.
    private static async Task<MemoryStream> DrainAsync(Stream output, long most, CancellationToken cancellationToken)
    {
        var kept = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (kept.Length <= most)
        {
            var read = await output.ReadAsync(buffer, cancellationToken);
            if (read == 0)
            {
                break;
            }

            await kept.WriteAsync(buffer.AsMemory(0, (int)Math.Min(read, most + 1 - kept.Length)), cancellationToken);
        }

        return kept;
    }

    private static async Task FeedAsync(Stream input, Stream target, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        await using (target)
        {
            for (var read = await input.ReadAsync(buffer, cancellationToken); read > 0; read = await input.ReadAsync(buffer, cancellationToken))
            {
                try
                {
                    await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
                catch (IOException)
                {
                    // It has read enough or given up; its exit code tells which.
                    return;
                }
            }
        }
    }

    private static async Task<string> LastLineAsync(TextReader errors, CancellationToken cancellationToken)
    {
        var tail = "";
        var buffer = new char[1_024];
        for (var read = await errors.ReadAsync(buffer, cancellationToken); read > 0; read = await errors.ReadAsync(buffer, cancellationToken))
        {
            tail += new string(buffer, 0, read);
            tail = tail[^Math.Min(tail.Length, KeptComplaint)..];
        }

        return tail.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault("it gave no reason");
    }

    private async Task<Conversion> RunAsync(string protocol, string source, Stream input, int rate, double maxSeconds, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rate, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(maxSeconds);
        var most = (long)Math.Ceiling(maxSeconds * rate) * sizeof(float);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(most, Array.MaxLength, nameof(maxSeconds));
        using var process = Start(
            "-hide_banner", "-nostdin", "-loglevel", "error", "-protocol_whitelist", protocol, "-format_whitelist", Formats,
            "-i", source, "-map", "0:a:0", "-ac", "1", "-ar", $"{rate}", "-f", "f32le", "pipe:1");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var feeding = FeedAsync(input, process.StandardInput.BaseStream, ended.Token);
            var complaint = LastLineAsync(process.StandardError, cancellationToken);
            using var output = await DrainAsync(process.StandardOutput.BaseStream, most, cancellationToken);
            if (output.Length > most)
            {
                process.Kill();
            }

            await process.WaitForExitAsync(cancellationToken);

            // Whoever still waits for bytes of the sound waits for nothing.
            await ended.CancelAsync();
            await feeding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (feeding.IsFaulted)
            {
                await feeding;
            }

            return Judge(output, most, process.ExitCode, await complaint, maxSeconds);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static Conversion Judge(MemoryStream output, long most, int exitCode, string complaint, double maxSeconds)
    {
        if (output.Length > most)
        {
            return new(null, new(MediaProblemCodes.TooLong, $"The sound lasts longer than {maxSeconds:0.###} s, which are read at once at most. Send it in parts."));
        }

        if (exitCode != 0)
        {
            return new(null, new(MediaProblemCodes.Undecodable, $"ffmpeg cannot read the sound: {complaint}"));
        }

        var mono = MemoryMarshal.Cast<byte, float>(output.GetBuffer().AsSpan(0, (int)output.Length)).ToArray();
        return mono.Length > 0 ? new(mono, null) : new(null, new(MediaProblemCodes.Empty, "The file has no sound in it; send the whole recording."));
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception reason)
        {
            throw new FfmpegMissingException($"'{program}' cannot be started. Install ffmpeg (for example apt-get install ffmpeg), or send WAV.", reason);
        }
    }
}
