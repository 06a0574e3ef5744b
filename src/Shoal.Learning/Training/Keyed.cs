using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Randomness keyed by what it is for, so that a restored learner draws the same.</summary>
internal static class Keyed
{
    /// <summary>A number that looks random, from numbers that do not (SplitMix64, Steele et al. 2014).</summary>
    public static ulong Mix(long seed, long step, long purpose)
    {
        var state = 0x9E3779B97F4A7C15UL;
        foreach (var part in (ReadOnlySpan<long>)[seed, step, purpose])
        {
            state += (ulong)part + 0x9E3779B97F4A7C15UL;
            state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9UL;
            state = (state ^ (state >> 27)) * 0x94D049BB133111EBUL;
            state ^= state >> 31;
        }

        return state;
    }

    /// <summary>A managed generator.</summary>
    public static Random Random(long seed, long step, Purpose purpose) => new((int)Mix(seed, step, (long)purpose));

    /// <summary>A libtorch generator.</summary>
    public static Generator Generator(long seed, long step, Purpose purpose, Device device)
        => new(Mix(seed, step, (long)purpose) >> 1, device);
}

/// <summary>What randomness is for; numbers stand in checkpoints' results, so they never change.</summary>
internal enum Purpose
{
    Weights = 1,
    Rehearsal = 2,
    Views = 3,
    Reservoir = 4,
    HoldOut = 5,
    Refit = 6,
    Judgement = 7,
    Communities = 8,
    Landmarks = 9,
    Pretext = 10,
}
