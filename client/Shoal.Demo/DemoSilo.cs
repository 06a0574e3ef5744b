using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Hosting;
using Shoal.Silo;

namespace Shoal.Demo;

/// <summary>The silo that a demo runs in its own process.</summary>
internal sealed class DemoSilo : IAsyncDisposable
{
    private readonly WebApplication _silo;

    private DemoSilo(WebApplication silo) => (_silo, Client) = (silo, (ShoalClient)silo.Services.GetService(typeof(ShoalClient))!);

    /// <summary>Asks it, as producers and readers do.</summary>
    public ShoalClient Client { get; }

    /// <summary>Makes its folder; a new one if that is asked for.</summary>
    /// <param name="data">The folder.</param>
    /// <param name="fresh">Whether to remove what an earlier run left there.</param>
    /// <exception cref="ShoalException">Invalid (the folder to remove is no silo's).</exception>
    public static void Prepare(string data, bool fresh)
    {
        if (fresh && Directory.Exists(data))
        {
            if (!File.Exists(Path.Combine(data, SiloHost.EndpointsFile)))
            {
                throw new ShoalException(ShoalErrorKind.Invalid, $"'{data}' is not a silo's folder (it holds no {SiloHost.EndpointsFile}); remove it yourself or choose another with --data.");
            }

            Directory.Delete(data, recursive: true);
        }

        Directory.CreateDirectory(data);
    }

    /// <summary>Starts it.</summary>
    /// <param name="data">Its folder.</param>
    /// <param name="cancellationToken">Ctrl-C.</param>
    public static async Task<DemoSilo> StartAsync(string data, CancellationToken cancellationToken)
    {
        WebApplication silo = SiloHost.Build(new SiloSettings
        {
            Silo = new ShoalSiloOptions { DataDirectory = Path.GetFullPath(data) },
            HttpPort = 0,

            // What fails reaches the demo itself; calls that a stopping silo breaks off would be printed below its last word.
            LogLevel = LogLevel.Critical,
        });
        await silo.StartAsync(cancellationToken);
        return new DemoSilo(silo);
    }

    /// <summary>Ends it, whole: what it has learned is committed.</summary>
    public Task StopAsync() => _silo.StopAsync(CancellationToken.None);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _silo.DisposeAsync();
}
