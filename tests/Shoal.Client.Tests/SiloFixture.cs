using Shoal.Cli;
using Shoal.Client.Tests;
using Shoal.Contracts;
using Shoal.Fakes;
using Spectre.Console.Testing;

[assembly: AssemblyFixture(typeof(SiloFixture))]

namespace Shoal.Client.Tests;

/// <summary>One fake silo for all tests; each makes a dataset of its own.</summary>
public sealed class SiloFixture : IAsyncLifetime
{
    private int _datasets;

    /// <summary>Retries without waiting long, and without chance.</summary>
    public static ShoalClientOptions Quick { get; } = new() { Retries = 3, RetryDelay = TimeSpan.FromMilliseconds(1), Jitter = static () => 0.5 };

    public FakeSilo Silo { get; private set; } = null!;

    public ShoalClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Silo = await FakeSilo.StartAsync();
        Client = new ShoalClient(Silo.Client, Quick);
    }

    public async Task<(string Name, FakeDataset Dataset)> DatasetAsync(int shards = 4, int maxItemBytes = 10_000)
    {
        string name = $"test-{Interlocked.Increment(ref _datasets)}";
        await Client.CreateDatasetAsync(name, new DatasetSettings { Shards = shards, MaxItemBytes = maxItemBytes });
        return (name, Silo.Store.Dataset(name));
    }

    public static ItemUpload Item(string id, params byte[] bytes) => new() { Id = id, MediaType = "image/png", Bytes = bytes };

    /// <summary>Runs a command line against the silo.</summary>
    public Task<(int Code, string Text, string Error)> RunAsync(params string[] arguments) =>
        RunAsync((options, _) =>
        {
            options.Validate();
            return Task.FromResult(new ShoalClient(Silo.Client, Quick));
        }, arguments);

    /// <summary>Runs a command line with a connection of its own.</summary>
    public static async Task<(int Code, string Text, string Error)> RunAsync(
        Func<ShoalClientOptions, CancellationToken, Task<ShoalClient>> connect, params string[] arguments)
    {
        using var text = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        using TestConsole terminal = new TestConsole().Width(80);
        int code = await ShoalCli.RunAsync(arguments, new CliSurroundings { Out = text, Error = error, Terminal = terminal, Connect = connect });
        return (code, text + terminal.Output, error.ToString());
    }

    public ValueTask DisposeAsync() => Silo.DisposeAsync();
}
