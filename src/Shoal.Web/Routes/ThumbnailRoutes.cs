using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Media;

namespace Shoal.Web;

/// <summary>Pictures of items: an image scaled down, a window of sound as a spectrogram.</summary>
internal static class ThumbnailRoutes
{
    private const int Fewest = 16;
    private const int Most = 512;
    private const int Usual = 128;

    public static void Map(RouteGroupBuilder dataset) =>
        dataset.MapGet("/thumbnail/{**id}", GetAsync)
            .WithTags("items").Needs(AccessScopes.Read).WithSummary("A picture of an item as PNG: an image scaled down, a window of sound as a spectrogram; ?size=16..512 pixels, 128 unless said.")
            .Produces(StatusCodes.Status200OK, contentType: "image/png").Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> GetAsync(HttpContext context, string dataset, ShoalClient client)
    {
        string id = Requests.ItemId(context);
        int size = Requests.Number(context.Request, "size", Usual);
        if (size is < Fewest or > Most)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The parameter 'size' is {size}; must be {Fewest} to {Most} pixels.");
        }

        DatasetSettings settings = await client.SettingsAsync(dataset, context.RequestAborted);
        ItemContent content = await client.GetContentAsync(dataset, id, context.RequestAborted)
            ?? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{id}' in the dataset '{dataset}'{(settings.Modality is DatasetSettings.Sound ? "; windows of a recording are RECORDING@MILLISECONDS." : ".")}");
        // The item's own bytes decide, and so a picture that is known stays so over restarts.
        EntityTagHeaderValue tag = Tagged.Of(content.Bytes, $"-{size}");

        ItemRoutes.Sandbox(context.Response);

        // Kept, and asked about each time: an item may be deleted, or replaced.
        context.Response.Headers.CacheControl = "private, no-cache";

        // Before it is drawn: that is the larger part of the work.
        if (Tagged.IsKnown(context, tag))
        {
            return TypedResults.Empty;
        }

        MediaProblem? problem = null;
        byte[]? png = settings.Modality is DatasetSettings.Sound
            ? Spectrograms.OfWindow(content.MediaType, content.Bytes, SoundSettings.Of(settings), size, out problem)
            : new Thumbnails(ImagesOf(settings)).OfOriginal(content.MediaType, content.Bytes, size, out problem);
        if (png is null)
        {
            context.Response.GetTypedHeaders().ETag = null;
            return TypedResults.Problem($"There is no picture of '{id}': {problem!.Message}", statusCode: StatusCodes.Status422UnprocessableEntity);
        }

        return TypedResults.Bytes(png, "image/png");
    }

    private static ImageFormatOptions ImagesOf(DatasetSettings settings) => new()
    {
        Height = settings.Height,
        Width = settings.Width,
        Channels = settings.Channels,
        MaxBytes = settings.MaxItemBytes,
        MaxPixels = settings.MaxPixels,
    };
}
