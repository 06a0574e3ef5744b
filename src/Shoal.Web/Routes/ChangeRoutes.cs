using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>The change feed: what changed since a cursor.</summary>
internal static class ChangeRoutes
{
    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapGet("/changes", static async (string dataset, HttpContext context, ShoalClient client) => TypedResults.Ok(await client.ChangesAsync(
                dataset,
                context.Request.Query["after"],
                Requests.Number(context.Request, "limit", 1_000),
                TimeSpan.FromSeconds(Requests.Number(context.Request, "wait", 0)),
                context.RequestAborted)))
            .WithTags("changes")
            .Needs(AccessScopes.Read)
            .WithSummary("What changed after a cursor: items and events, each at least once, in order for each shard. ?after= the last page's cursor, or 'end'; ?limit=1..10000; ?wait=0..60 seconds for a change.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        dataset.MapGet("/events/stream", ChangeStream.OpenAsync)
            .WithTags("changes")
            .Needs(AccessScopes.Read)
            .WithSummary("Changes as server-sent events while they come; ?after= as for changes, or Last-Event-ID. The events are 'item', 'event', and 'quiet' when nothing changes.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }
}
