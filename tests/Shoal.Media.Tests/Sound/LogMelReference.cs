using Shoal.Media.Sound;

namespace Shoal.Media.Tests.Sound;

/// <summary>The formula of docs/reference/sound.md in plain loops: a DFT by its definition, filters evaluated at every frequency.</summary>
internal static class LogMelReference
{
    public static byte[] Of(float[] sound, SoundFormatOptions options)
    {
        var (rate, mels, frames) = (options.SampleRate, options.Mels, options.Frames);
        var window = (int)Math.Ceiling((options.WindowSeconds * rate) - 1e-6);
        var longest = Math.Max((int)Math.Floor((0.025 * rate) + 0.5), (int)Math.Floor((2.0 * window / frames) + 0.5));
        var mean = sound.Average(v => (double)v);
        var blocks = sound.Chunk((int)Math.Floor((0.01 * rate) + 0.5)).Select(block => block.Average(v => (v - mean) * (v - mean))).ToArray();
        var heard = Enumerable.Range(0, blocks.Length).Where(block => blocks[block] >= blocks.Max() / 10_000).ToArray();
        var (block, least) = ((int)Math.Floor((0.01 * rate) + 0.5), (int)Math.Floor((0.1 * rate) + 0.5));
        var (begin, end) = (heard[0] * block, Math.Min(sound.Length, (heard[^1] + 1) * block));
        if (end - begin < least)
        {
            end = Math.Min(sound.Length, begin + least);
            begin = Math.Max(0, end - least);
        }

        sound = sound[begin..end];
        mean = sound.Average(v => (double)v);
        var hop = Math.Max(sound.Length, least) / (double)frames;
        var length = Math.Max((int)Math.Floor((0.025 * rate) + 0.5), (int)Math.Floor((2 * hop) + 0.5));
        var size = 1;
        while (size < longest || rate / (double)size >= Hertz(2.0 * Mel(rate / 2.0) / (mels + 1)))
        {
            size *= 2;
        }

        var powers = new double[mels, frames];
        for (var frame = 0; frame < frames; frame++)
        {
            var start = (int)Math.Floor(((frame + 0.5) * hop) - (length / 2.0) + 0.5);
            var spectrum = new double[(size / 2) + 1];
            for (var bin = 0; bin <= size / 2; bin++)
            {
                var (real, imaginary) = (0.0, 0.0);
                for (var i = 0; i < length; i++)
                {
                    var at = start + i;
                    var value = at >= 0 && at < sound.Length ? sound[at] - mean : 0;
                    var weighted = value * (0.5 - (0.5 * Math.Cos(2 * Math.PI * i / length)));

                    // The angle is taken within one turn: a product of thousands would cost digits.
                    var angle = -2 * Math.PI * ((long)bin * i % size) / size;
                    real += weighted * Math.Cos(angle);
                    imaginary += weighted * Math.Sin(angle);
                }

                spectrum[bin] = (real * real) + (imaginary * imaginary);
            }

            for (var mel = 0; mel < mels; mel++)
            {
                var unit = Mel(rate / 2.0) / (mels + 1);
                var (low, peak, high) = (Hertz(mel * unit), Hertz((mel + 1) * unit), Hertz((mel + 2) * unit));
                for (var bin = 0; bin <= size / 2; bin++)
                {
                    var hertz = bin * rate / (double)size;
                    powers[mel, frame] += spectrum[bin] * Math.Max(0, Math.Min((hertz - low) / (peak - low), (high - hertz) / (high - peak)));
                }
            }
        }

        var loudest = powers.Cast<double>().Max();
        var sample = new byte[mels * frames];
        for (var mel = 0; mel < mels; mel++)
        {
            for (var frame = 0; frame < frames; frame++)
            {
                var decibels = 10 * Math.Log10(powers[mel, frame] / loudest);
                sample[((mels - 1 - mel) * frames) + frame] = (byte)Math.Round(255 * Math.Clamp((decibels + 40) / 40, 0, 1));
            }
        }

        return sample;
    }

    private static double Mel(double hertz) => 2_595 * Math.Log10(1 + (hertz / 700));

    private static double Hertz(double mel) => 700 * (Math.Pow(10, mel / 2_595) - 1);
}
