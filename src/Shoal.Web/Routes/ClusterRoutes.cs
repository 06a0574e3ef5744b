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

/// <summary>A name for the cluster that some items are in.</summary>
/// <param name="Name">1 to 100 characters.</param>
/// <param name="Examples">Ids of 1 to 100 items, most of which are in one cluster.</param>
public sealed record NameByExamples(string Name, string[] Examples);

/// <summary>A cluster to merge with another.</summary>
/// <param name="With">The other's id.</param>
public sealed record MergeClusters(long With);

/// <summary>A cluster that an edit was about.</summary>
/// <param name="Cluster">Its id.</param>
public sealed record EditedCluster(long Cluster);

/// <summary>Clusters, their names, and what happened to them.</summary>
internal static class ClusterRoutes
{
    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapGet("/clusters", static async (string dataset, HttpContext context, ShoalClient client) =>
                Tagged.Json(await client.ClustersAsync(dataset, Requests.Number(context.Request, "exemplars", 5), context.RequestAborted)))
            .WithTags("clusters").Needs(AccessScopes.Read).WithSummary("All clusters, largest first; ?exemplars=0..100 of each, 5 unless said.")
            .Produces<ClusterSummary[]>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapGet("/clusters/{cluster}", static async (string dataset, string cluster, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.ClusterAsync(dataset, Id(cluster), Requests.Number(context.Request, "exemplars", 5), context.RequestAborted)))
            .WithTags("clusters").Needs(AccessScopes.Read).WithSummary("One cluster with the events that name it; a merged id answers the cluster that answers for it. ?exemplars=0..100, 5 unless said.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapPut("/clusters/{cluster}/name", NameAsync)
            .WithTags("clusters").Needs(AccessScopes.Manage).WithSummary("Names a cluster; in force for every later query.")
            .Accepts<NameCluster>("application/json", Requests.AnyType).Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        dataset.MapPost("/clusters/names", static async (string dataset, HttpContext context, ShoalClient client) =>
            {
                NameByExamples wanted = await Requests.DocumentAsync<NameByExamples>(context, """{"name":"sevens","examples":["t10k/0","t10k/17"]}""");
                return TypedResults.Ok(new EditedCluster(await client.NameByExamplesAsync(dataset, wanted.Name ?? string.Empty, wanted.Examples ?? [], context.RequestAborted)));
            })
            .WithTags("clusters").Needs(AccessScopes.Manage).WithSummary("Names the cluster that most of some items are in.")
            .Accepts<NameByExamples>("application/json", Requests.AnyType)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        dataset.MapPut("/clusters/{cluster}/pin", static (string dataset, string cluster, HttpContext context, ShoalClient client) => PinAsync(dataset, cluster, pinned: true, context, client))
            .WithTags("clusters").Needs(AccessScopes.Manage).WithSummary("Pins a cluster: later versions go on showing it.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapDelete("/clusters/{cluster}/pin", static (string dataset, string cluster, HttpContext context, ShoalClient client) => PinAsync(dataset, cluster, pinned: false, context, client))
            .WithTags("clusters").Needs(AccessScopes.Manage).WithSummary("Lets a pinned cluster go.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapPost("/clusters/{cluster}/merge", static async (string dataset, string cluster, HttpContext context, ShoalClient client) => TypedResults.Ok(new EditedCluster(
                await client.MergeClustersAsync(dataset, Id(cluster), (await Requests.DocumentAsync<MergeClusters>(context, """{"with":5}""")).With, context.RequestAborted))))
            .WithTags("clusters").Needs(AccessScopes.Manage).WithSummary("Makes one of two clusters; the larger keeps its id, and the other's answers as it.")
            .Accepts<MergeClusters>("application/json", Requests.AnyType)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapDelete("/clusters/{cluster}/merge", static async (string dataset, string cluster, HttpContext context, ShoalClient client) =>
            {
                await client.UnmergeClusterAsync(dataset, Id(cluster), context.RequestAborted);
                return TypedResults.NoContent();
            })
            .WithTags("clusters").Needs(AccessScopes.Manage).WithSummary("Takes a merge by hand back.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapGet("/versions", static async (string dataset, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.VersionsAsync(dataset, context.RequestAborted)))
            .WithTags("versions").Needs(AccessScopes.Read).WithSummary("The published version and the earlier ones that can be taken back into use, newest first.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapPost("/versions/{version:int}/rollback", static async (string dataset, int version, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.RollbackAsync(dataset, version, context.RequestAborted)))
            .WithTags("versions").Needs(AccessScopes.Manage).WithSummary("Takes an earlier version back into use, as a new version; training goes on from its checkpoint.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapGet("/events", static async (string dataset, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.EventsAsync(dataset, Requests.Number(context.Request, "count", 100), context.RequestAborted)))
            .WithTags("clusters").Needs(AccessScopes.Read).WithSummary("What happened to clusters and versions, newest first; ?count=1..10000, 100 unless said.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> NameAsync(string dataset, string cluster, HttpContext context, ShoalClient client)
    {
        NameCluster wanted = await Requests.DocumentAsync<NameCluster>(context, """{"name":"sevens"}""");
        await client.NameClusterAsync(dataset, Id(cluster), wanted.Name ?? string.Empty, context.RequestAborted);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> PinAsync(string dataset, string cluster, bool pinned, HttpContext context, ShoalClient client)
    {
        await client.PinClusterAsync(dataset, Id(cluster), pinned, context.RequestAborted);
        return TypedResults.NoContent();
    }

    private static long Id(string cluster) => long.TryParse(cluster, NumberStyles.None, CultureInfo.InvariantCulture, out long id)
        ? id
        : throw new ShoalException(ShoalErrorKind.Invalid, "The cluster's id in the path is not a whole number.");
}
