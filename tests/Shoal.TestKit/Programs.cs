using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Shoal.TestKit;

/// <summary>Other people's programs that tests and measurements run.</summary>
public static partial class Programs
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    /// <summary>Starts a program; what it prints can be read.</summary>
    /// <param name="package">The Debian package that brings it.</param>
    /// <param name="program">Its name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="MissingProgramException">It is not installed; the message says how.</exception>
    public static Process Start(string package, string program, params IEnumerable<string> arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true })!;
        }
        catch (Win32Exception e)
        {
            throw new MissingProgramException($"{program} is not installed; as root: apt-get install {package}", e);
        }
    }

    /// <summary>Waits until a server takes connections.</summary>
    /// <param name="server">The server; killed when it does not come up.</param>
    /// <param name="port">Its port on loopback.</param>
    /// <exception cref="InvalidOperationException">It ended, or did not come up within 30 s.</exception>
    public static async Task WaitForPortAsync(Process server, int port)
    {
        ArgumentNullException.ThrowIfNull(server);
        var clock = Stopwatch.StartNew();
        while (!await AnswersAsync(port))
        {
            if (server.HasExited || clock.Elapsed > StartLimit)
            {
                server.Kill();
                throw new InvalidOperationException($"{server.StartInfo.FileName} did not come up within {clock.Elapsed.TotalSeconds:F0} s.");
            }

            await Task.Delay(50);
        }
    }

    /// <summary>Sends a signal to a process of one's own.</summary>
    /// <param name="process">The process.</param>
    /// <param name="signal">The signal's number.</param>
    internal static void Signal(Process process, int signal) => _ = Kill(process.Id, signal);

    private static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}

/// <summary>A program that a test or a measurement needs is not installed.</summary>
/// <param name="message">Which, and how to install it.</param>
/// <param name="innerException">What the system said.</param>
public sealed class MissingProgramException(string message, Exception innerException) : InvalidOperationException(message, innerException);
