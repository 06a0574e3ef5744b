using System.CommandLine;
using System.Net.Sockets;
using Npgsql;
using Shoal.Contracts;
using StackExchange.Redis;

namespace Shoal.Silo;

/// <summary>The silo's command line.</summary>
public static class SiloProgram
{
    /// <summary>Runs a silo until it is stopped.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="services">Adds services before Shoal's own, which then do not replace them; null for none.</param>
    /// <returns>The exit code: 0 when it was stopped, 2 when it was told something wrong, 3 when a port is taken or the cluster's list of silos is away.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Action<IServiceCollection>? services = null)
    {
        var arguments = new SiloArguments();
        RootCommand serve = arguments.Command();
        serve.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                await RunAsync(arguments.Settings(result), services, cancellationToken);
                return 0;
            }
            catch (Exception e) when (e is ArgumentException or FormatException or ShoalException { Kind: ShoalErrorKind.Invalid })
            {
                return await FailAsync(2, e.Message);
            }
            catch (DataFolderException e)
            {
                return await FailAsync(2, $"the data folder cannot be made: {e.Message}");
            }
            catch (Exception e) when (e is RedisConnectionException or NpgsqlException)
            {
                return await FailAsync(3, $"the cluster's list of silos is away: {e.Message} Check --redis or --postgres.");
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                return await FailAsync(3, $"{e.Message} Is another silo running? Choose other ports with --http-port, --silo-port, --gateway-port.");
            }
        });
        // Signals are the host's: the command line would end the process 2 s after one, with shards that are still open and a thread inside libtorch.
        return await serve.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private static async Task RunAsync(SiloSettings settings, Action<IServiceCollection>? services, CancellationToken cancellationToken)
    {
        var folder = settings.Silo.DataDirectory;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataFolderException(e.Message, e);
        }

        if (settings.Cluster.Postgres is { } postgres)
        {
            PostgresMembership.Prepare(postgres);
        }

        await using WebApplication app = SiloHost.Build(settings, services);
        await app.StartAsync(cancellationToken);
        var gateway = settings.HasGateway ? $"{string.Join(' ', app.Urls)}, gateway {settings.Cluster.Address}:{settings.GatewayPort}, " : string.Empty;
        await Console.Out.WriteLineAsync($"Shoal is up: {gateway}data {folder}. Stop it with Ctrl-C.");
        await app.WaitForShutdownAsync(cancellationToken);
    }

    private static async Task<int> FailAsync(int code, string message)
    {
        await Console.Error.WriteLineAsync($"error: {message}");
        return code;
    }

    private sealed class DataFolderException(string message, Exception inner) : Exception(message, inner);
}
