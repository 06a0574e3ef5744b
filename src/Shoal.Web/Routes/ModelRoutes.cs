using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>The published model, and versions as files.</summary>
internal static class ModelRoutes
{
    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapGet("/model", static async (string dataset, HttpContext context, ShoalClient client) =>
                Tagged.Json(await client.ModelAsync(dataset, cancellationToken: context.RequestAborted)))
            .WithTags("versions").Needs(AccessScopes.Read).WithSummary("The published version: its number, clusters and encoder; 404 when there is none yet.")
            .Produces<ModelDescription>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapGet("/versions/{version:int}/model", DownloadAsync)
            .WithTags("versions").Needs(AccessScopes.Read).WithSummary("A version's encoder and prototypes as a file of safetensors.")
            .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream").ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task DownloadAsync(HttpContext context, string dataset, int version, ShoalClient client)
    {
        ModelDescription model = await client.ModelAsync(dataset, version, context.RequestAborted);
        // A version never changes; another dataset of the name has versions of other times.
        if (Tagged.IsKnown(context, Tagged.Of(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{version} {model.PublishedAt.UtcTicks} {model.EncoderHash}")))))
        {
            return;
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = model.Bytes;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{dataset}-{version}.safetensors\"";
        await client.DownloadModelAsync(dataset, version, context.Response.Body, context.RequestAborted);
    }
}
