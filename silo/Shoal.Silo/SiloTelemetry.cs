using System.Reflection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Shoal.Contracts;

namespace Shoal.Silo;

/// <summary>Sends a silo's metrics and traces to a collector, and prints its logs.</summary>
/// <remarks>docs/decisions/0013-traces.md says what is traced, and why so little of it.</remarks>
internal static class SiloTelemetry
{
    private const string Service = "shoal";

    // By Orleans: calls of grains that are not its own.
    private const string GrainCalls = "Microsoft.Orleans.Application";

    // Asked all the time, by machines.
    private static readonly string[] Untraced = ["/metrics", "/healthz"];

    /// <summary>Lets traces go along with calls of grains, where anybody is told of them.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="settings">What is told.</param>
    public static ISiloBuilder AddTraces(this ISiloBuilder silo, TelemetrySettings settings) => settings.IsExported ? silo.AddActivityPropagation() : silo;

    /// <summary>Sends metrics and traces, where anybody is told.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="settings">The silo's settings.</param>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, SiloSettings settings)
    {
        TelemetrySettings telemetry = settings.Telemetry;
        if (!telemetry.IsExported)
        {
            return services;
        }

        var version = typeof(SiloTelemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(Service, serviceNamespace: settings.Cluster.Id, version, autoGenerateServiceInstanceId: false, $"{settings.Cluster.Address}:{settings.SiloPort}"))
            .WithMetrics(metrics => metrics.AddOtlpExporter(exporter => Aim(exporter, telemetry, "metrics")))
            .WithTracing(traces => traces
                .SetSampler(new ParentBasedSampler(new RootSampler(telemetry.TraceRatio)))
                .AddAspNetCoreInstrumentation(http => http.Filter = context => !Array.Exists(Untraced, path => context.Request.Path.StartsWithSegments(path, StringComparison.Ordinal)))
                .AddSource(Traces.SourceName, GrainCalls)
                .AddOtlpExporter(exporter => Aim(exporter, telemetry, "traces")));
        return services;
    }

    /// <summary>Prints logs, one entry a line, as text or as JSON.</summary>
    /// <param name="logging">The host's logging.</param>
    /// <param name="settings">How.</param>
    public static ILoggingBuilder AddConsole(this ILoggingBuilder logging, TelemetrySettings settings)
    {
        if (settings.JsonLogs)
        {
            // An entry says to which trace it belongs.
            logging.Configure(options => options.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
            return logging.AddJsonConsole(console =>
            {
                console.IncludeScopes = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
        }

        return logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
    }

    private static void Aim(OtlpExporterOptions exporter, TelemetrySettings settings, string signal)
    {
        if (settings.Otlp is { } collector)
        {
            exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
            exporter.Endpoint = new Uri($"{collector.AbsoluteUri.TrimEnd('/')}/v1/{signal}");
        }
    }
}
