using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Where a backup goes.</summary>
/// <param name="Target">A folder of the silo's host, whole path, or <c>blob:CONTAINER</c> in the silo's storage account.</param>
public sealed record BackUp(string Target);

/// <summary>Which backup becomes a dataset.</summary>
/// <param name="Source">The target that it was backed up to.</param>
/// <param name="Name">The name that the dataset had; the same unless said.</param>
public sealed record Restore(string Source, string? Name = null);

/// <summary>Backups: begin one, bring one back, see how far it is.</summary>
internal static class BackupRoutes
{
    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapPost("/backup", static async (string dataset, HttpContext context, ShoalClient client) => TypedResults.Accepted(
                $"/datasets/{dataset}/backup",
                await client.BeginBackupAsync(dataset, (await Requests.DocumentAsync<BackUp>(context, """{"target":"/mnt/backups/monday"}""")).Target, context.RequestAborted)))
            .WithTags("backups").Needs(AccessScopes.Manage, everyDataset: true).WithSummary("Begins to copy the dataset elsewhere while it is in use.")
            .Accepts<BackUp>("application/json", Requests.AnyType)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        dataset.MapPost("/restore", static async (string dataset, HttpContext context, ShoalClient client) =>
            {
                Restore wanted = await Requests.DocumentAsync<Restore>(context, """{"source":"/mnt/backups/monday"}""");
                return TypedResults.Accepted($"/datasets/{dataset}/backup", await client.BeginRestoreAsync(dataset, wanted.Source, wanted.Name, context.RequestAborted));
            })
            .WithTags("backups").Needs(AccessScopes.Manage, everyDataset: true).WithSummary("Begins to bring a backup back as the dataset of this name, which must not exist.")
            .Accepts<Restore>("application/json", Requests.AnyType)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        dataset.MapGet("/backup", static async (string dataset, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.BackupStatusAsync(dataset, context.RequestAborted)))
            .WithTags("backups").Needs(AccessScopes.Manage).WithSummary("How far the last backup or restore of the dataset is.");
    }
}
