using System.Buffers.Binary;
using System.Formats.Tar;
using System.Text;
using Microsoft.AspNetCore.Http;
using Shoal.Contracts;
using Shoal.Media;
using Shoal.Media.Sound;
using Shoal.Web;

namespace Shoal.Benchmarks;

/// <content>Recordings, and bodies that hold many files.</content>
internal static partial class FuzzTargets
{
    private const int MostItems = 100;
    private const string Boundary = "----limits";

    // Read as items, and cut as they come. What is no WAV is ffmpeg's.
    private static FuzzTarget Sound()
    {
        var options = new SoundFormatOptions { SampleRate = 8_000, WindowSeconds = 0.1, HopSeconds = 0.05, Mels = 16, Frames = 16, MaxBytes = 1 << 20 };
        var decoder = new SoundDecoder(options);
        byte[][] seeds = [Tone(WavBytes.Pcm, channels: 1, rate: 8_000, bits: 16), Tone(WavBytes.Pcm, channels: 2, rate: 44_100, bits: 24), Tone(WavBytes.Floats, channels: 1, rate: 11_025, bits: 32)];
        return new FuzzTarget("sound", seeds, async bytes =>
        {
            if (bytes.Length < 12 || !bytes.AsSpan().StartsWith("RIFF"u8) || !bytes.AsSpan(8).StartsWith("WAVE"u8))
            {
                throw new FormatException("It is no WAV.");
            }

            await foreach (SoundWindow window in SoundStreams.CutAsync(new MemoryStream(bytes), options))
            {
                GC.KeepAlive(window);
            }

            var sample = new byte[decoder.SampleBytes];
            if ((decoder.Check(MediaTypes.AnySound, bytes) ?? (decoder.TryDecode(MediaTypes.AnySound, bytes, sample, out MediaProblem? problem) ? null : problem!)) is { } refused)
            {
                throw new FormatException(refused.Message);
            }
        }, e => e is FormatException or InvalidDataException);
    }

    private static FuzzTarget Archive()
    {
        using var archive = new MemoryStream();
        using (var tar = new TarWriter(archive, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "cats/1.png") { DataStream = new MemoryStream([1, 2, 3]) });
            tar.WriteEntry(new UstarTarEntry(TarEntryType.Directory, "cats/"));
            tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, new string('d', 120) + "/2.png") { DataStream = new MemoryStream(new byte[600]) });
        }

        return new FuzzTarget("tar", [archive.ToArray()], bytes => ReadAllAsync(new TarBodyReader(new MemoryStream(bytes), Pictures, MostItems).ReadAsync()), IsRefusal);
    }

    private static FuzzTarget Form()
    {
        var part = $"--{Boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a/7.png\"\r\nContent-Type: image/png\r\n\r\nbytes\r\n";
        return new FuzzTarget(
            "form", [Encoding.Latin1.GetBytes($"{part}{part}--{Boundary}--\r\n")],
            bytes => ReadAllAsync(new FormReader(new MemoryStream(bytes), $"multipart/form-data; boundary={Boundary}", Pictures, MostItems).ReadAsync()), IsRefusal);
    }

    private static DatasetSettings Pictures => new() { MaxItemBytes = 1_024 };

    private static bool IsRefusal(Exception failure) => failure is ShoalException { Kind: ShoalErrorKind.Invalid } or BadHttpRequestException or FormatException;

    // A tenth of a second.
    private static byte[] Tone(short format, int channels, int rate, int bits)
    {
        var width = bits / 8;
        var values = new byte[rate / 10 * channels * width];
        for (var at = 0; at < values.Length; at += width)
        {
            var value = Math.Sin(at * 0.05);
            if (format == WavBytes.Floats)
            {
                BinaryPrimitives.WriteSingleLittleEndian(values.AsSpan(at), (float)value);
            }
            else
            {
                // The highest two bytes of however many there are.
                BinaryPrimitives.WriteInt16LittleEndian(values.AsSpan(at + width - 2), (short)(value * 20_000));
            }
        }

        return WavBytes.Of(format, channels, rate, bits, values);
    }
}
