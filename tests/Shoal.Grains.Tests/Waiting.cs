using System.Diagnostics;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>Waits for a silo to get somewhere, and says what it saw when it does not.</summary>
internal static class Waiting
{
    public static async Task<DatasetStatus> UntilAsync(ShoalClient client, SiloProcess silo, string what, Func<DatasetStatus, bool> done, string dataset)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            DatasetStatus status = await client.StatusAsync(dataset);
            if (done(status))
            {
                return status;
            }

            if (clock.Elapsed > TimeSpan.FromMinutes(3))
            {
                throw new TimeoutException($"Waiting for {what}: {status.Training}; pending {status.Shards.Sum(s => s.Pending)}; the silo said:\n{silo.Output}");
            }

            await Task.Delay(100);
        }
    }
}
