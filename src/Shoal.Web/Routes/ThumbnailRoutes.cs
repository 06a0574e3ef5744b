using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Media;
using Shoal.Media.Sound;

namespace Shoal.Web;

/// <summary>Pictures of items: an image scaled down, a window of sound as a spectrogram.</summary>
internal static class ThumbnailRoutes
{
    private const int Fewest = 16;
    private const int Most = 512;
    private const int Usual = 128;

    public static void Map(RouteGroupBuilder dataset) =>
        dataset.MapGet("/thumbnail/{**id}", GetAsync)
            .WithTags("items").WithSummary("A picture of an item as PNG: an image scaled down, a window of sound as a spectrogram; ?size=16..512 pixels, 128 unless said.")
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
        var tag = new EntityTagHeaderValue($"\"{Hash(content.Bytes)}-{size}\"");

        // As of the bytes themselves: a picture is made of a stranger's.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";

        // Kept, and asked about each time: an item may be deleted, or replaced.
        context.Response.Headers.CacheControl = "private, no-cache";
        if (context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false) || known.Equals(EntityTagHeaderValue.Any)))
        {
            // Before it is drawn: that is the larger part of the work.
            context.Response.GetTypedHeaders().ETag = tag;
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        }

        MediaProblem? problem = null;
        byte[]? png = settings.Modality is DatasetSettings.Sound
            ? Spectrograms.OfWindow(content.MediaType, content.Bytes, SoundOf(settings), size, out problem)
            : new Thumbnails(ImagesOf(settings)).OfOriginal(content.MediaType, content.Bytes, size, out problem);
        return png is null
            ? TypedResults.Problem($"There is no picture of '{id}': {problem!.Message}", statusCode: StatusCodes.Status422UnprocessableEntity)
            : TypedResults.Bytes(png, "image/png", entityTag: tag);
    }

    // The item's own bytes decide, and so a picture that is known stays so over restarts.
    private static string Hash(byte[] bytes) => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(bytes)).ToString("x16", null);

    private static SoundFormatOptions SoundOf(DatasetSettings settings) => new()
    {
        SampleRate = settings.SampleRate,
        WindowSeconds = settings.WindowSeconds,
        HopSeconds = settings.HopSeconds,
        MaxBytes = settings.MaxItemBytes,
    };

    private static ImageFormatOptions ImagesOf(DatasetSettings settings) => new()
    {
        Height = settings.Height,
        Width = settings.Width,
        Channels = settings.Channels,
        MaxBytes = settings.MaxItemBytes,
        MaxPixels = settings.MaxPixels,
    };
}
