using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenTelemetry.Metrics;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Puts Shoal's HTTP API into a web application.</summary>
public static class ShoalWeb
{
    private const string MetricsPath = "/metrics";

    // Shoal's, Orleans', the server's and the runtime's own.
    private static readonly string[] Meters = ["Shoal", "Microsoft.Orleans", "Microsoft.AspNetCore.Hosting", "System.Runtime"];

    /// <summary>Registers what the API needs: the client over the host's Orleans client, JSON, problem details, the OpenAPI document and metrics.</summary>
    /// <param name="services">The host's services; an <see cref="IClusterClient"/> must be among them.</param>
    /// <param name="access">Who may call, and how often; null for everyone, which is for a server on loopback alone.</param>
    /// <exception cref="ArgumentException">Settings do not fit together; the message lists every problem.</exception>
    public static IServiceCollection AddShoalWeb(this IServiceCollection services, AccessOptions? access = null)
    {
        access ??= new AccessOptions();
        if (access.Problems() is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(access));
        }

        services.AddSingleton(access);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<KeyRing>();
        services.AddSingleton(static provider => new CallerRightsFinder(provider.GetRequiredService<KeyRing>()));
        services.AddSingleton<OpenRequests>();
        services.AddSingleton<ProblemWriter>();
        services.TryAddSingleton(new WebhookOptions());
        services.AddSingleton<WebhookTargets>();
        RequestLimits.Add(services, access);
        if (access.Authority is not null)
        {
            Tokens.Add(services, access);
        }

        // A caller is told when to come again, and does: it must not wait here for as many tries as a program of ours makes.
        services.TryAddSingleton(provider => new ShoalClient(provider.GetRequiredService<IClusterClient>(), new ShoalClientOptions { Retries = 2 }));
        services.ConfigureHttpJsonOptions(json => ShoalJson.Apply(json.SerializerOptions));
        services.AddProblemDetails();
        services.AddOpenApi();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(Meters).AddPrometheusExporter());
        return services;
    }

    /// <summary>Sends the messages of webhooks, those that are dealt to this process, while the host runs. Called before <see cref="AddShoalWeb"/>.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">Where messages may go; null for the public Internet alone.</param>
    public static IServiceCollection AddShoalWebhooks(this IServiceCollection services, WebhookOptions? options = null) => services
        .AddSingleton(options ?? new WebhookOptions())
        .AddSingleton<WebhookSender>()
        .AddHostedService<WebhookService>();

    /// <summary>Maps every route of the API, its OpenAPI document at <c>/openapi/v1.json</c>, that as a page at <c>/docs</c>, and its errors.</summary>
    /// <param name="app">The application.</param>
    public static WebApplication MapShoalApi(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);

        app.UseShoalAccess();
        app.MapOpenApi().Needs(AccessScopes.Read);
        DocsPage.Map(app);
        HealthRoutes.Map(app);
        if (app.Services.GetRequiredService<AccessOptions>().IsRequired)
        {
            BrowserSession.Map(app);
        }

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
        WebhookRoutes.Map(dataset);
        return app;
    }

    /// <summary>Asks every request who sends it, and lets it do what that caller may: for a server that maps no API but has other routes. <see cref="MapShoalApi"/> does it itself.</summary>
    /// <param name="app">The application.</param>
    public static WebApplication UseShoalAccess(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        AccessOptions access = app.Services.GetRequiredService<AccessOptions>();
        SecurityHeaders.Use(app);
        if (!access.IsRequired)
        {
            app.UseMiddleware<BrowserGuard>();
        }

        // Outside of what answers failures: it tells how a request ended.
        app.UseMiddleware<AuditMiddleware>();
        // Pages of the same application keep their own error handling.
        app.UseWhen(static context => IsApi(context.Request.Path), static api => api.UseMiddleware<ProblemMiddleware>());
        app.UseMiddleware<CallerMiddleware>();
        RequestLimits.Use(app, access);
        app.UseMiddleware<AccessMiddleware>();
        app.UseMiddleware<OnceMiddleware>();
        return app;
    }

    /// <summary>Maps the metrics of the process at <c>/metrics</c>, as Prometheus reads them.</summary>
    /// <param name="app">The application.</param>
    /// <param name="port">A port that serves nothing else and asks nobody; null where there is none. By the API's port metrics are for callers that manage every dataset.</param>
    /// <remarks>Called before <see cref="MapShoalApi"/>, whose checks the other port goes without.</remarks>
    public static WebApplication MapShoalMetrics(this WebApplication app, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (port is not null)
        {
            app.Use(async (context, next) =>
            {
                if (context.Connection.LocalPort == port)
                {
                    if (!context.Request.Path.Equals(MetricsPath, StringComparison.Ordinal))
                    {
                        context.Response.StatusCode = StatusCodes.Status404NotFound;
                        return;
                    }

                    context.Features.Set(MetricsPort.Instance);
                }

                await next(context);
            });
        }

        app.MapPrometheusScrapingEndpoint(MetricsPath).Needs(AccessScopes.Manage, everyDataset: true);
        return app;
    }

    private static bool IsApi(PathString path) =>
        path.StartsWithSegments("/datasets", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/healthz", StringComparison.OrdinalIgnoreCase);
}
