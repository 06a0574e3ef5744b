using System.CommandLine;
using System.Net.Sockets;
using Shoal.Grains.Compute;
using Shoal.Grains.Hosting;

namespace Shoal.Silo;

/// <summary>The silo's command line.</summary>
public static class SiloProgram
{
    /// <summary>Runs a silo until it is stopped.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="services">Adds services before Shoal's own, which then do not replace them; null for none.</param>
    /// <returns>The exit code: 0 when it was stopped, 2 when it was told something wrong, 3 when a port is taken.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Action<IServiceCollection>? services = null)
    {
        var data = new Option<DirectoryInfo>("--data") { Description = "The silo's data folder; made when missing", DefaultValueFactory = _ => new DirectoryInfo("shoal-data") };
        var http = new Option<int>("--http-port") { Description = "HTTP API port on loopback; 0 takes a free one", DefaultValueFactory = _ => 5080 };
        var silo = new Option<int>("--silo-port") { Description = "Port between silos", DefaultValueFactory = _ => 11111 };
        var gateway = new Option<int>("--gateway-port") { Description = "Port for .NET clients and the CLI", DefaultValueFactory = _ => 30000 };
        var threads = new Option<int>("--threads") { Description = "Threads that libtorch uses; 0 for all cores" };
        var device = new Option<string>("--device") { Description = "Where models live: cpu, cuda or cuda:N", DefaultValueFactory = _ => "cpu" };
        var blobs = new Option<string?>("--blobs") { Description = "Azure Blobs connection string; without it everything is kept in the data folder" };
        var container = new Option<string>("--container") { Description = "Azure Blobs container", DefaultValueFactory = _ => "shoal" };
        var erase = new Option<double>("--erase-seconds") { Description = "Seconds after which the bytes of deleted items are gone from the log", DefaultValueFactory = _ => new ShoalSiloOptions().EraseSeconds };
        var headroom = new Option<long>("--disk-headroom") { Description = "MiB of the data folder's disk that ingest leaves free for checkpoints", DefaultValueFactory = _ => new ShoalSiloOptions().DiskHeadroomMiB };
        var log = new Option<LogLevel>("--log") { Description = "Least severe log level printed", DefaultValueFactory = _ => LogLevel.Information };

        var serve = new RootCommand("Runs a Shoal silo with its HTTP API on loopback.") { data, http, silo, gateway, threads, device, blobs, container, erase, headroom, log };
        serve.SetAction(async (result, cancellationToken) =>
        {
            DirectoryInfo folder = result.GetRequiredValue(data);
            try
            {
                folder.Create();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync($"error: the data folder cannot be made: {e.Message}");
                return 2;
            }

            var settings = new SiloSettings
            {
                HttpPort = result.GetRequiredValue(http),
                SiloPort = result.GetRequiredValue(silo),
                GatewayPort = result.GetRequiredValue(gateway),
                LogLevel = result.GetRequiredValue(log),
                Silo = new ShoalSiloOptions
                {
                    DataDirectory = folder.FullName,
                    BlobConnectionString = result.GetValue(blobs),
                    BlobContainer = result.GetRequiredValue(container),
                    EraseSeconds = result.GetRequiredValue(erase),
                    DiskHeadroomMiB = result.GetRequiredValue(headroom),
                    Compute = new ComputeOptions { IntraOpThreads = result.GetValue(threads), Device = result.GetRequiredValue(device) },
                },
            };
            try
            {
                await using WebApplication app = SiloHost.Build(settings, services);
                await app.StartAsync(cancellationToken);
                await Console.Out.WriteLineAsync($"Shoal is up: {string.Join(' ', app.Urls)}, gateway 127.0.0.1:{settings.GatewayPort}, data {folder.FullName}. Stop it with Ctrl-C.");
                await app.WaitForShutdownAsync(cancellationToken);
                return 0;
            }
            catch (ArgumentException e)
            {
                await Console.Error.WriteLineAsync($"error: {e.Message}");
                return 2;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                await Console.Error.WriteLineAsync($"error: {e.Message} Is another silo running? Choose other ports with --http-port, --silo-port, --gateway-port.");
                return 3;
            }
        });
        return await serve.Parse(args).InvokeAsync();
    }
}
