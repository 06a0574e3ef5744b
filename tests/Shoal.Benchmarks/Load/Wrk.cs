using System.Diagnostics;
using System.Globalization;
using Shoal.TestKit;

namespace Shoal.Benchmarks;

/// <summary>What a run of wrk came to.</summary>
/// <param name="Requests">Requests that were answered.</param>
/// <param name="Time">In this time.</param>
/// <param name="P99">The 99th percentile of the time from a request to its answer.</param>
internal sealed record WrkResult(double Requests, TimeSpan Time, TimeSpan P99);

/// <summary>Loads a server with wrk, which takes as little of the machine as <c>redis-benchmark</c> does: a client in .NET takes as much as the silo.</summary>
internal static class Wrk
{
    /// <summary>Sends requests of a script for a while, as fast as they are answered.</summary>
    /// <param name="silo">Where the silo listens.</param>
    /// <param name="script">The script, which prints requests, microseconds, failures and p99 in microseconds at its end.</param>
    /// <param name="connections">Connections, each with one request under way.</param>
    /// <param name="duration">For how long.</param>
    /// <param name="arguments">What the script is told.</param>
    /// <exception cref="InvalidOperationException">wrk is not installed, or a request failed.</exception>
    public static async Task<WrkResult> RunAsync(Uri silo, string script, int connections, TimeSpan duration, params string[] arguments)
    {
        string[] all =
        [
            "--threads", "1", "--connections", $"{connections}", "--duration", $"{duration.TotalSeconds:F0}s", "--timeout", "60s",
            "--script", Path.Combine(AppContext.BaseDirectory, "Load", script), silo.ToString(), .. arguments,
        ];
        using Process wrk = Programs.Start("wrk", "wrk", all);
        string output = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();
        if (wrk.ExitCode != 0 || output.Split('\n', StringSplitOptions.RemoveEmptyEntries) is not [.., var last]
            || last.Split(' ') is not [var requests, var microseconds, var failures, var p99])
        {
            throw new InvalidOperationException($"wrk {string.Join(' ', all)} ended with {wrk.ExitCode}: {output}");
        }

        if (failures is not "0")
        {
            throw new InvalidOperationException($"{failures} of {requests} requests failed: {output}");
        }

        return new WrkResult(Number(requests), TimeSpan.FromMicroseconds(Number(microseconds)), TimeSpan.FromMicroseconds(Number(p99)));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
