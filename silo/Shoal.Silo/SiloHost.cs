using System.Net;
using System.Text.Json;
using Orleans.Configuration;
using Shoal.Client;
using Shoal.Grains.Hosting;
using Shoal.Web;

namespace Shoal.Silo;

/// <summary>Builds the process that runs a silo and its HTTP API.</summary>
public static class SiloHost
{
    /// <summary>The name of the file in the data folder that says where the silo listens.</summary>
    public const string EndpointsFile = "silo.json";

    /// <summary>The cluster that an embedded silo forms.</summary>
    public const string ClusterId = "shoal";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Builds the host; start it with <c>StartAsync</c>.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="services">Adds services before Shoal's own, which then do not replace them; null for none.</param>
    public static WebApplication Build(SiloSettings settings, Action<IServiceCollection>? services = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        builder.Logging.SetMinimumLevel(settings.LogLevel);
        // What others log at Information is of use only while debugging them.
        LogLevel others = settings.LogLevel > LogLevel.Warning ? settings.LogLevel : LogLevel.Warning;
        builder.Logging.AddFilter("Orleans", others).AddFilter("Microsoft", others).AddFilter("Polly", others);
        // It measures its first interval from the machine's boot and always complains once.
        builder.Logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
        // Loopback only: there is no authentication.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, settings.HttpPort));
        services?.Invoke(builder.Services);
        builder.UseOrleans(silo => silo
            .UseLocalhostClustering(settings.SiloPort, settings.GatewayPort, serviceId: ClusterId, clusterId: ClusterId)
            .Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(15))
            .AddShoal(settings.Silo)
            .AddShoalStreams());
        builder.Services.AddShoalWeb();
        WebApplication app = builder.Build();
        app.MapShoalApi();
        app.Lifetime.ApplicationStarted.Register(() => WriteEndpoints(app, settings));
        return app;
    }

    // The CLI and scripts find the silo by this file; it is rewritten at each start.
    private static void WriteEndpoints(WebApplication app, SiloSettings settings)
    {
        var endpoints = new { pid = Environment.ProcessId, http = app.Urls.FirstOrDefault(), gateway = $"127.0.0.1:{settings.GatewayPort}" };
        var path = Path.Combine(settings.Silo.DataDirectory, EndpointsFile);
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(endpoints, Json));
        File.Move(path + ".new", path, overwrite: true);
    }
}
