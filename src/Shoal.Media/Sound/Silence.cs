using System.Numerics.Tensors;

namespace Shoal.Media.Sound;

/// <summary>Tells whether a sound has anything in it.</summary>
internal static class Silence
{
    /// <summary>-60 dB of full scale, 33 steps of 16 bits: above the noise of recorders that hear nothing, below a whisper near one.</summary>
    public const float Threshold = 0.001f;

    /// <summary>The mean, which is no sound: recorders add a constant.</summary>
    /// <param name="mono">Values, full scale -1 to 1.</param>
    public static float Mean(ReadOnlySpan<float> mono)
    {
        // In double: a float sum of a million values is off by more than the threshold.
        var sum = 0.0;
        foreach (var value in mono)
        {
            sum += value;
        }

        return mono.IsEmpty ? 0 : (float)(sum / mono.Length);
    }

    /// <summary>Whether no value is further from the mean than <see cref="Threshold"/>.</summary>
    /// <param name="mono">Values, full scale -1 to 1.</param>
    public static bool Is(ReadOnlySpan<float> mono)
    {
        if (mono.IsEmpty)
        {
            return true;
        }

        var mean = Mean(mono);
        return Math.Max(TensorPrimitives.Max(mono) - mean, mean - TensorPrimitives.Min(mono)) <= Threshold;
    }
}
