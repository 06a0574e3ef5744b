using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenTelemetry.Metrics;
using Shoal.Client;

namespace Shoal.Web;

/// <summary>Puts Shoal's HTTP API into a web application.</summary>
public static class ShoalWeb
{
    private const string MetricsPath = "/metrics";

    // Shoal's, Orleans' and the runtime's own.
    private static readonly string[] Meters = ["Shoal", "Microsoft.Orleans", "System.Runtime"];

    /// <summary>Registers what the API needs: the client over the host's Orleans client, JSON, problem details, the OpenAPI document and metrics.</summary>
    /// <param name="services">The host's services; an <see cref="IClusterClient"/> must be among them.</param>
    public static IServiceCollection AddShoalWeb(this IServiceCollection services)
    {
        // A caller is told when to come again, and does: it must not wait here for as many tries as a program of ours makes.
        services.TryAddSingleton(provider => new ShoalClient(provider.GetRequiredService<IClusterClient>(), new ShoalClientOptions { Retries = 2 }));
        services.ConfigureHttpJsonOptions(json => ShoalJson.Apply(json.SerializerOptions));
        services.AddProblemDetails();
        services.AddOpenApi();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(Meters).AddPrometheusExporter());
        return services;
    }

    /// <summary>Maps every route of the API, its OpenAPI document at <c>/openapi/v1.json</c>, that as a page at <c>/docs</c>, and its errors.</summary>
    /// <param name="app">The application.</param>
    public static WebApplication MapShoalApi(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);

        // Pages of the same application keep their own error handling.
        app.UseWhen(static context => IsApi(context.Request.Path), static api => api.UseMiddleware<ProblemMiddleware>());
        app.MapOpenApi();
        DocsPage.Map(app);
        HealthRoutes.Map(app);
        RouteGroupBuilder datasets = app.MapGroup("/datasets");
        DatasetRoutes.Map(datasets);
        RouteGroupBuilder dataset = datasets.MapGroup("/{dataset}");
        ListingRoutes.Map(dataset);
        ItemRoutes.Map(dataset);
        ThumbnailRoutes.Map(dataset);
        BulkRoutes.Map(dataset);
        ExportRoutes.Map(dataset);
        ClusterRoutes.Map(dataset);
        ModelRoutes.Map(dataset);
        ChangeRoutes.Map(dataset);
        ReportRoutes.Map(dataset);
        RecordingRoutes.Map(dataset);
        BackupRoutes.Map(dataset);
        return app;
    }

    /// <summary>Maps the metrics of the process at <c>/metrics</c>, as Prometheus reads them.</summary>
    /// <param name="app">The application.</param>
    /// <param name="port">A port that serves nothing else, since the API authenticates nobody; null where there is none.</param>
    public static WebApplication MapShoalMetrics(this WebApplication app, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (port is not null)
        {
            app.Use(async (context, next) =>
            {
                if (context.Connection.LocalPort == port && !context.Request.Path.Equals(MetricsPath, StringComparison.Ordinal))
                {
                    context.Response.StatusCode = StatusCodes.Status404NotFound;
                    return;
                }

                await next(context);
            });
        }

        app.MapPrometheusScrapingEndpoint(MetricsPath);
        return app;
    }

    private static bool IsApi(PathString path) =>
        path.StartsWithSegments("/datasets", StringComparison.Ordinal) || path.StartsWithSegments("/healthz", StringComparison.Ordinal);
}
