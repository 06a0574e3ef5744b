using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Says whether this process lives, and whether it can serve.</summary>
internal static class HealthRoutes
{
    /// <summary>How long the catalog may take: probes of orchestrators give up after a few seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz/live", static () => TypedResults.Text("live"))
            .NeedsNothing().DisableRateLimiting().WithSummary("Whether the process answers at all.");
        routes.MapGet("/healthz/ready", ReadyAsync)
            .NeedsNothing().DisableRateLimiting().WithSummary("Whether datasets can be reached.")
            .Produces<string>(contentType: "text/plain").ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> ReadyAsync(ShoalClient client, HttpContext context)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(Patience);
        try
        {
            await client.ListDatasetsAsync(patience.Token);
            return TypedResults.Text("ready");
        }
        catch (OperationCanceledException late) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, $"The catalog did not answer within {Patience.TotalSeconds} s.", late);
        }
    }
}
