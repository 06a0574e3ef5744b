using System.Globalization;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Chaos.Tests;

/// <summary>A client that connects while a silo dies is told, and does not wait for ever.</summary>
[Collection("silo")]
public sealed class ConnectTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shoal-connect-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_gateway_that_takes_the_connection_and_says_nothing_more_is_given_up()
    {
        await using SiloProcess silo = await SiloProcess.StartAsync(_folder.FullName, "--log", "Error");
        await using var proxy = new FaultProxy(int.Parse(silo.Gateway.Split(':')[^1], CultureInfo.InvariantCulture));
        var options = new ShoalClientOptions
        {
            Gateways = [$"127.0.0.1:{proxy.Port}"],
            ConnectTimeout = TimeSpan.FromSeconds(2),
            ResponseTimeout = TimeSpan.FromSeconds(3),
        };

        proxy.Fault = Fault.Mute;
        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(() => ShoalClient.ConnectAsync(options).WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(ShoalErrorKind.Unavailable, failure.Kind);
        Assert.StartsWith($"No silo answers at 127.0.0.1:{proxy.Port}.", failure.Message, StringComparison.Ordinal);
    }
}
