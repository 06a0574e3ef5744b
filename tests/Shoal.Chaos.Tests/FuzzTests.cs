using Shoal.Benchmarks;

namespace Shoal.Chaos.Tests;

/// <summary>Damaged bytes for everything that reads foreign ones; ./shoal bench fuzz does it for longer.</summary>
public sealed class FuzzTests
{
    private const int Inputs = 5_000;

    [Fact]
    public async Task Damaged_bytes_are_read_or_refused_by_everything_that_reads_foreign_ones()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("shoal-fuzz-");
        try
        {
            FuzzTarget[] targets = await FuzzTargets.AllAsync(folder.FullName);
            foreach (FuzzTarget target in targets)
            {
                (int read, List<FuzzFailure> failures) = await FuzzSuite.RunAsync(target, Inputs / targets.Length, seed: 1);
                Assert.True(failures.Count == 0, string.Join('\n', failures.Take(3).Select(f => $"{f.Target}: {f.What} {Convert.ToHexString(f.Input)}")));
                Assert.True(read < Inputs / targets.Length || target.Mends, $"{target.Name} refuses nothing");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("sleeps")]
    [InlineData("allocates")]
    public async Task A_reader_that_fails_dawdles_or_takes_too_much_memory_is_found_out(string how)
    {
        var target = new FuzzTarget("broken", [[1, 2, 3]], bytes => bytes is [1, 2, 3] ? Task.CompletedTask : BreakAsync(how), _ => false);
        (_, List<FuzzFailure> failures) = await FuzzSuite.RunAsync(target, 2, seed: 1);
        Assert.NotEmpty(failures);
    }

    private static async Task BreakAsync(string how)
    {
        switch (how)
        {
            case "throws":
                throw new FormatException("as asked for");
            case "sleeps":
                await Task.Delay(TimeSpan.FromSeconds(1.2));
                break;
            default:
                GC.KeepAlive(new byte[256 << 20]);
                break;
        }
    }
}
