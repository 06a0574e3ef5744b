using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Shoal.Media.Sound;

/// <summary>
/// Cuts WAV and bare sound as they come, from a file or from a microphone that never ends, by the rule of <see cref="SoundWindows"/>: a
/// window comes as soon as it is whole, and is converted by itself.
/// </summary>
public static class SoundStreams
{
    // Recorders write less than a hundred.
    private const int MostHeaderBytes = 1 << 20;
    private const int LeastRead = 16 * 1024;

    /// <summary>Cuts a stream.</summary>
    /// <param name="input">A WAV of any rate and kind, whatever length it announces; or bare 16-bit little-endian values of one channel at the dataset's rate.</param>
    /// <param name="options">The canonical form.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Its windows in order; when the stream ends, what is left as a last one.</returns>
    /// <exception cref="InvalidDataException">It begins like a WAV and is none that can be read; the message says why.</exception>
    public static async IAsyncEnumerable<SoundWindow> CutAsync(Stream input, SoundFormatOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(options);
        options.Validated(nameof(options));
        var tail = new Tail(input);
        byte[] head = await HeadAsync(tail, options.SampleRate, cancellationToken);
        WavHeader format = Parse([.. head, .. new byte[WavHeader.MostStep]]);
        var step = format.Width * format.Channels;
        var length = (long)(options with { SampleRate = format.Rate }).WindowLength * step;
        long dropped = 0;
        for (var number = 0; ; number++)
        {
            var seconds = number * options.HopSeconds;
            var first = Steps(seconds) * step;
            // What the windows before reached is not shown again when nothing follows.
            var shown = number == 0 ? 0 : (Steps((number - 1) * options.HopSeconds) * step) + length;
            await tail.FillAsync(first + length - dropped, cancellationToken);
            if (dropped + tail.Length - (tail.Length % step) <= shown)
            {
                yield break;
            }

            tail.Drop((int)(first - dropped));
            dropped = first;
            var taken = (int)Math.Min(length, tail.Length - (tail.Length % step));
            yield return Window(number, seconds, Announce([.. head, .. tail.Bytes[..taken]], head.Length, taken), options);
        }

        long Steps(double time) => (long)Math.Round(time * format.Rate, MidpointRounding.AwayFromZero);
    }

    private static SoundWindow Window(int number, double seconds, byte[] wav, SoundFormatOptions options)
    {
        if (!SoundReader.TryRead(wav, options.SampleRate, options.WindowSeconds + 1, out var mono, out var problem))
        {
            throw new InvalidDataException(problem!.Message);
        }

        return SoundWindow.Of(number, seconds, mono, options.SampleRate);
    }

    private static WavHeader Parse(byte[] beginning) =>
        WavHeader.TryRead(Announce(beginning, beginning.Length - WavHeader.MostStep, WavHeader.MostStep), out var header, out var problem) ? header : throw new InvalidDataException(problem!.Message);

    // The bytes up to the first value; of bare values those of a WAV that holds such.
    private static async Task<byte[]> HeadAsync(Tail tail, int rate, CancellationToken cancellationToken)
    {
        await tail.FillAsync(12, cancellationToken);
        if (!WavHeader.IsWav(tail.Bytes))
        {
            return WavWriter.Write([], rate);
        }

        for (long at = 12; at < MostHeaderBytes;)
        {
            await tail.FillAsync(at + 8, cancellationToken);
            if (tail.Length < at + 8)
            {
                break;
            }

            ReadOnlySpan<byte> chunk = tail.Bytes[(int)at..];
            if (chunk[..4].SequenceEqual("data"u8))
            {
                byte[] head = tail.Bytes[..((int)at + 8)].ToArray();
                tail.Drop(head.Length);
                // Behind the sound of a file other chunks may follow; streams announce nothing, or more than there will be.
                var announced = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(head.Length - 4));
                tail.Limit = announced is 0 or >= WavHeader.Unknown ? long.MaxValue : announced;
                return head;
            }

            var length = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            at += 8 + length + (length & 1);
        }

        throw new InvalidDataException("The stream begins like a WAV, and no sound follows its header; send WAV as arecord or ffmpeg write it.");
    }

    // Writes how many bytes of sound there are behind the header.
    private static byte[] Announce(byte[] wav, int head, int bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(4), wav.Length - 8);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(head - 4), bytes);
        return wav;
    }

    /// <summary>What was read of a stream and is still needed.</summary>
    private sealed class Tail(Stream input)
    {
        private byte[] _bytes = new byte[LeastRead];
        private int _length;
        private bool _hasEnded;

        /// <summary>How much of the stream is still looked at; the rest of it is not.</summary>
        public long Limit { get; set; } = long.MaxValue;

        public int Length => (int)Math.Min(_length, Limit);

        public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

        public async Task FillAsync(long length, CancellationToken cancellationToken)
        {
            while (_length < Math.Min(length, Limit) && !_hasEnded)
            {
                if (_bytes.Length < _length + LeastRead)
                {
                    Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + LeastRead));
                }

                var read = await input.ReadAsync(_bytes.AsMemory(_length), cancellationToken);
                _length += read;
                _hasEnded = read == 0;
            }
        }

        public void Drop(int bytes)
        {
            bytes = Math.Min(bytes, Length);
            _bytes.AsSpan(bytes, _length - bytes).CopyTo(_bytes);
            _length -= bytes;
            Limit -= Limit == long.MaxValue ? 0 : bytes;
        }
    }
}
