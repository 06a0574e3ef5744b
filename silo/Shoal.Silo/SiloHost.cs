using System.Net;
using Orleans.Configuration;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Hosting;
using Shoal.Pages;
using Shoal.Web;

namespace Shoal.Silo;

/// <summary>Builds the process that runs a silo, its HTTP API and its pages.</summary>
public static class SiloHost
{
    /// <summary>The name of the file in the data folder that says where the silo listens.</summary>
    public const string EndpointsFile = "silo.json";

    /// <summary>Builds the host; start it with <c>StartAsync</c>.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="services">Adds services before Shoal's own, which then do not replace them; null for none.</param>
    /// <exception cref="FormatException">Settings do not fit together; the message lists every problem.</exception>
    public static WebApplication Build(SiloSettings settings, Action<IServiceCollection>? services = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Problems() is { Count: > 0 } problems)
        {
            throw new FormatException(string.Join(' ', problems));
        }

        // Not the working directory: the host watches every folder below its root for changed settings, and the data folder changes all the time.
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        AddLogging(builder.Logging, settings);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ApplyShoalLimits();
            kestrel.Listen(settings.HttpAddress, settings.HttpPort);
            if (settings.MetricsPort is { } port)
            {
                kestrel.Listen(settings.Cluster.Address, port);
            }
        });
        services?.Invoke(builder.Services);
        builder.UseOrleans(silo =>
        {
            silo.UseMembership(settings)
                .Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(15))
                .AddShoal(settings.Silo)
                .AddShoalStreams()
                .AddTraces(settings.Telemetry);
            if (settings.Dashboard)
            {
                silo.AddShoalDashboard();
            }
        });
        if (settings.HasGateway)
        {
            builder.Services.AddShoalWebhooks(settings.Webhooks);
        }

        builder.Services.AddShoalWeb(settings.Access);
        builder.Services.AddTelemetry(settings);
        builder.Services.AddShoalPages(static provider => new PageGuard(provider.GetRequiredService<CallerRightsFinder>()), settings.Dashboard ? ShoalDashboard.Address : null);
        WebApplication app = builder.Build();
        app.MapShoalMetrics(settings.MetricsPort);
        if (settings.HasGateway)
        {
            app.MapShoalApi();
            if (settings.Dashboard)
            {
                app.MapShoalDashboard();
            }

            // Who may read opens pages. What of it they see, and what they may change, the pages ask their guard: all that a page does is one request.
            app.MapShoalPages(static files => files.WithMetadata(AccessRule.Open)).WithMetadata(new AccessRule(AccessScopes.Read));
        }
        else
        {
            app.UseShoalAccess();
        }

        app.Lifetime.ApplicationStarted.Register(() => Endpoints(app, settings).Write(settings.Silo.DataDirectory));
        return app;
    }

    private static void AddLogging(ILoggingBuilder logging, SiloSettings settings)
    {
        LogLevel least = settings.LogLevel;
        logging.ClearProviders();
        logging.AddConsole(settings.Telemetry);
        logging.SetMinimumLevel(least);
        // What others log at Information is of use only while debugging them.
        LogLevel others = least > LogLevel.Warning ? least : LogLevel.Warning;
        logging.AddFilter("Orleans", others).AddFilter("Microsoft", others).AddFilter("Polly", others);
        // It measures its first interval from the machine's boot and always complains once.
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
    }

    // Who listens on every address is reached by none that is called so.
    private static string? Reached(string? listening) =>
        Uri.TryCreate(listening, UriKind.Absolute, out Uri? address) && IPAddress.TryParse(address.Host, out IPAddress? ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any))
            ? $"http://{IPAddress.Loopback}:{address.Port}"
            : listening;

    // The CLI, scripts and silos that join find this one by it; it is rewritten at each start.
    private static SiloEndpoints Endpoints(WebApplication app, SiloSettings settings) => new()
    {
        Pid = Environment.ProcessId,
        Http = settings.HasGateway ? Reached(app.Urls.FirstOrDefault()) : null,
        Gateway = settings.HasGateway ? $"{settings.Cluster.Address}:{settings.GatewayPort}" : null,
        Cluster = settings.Cluster.Id,
        Redis = settings.Cluster.Redis,
        Postgres = settings.Cluster.Postgres,
        Tls = settings.Cluster.Certificates,
        Store = settings.Silo.Blobs is null ? Path.GetFullPath(settings.Silo.StoreDirectory) : null,
        Blobs = settings.Silo.Blobs,
        Container = settings.Silo.Blobs is null ? null : settings.Silo.BlobContainer,
    };
}
