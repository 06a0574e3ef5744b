using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>All items of a dataset as a file, written while it is read from the shards.</summary>
internal static class ExportRoutes
{
    private static readonly Dictionary<ExportFormat, string> Types = new()
    {
        [ExportFormat.Csv] = "text/csv; charset=utf-8",
        [ExportFormat.Parquet] = "application/vnd.apache.parquet",
        [ExportFormat.Npz] = "application/zip",
    };

    public static void Map(RouteGroupBuilder dataset) =>
        dataset.MapGet("/export", ExportAsync)
            .WithTags("items").Needs(AccessScopes.Read).WithSummary("All items as a file: ?format=csv|parquet|npz, ?what=assignments|embeddings; npz is of embeddings only.")
            .Produces(StatusCodes.Status200OK, contentType: "text/csv", additionalContentTypes: ["application/vnd.apache.parquet", "application/zip"])
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task ExportAsync(HttpContext context, string dataset, ShoalClient client)
    {
        ExportFormat format = Requests.OneOf(context.Request, "format", ExportFormat.Csv, ("csv", ExportFormat.Csv), ("parquet", ExportFormat.Parquet), ("npz", ExportFormat.Npz));
        ExportContent content = Requests.OneOf(
            context.Request, "what", format is ExportFormat.Npz ? ExportContent.Embeddings : ExportContent.Assignments, ("assignments", ExportContent.Assignments), ("embeddings", ExportContent.Embeddings));
        ShoalClient.CheckExport(format, content);
        await client.SettingsAsync(dataset, context.RequestAborted);

        context.Response.ContentType = Types[format];
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{dataset}-{content.ToString().ToLowerInvariant()}.{format.ToString().ToLowerInvariant()}\"";
        // What fails from here on ends the connection: a file that is cut off must not look whole.
        await client.ExportAsync(dataset, format, content, context.Response.Body, context.RequestAborted);
    }
}
