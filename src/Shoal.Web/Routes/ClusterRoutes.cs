using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>A name for a cluster.</summary>
/// <param name="Name">1 to 100 characters; empty takes the name away.</param>
public sealed record NameCluster(string Name);

/// <summary>Clusters, their names, and what happened to them.</summary>
internal static class ClusterRoutes
{
    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapGet("/clusters", static async (string dataset, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.ClustersAsync(dataset, Requests.Number(context.Request, "exemplars", 5), context.RequestAborted)))
            .WithTags("clusters").WithSummary("All clusters, largest first; ?exemplars=0..100 of each, 5 unless said.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapPut("/clusters/{cluster}/name", NameAsync)
            .WithTags("clusters").WithSummary("Names a cluster; in force for every later query.")
            .Accepts<NameCluster>("application/json", Requests.AnyType).Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        dataset.MapGet("/events", static async (string dataset, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.EventsAsync(dataset, Requests.Number(context.Request, "count", 100), context.RequestAborted)))
            .WithTags("clusters").WithSummary("What happened to clusters and versions, newest first; ?count=1..10000, 100 unless said.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> NameAsync(string dataset, string cluster, HttpContext context, ShoalClient client)
    {
        if (!long.TryParse(cluster, NumberStyles.None, CultureInfo.InvariantCulture, out long id))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, "The cluster's id in the path is not a whole number.");
        }

        NameCluster wanted = await Requests.DocumentAsync<NameCluster>(context, """{"name":"sevens"}""");
        await client.NameClusterAsync(dataset, id, wanted.Name, context.RequestAborted);
        return TypedResults.NoContent();
    }
}
