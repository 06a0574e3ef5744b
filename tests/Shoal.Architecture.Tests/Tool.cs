using System.Diagnostics;

namespace Shoal.Architecture.Tests;

/// <summary>Other people's programs, by which files of this tree are checked.</summary>
internal static class Tool
{
    /// <summary>Runs one to its end.</summary>
    /// <param name="program">Its name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>The exit code, and what it printed and complained about.</returns>
    /// <exception cref="System.ComponentModel.Win32Exception">It is not here.</exception>
    public static async Task<(int Code, string Output, string Complaints)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        // Where there is no ICU, those of .NET would not start.
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> complaints = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await complaints);
    }
}
