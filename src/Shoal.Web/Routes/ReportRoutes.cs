using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Reports that are made when they are asked for.</summary>
internal static class ReportRoutes
{
    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapGet("/reports/invariance", static async (string dataset, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.InvarianceAsync(dataset, Requests.Number(context.Request, "items", 200), context.RequestAborted)))
            .WithTags("reports").Needs(AccessScopes.Read).WithSummary("How far embeddings move when samples are changed; ?items=10..1000, 200 unless said.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        dataset.MapGet("/reports/bias", static async (string dataset, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.BiasAsync(dataset, Requests.Number(context.Request, "items", 2_000), context.RequestAborted)))
            .WithTags("reports").Needs(AccessScopes.Read).WithSummary("How much of the clustering goes with fields that items carry; ?items=10..10000, 2000 unless said.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
    }
}
