using System.Diagnostics;
using System.Globalization;

namespace Shoal.Benchmarks;

/// <summary>An input that broke something.</summary>
/// <param name="Target">What read it.</param>
/// <param name="Input">Its bytes.</param>
/// <param name="What">What happened.</param>
internal sealed record FuzzFailure(string Target, byte[] Input, string What);

/// <summary>Feeds damaged bytes to everything that reads foreign ones: it must read them or refuse them, at once and within bounds.</summary>
internal static class FuzzSuite
{
    // Longer than any of these inputs may take; a collection in between is not the input's fault, so that it is tried again before it counts.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    // Beyond this nobody waits for it: the process says which input it was, and ends.
    private static readonly TimeSpan Hanging = TimeSpan.FromSeconds(30);

    // An image may announce 1,000,000 pixels, which decode to 16 bytes each, twice while it is made smaller.
    private const long MostBytes = 128L << 20;

    /// <summary>Runs it.</summary>
    /// <param name="inputs">How many inputs, shared by all targets.</param>
    /// <param name="seed">Of the damage.</param>
    /// <param name="figures">Where figures go.</param>
    public static async Task RunAsync(int inputs, int seed, FigureWriter figures)
    {
        await MachineSpeed.WriteAsync(figures);
        var folder = Directory.CreateTempSubdirectory("shoal-fuzz-");
        try
        {
            FuzzTarget[] targets = await FuzzTargets.AllAsync(folder.FullName);
            var each = (inputs + targets.Length - 1) / targets.Length;
            var failures = new List<FuzzFailure>();
            var clock = Stopwatch.StartNew();
            foreach (FuzzTarget target in targets)
            {
                Dictionary<string, object?> settings = new(StringComparer.Ordinal) { ["target"] = target.Name };
                (var read, List<FuzzFailure> found) = await RunAsync(target, each, seed);
                failures.AddRange(found);
                figures.Write("fuzz.target.inputs", each, "inputs", seed, settings);
                figures.Write("fuzz.target.read", read, "inputs", seed, settings);
                figures.Write("fuzz.target.failures", found.Count, "inputs", seed, settings);
                foreach (FuzzFailure failure in found.Take(3))
                {
                    FigureWriter.Tell($"{failure.Target}: {failure.What}\n  {Convert.ToHexString(failure.Input)}");
                }
            }

            Dictionary<string, object?> all = new(StringComparer.Ordinal) { ["targets"] = targets.Length };
            figures.Write("fuzz.inputs", (double)targets.Length * each, "inputs", seed, all);
            figures.Write("fuzz.failures", failures.Count, "inputs", seed, all);
            figures.Write("fuzz.seconds", clock.Elapsed.TotalSeconds, "s", seed, all);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Feeds one target.</summary>
    /// <param name="target">The target.</param>
    /// <param name="inputs">How many inputs.</param>
    /// <param name="seed">Of the damage.</param>
    /// <returns>How many were read in spite of the damage, and those that broke it.</returns>
    public static async Task<(int Read, List<FuzzFailure> Failures)> RunAsync(FuzzTarget target, int inputs, int seed)
    {
        foreach (var sound in target.Seeds)
        {
            // What is not damaged must be read, or nothing is tested.
            await target.Read(sound);
        }

        var mutator = new Mutator(seed);
        var failures = new List<FuzzFailure>();
        var read = 0;
        var current = new Current();
        using var watch = new Timer(_ => current.EndIfHanging(target.Name), null, Hanging, TimeSpan.FromSeconds(1));
        for (var i = 0; i < inputs; i++)
        {
            var input = mutator.Mutate(target.Seeds[i % target.Seeds.Length], target.Seeds[(i / 7) % target.Seeds.Length]);
            current.Begin(input);
            var what = await ReadAsync(target, input);
            if (what.TooSlow)
            {
                what = await ReadAsync(target, input);
            }

            read += what.Read ? 1 : 0;
            if ((what.Failure ?? (what.TooSlow ? $"took longer than {Longest.TotalSeconds} s" : null)) is { } failure)
            {
                failures.Add(new FuzzFailure(target.Name, input, failure));
            }
        }

        current.Begin(null);
        return (read, failures);
    }

    private static async Task<(bool Read, bool TooSlow, string? Failure)> ReadAsync(FuzzTarget target, byte[] input)
    {
        var before = GC.GetTotalAllocatedBytes(precise: false);
        var clock = Stopwatch.GetTimestamp();
        string? failure = null;
        var read = false;
        try
        {
            await target.Read(input);
            read = true;
        }
#pragma warning disable CA1031 // Whatever it is, it is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = target.IsRefusal(e) ? null : $"{e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n')[0].Trim()}";
        }

        var tooSlow = Stopwatch.GetElapsedTime(clock) > Longest;
        var allocated = GC.GetTotalAllocatedBytes(precise: false) - before;
        return (read, tooSlow, failure ?? (allocated > MostBytes ? string.Create(CultureInfo.InvariantCulture, $"allocated {allocated:N0} bytes") : null));
    }

    private sealed class Current
    {
        private readonly Lock _gate = new();
        private byte[]? _input;
        private long _began;

        public void Begin(byte[]? input)
        {
            lock (_gate)
            {
                (_input, _began) = (input, Stopwatch.GetTimestamp());
            }
        }

        public void EndIfHanging(string target)
        {
            lock (_gate)
            {
                if (_input is { } input && Stopwatch.GetElapsedTime(_began) > Hanging)
                {
                    Environment.FailFast($"{target} hangs: {Convert.ToHexString(input)}");
                }
            }
        }
    }
}
