using System.CommandLine;
using System.Text.Json;
using Shoal.Client;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Shoal.Cli;

/// <summary>The options that every command takes.</summary>
internal sealed class SharedOptions
{
    /// <summary>The environment variable that <c>--silo</c> defaults to.</summary>
    private const string SiloVariable = "SHOAL_SILO";

    /// <summary>The environment variable that <c>--tls</c> defaults to.</summary>
    private const string TlsVariable = "SHOAL_TLS";

    public Option<string> Silo { get; } = new("--silo")
    {
        Description = "The silo's gateway as HOST:PORT; several with commas.",
        DefaultValueFactory = static _ => Environment.GetEnvironmentVariable(SiloVariable) is { Length: > 0 } silo ? silo : "127.0.0.1:30000",
        Recursive = true,
    };

    public Option<string?> Tls { get; } = new("--tls")
    {
        Description = "Folder of the certificates by which the cluster knows this client: ca.crt, tls.crt, tls.key.",
        DefaultValueFactory = static _ => Environment.GetEnvironmentVariable(TlsVariable) is { Length: > 0 } folder ? folder : null,
        Recursive = true,
    };

    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Print JSON and nothing else on standard output.",
        Recursive = true,
    };
}

/// <summary>One run of a command: its connection and its two ways to print.</summary>
internal sealed class Session : IAsyncDisposable
{
    private Session(ShoalClient client, CliSurroundings surroundings, bool json)
    {
        Client = client;
        Surroundings = surroundings;
        Json = json;
    }

    public ShoalClient Client { get; }

    public CliSurroundings Surroundings { get; }

    public bool Json { get; }

    /// <summary>Gives a command its action: connect, run, disconnect.</summary>
    public static Command Runs(
        Command command, SharedOptions shared, CliSurroundings surroundings, Func<Session, ParseResult, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new ShoalClientOptions
            {
                Gateways = parsed.GetValue(shared.Silo)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
                Certificates = parsed.GetValue(shared.Tls),
            };
            ShoalClient client = await surroundings.Connect(options, cancellationToken);
            await using var session = new Session(client, surroundings, parsed.GetValue(shared.Json));
            return await run(session, parsed, cancellationToken);
        });
        return command;
    }

    /// <summary>Prints an answer: as one line of JSON, or as a person reads it.</summary>
    public async Task ShowAsync<T>(T answer, Func<T, IRenderable> view)
    {
        if (Json)
        {
            await Surroundings.Out.WriteLineAsync(JsonSerializer.Serialize(answer, ShoalJson.Options));
        }
        else
        {
            Surroundings.Terminal.Write(view(answer));

            // Tables end their last line, plain text does not.
            if (view(answer) is Text)
            {
                Surroundings.Terminal.WriteLine();
            }
        }
    }

    public ValueTask DisposeAsync() => Client.DisposeAsync();
}
