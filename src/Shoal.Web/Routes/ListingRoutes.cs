using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Lists items, page by page.</summary>
internal static class ListingRoutes
{
    private static readonly (string Word, ItemState? State)[] States =
        [.. new[] { ItemState.Pending, ItemState.Assigned, ItemState.Outlier, ItemState.Quarantined }.Select(state => (state.ToString().ToLowerInvariant(), (ItemState?)state))];

    public static void Map(RouteGroupBuilder dataset) =>
        dataset.MapGet("/items", static async (string dataset, HttpContext context, ShoalClient client) => TypedResults.Ok(await client.ListItemsAsync(
                dataset, Filter(context.Request), context.Request.Query["cursor"], Requests.Number(context.Request, "limit", 100), context.RequestAborted)))
            .WithTags("items")
            .Needs(AccessScopes.Read)
            .WithSummary("Items, page by page, each exactly once: ?cluster= (merged ids too), ?state=pending|assigned|outlier|quarantined, ?confidenceBelow=0..1, ?order=oldest|newest, ?limit=1..1000, ?cursor= the last page's, which is absent on the last.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static ItemFilter Filter(HttpRequest request) => new()
    {
        Cluster = Requests.LongNumber(request, "cluster"),
        State = Requests.OneOf(request, "state", null, States),
        ConfidenceBelow = Requests.Fraction(request, "confidenceBelow"),
        Newest = Requests.OneOf(request, "order", otherwise: false, ("oldest", false), ("newest", true)),
    };
}
