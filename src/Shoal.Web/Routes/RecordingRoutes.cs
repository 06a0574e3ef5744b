using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Recordings of sound datasets: stored as windows, answered as a timeline. Ids as of items.</summary>
internal static class RecordingRoutes
{
    // Ten minutes of a compact disc; a body is held in memory.
    private const int MostBytes = 128 << 20;

    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapPut("/recordings/{**id}", PutAsync)
            .WithTags("recordings").Needs(AccessScopes.Ingest).WithSummary("Cuts a recording into windows and stores each as an item; one result a window. WAV and raw sound without a Content-Length are stored as they come. Safe to repeat.")
            .Accepts<byte[]>("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/mp4", MediaTypes.RawSound, Requests.AnyType)
            .Produces<IngestResult[]>()
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        dataset.MapGet("/recordings/{**id}", static async (HttpContext context, string dataset, ShoalClient client) =>
                TypedResults.Ok(await KnownAsync(context, dataset, client)))
            .WithTags("recordings").Needs(AccessScopes.Read).WithSummary("What is known of a recording now, window by window.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapDelete("/recordings/{**id}", DeleteAsync)
            .WithTags("recordings").Needs(AccessScopes.Manage).WithSummary("Deletes a recording: all of its windows.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status429TooManyRequests).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> PutAsync(HttpContext context, string dataset, ShoalClient client)
    {
        string id = Requests.ItemId(context);
        if (Names.ItemIdProblem(id) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        var type = Requests.MediaType(context.Request.ContentType, MediaTypes.AnySound);
        IReadOnlyDictionary<string, string>? fields = Requests.Fields(context.Request);
        if (context.Request.ContentLength is null && LiveSource.Takes(type))
        {
            // A microphone: nobody knows when it ends.
            Requests.LiftLimit(context);
            DatasetSettings settings = await client.SoundSettingsAsync(dataset, context.RequestAborted);
            var windows = new CarryingSource(new LiveSource(Requests.Body(context.Request), id, settings), fields);
            return TypedResults.Ok(await client.IngestAsync(dataset, windows.ReadAsync(context.RequestAborted), cancellationToken: context.RequestAborted).ToArrayAsync(context.RequestAborted));
        }

        var recording = new ItemUpload
        {
            Id = id,
            MediaType = type,
            Bytes = await Requests.BodyAsync(context, MostBytes, $"The recording is larger than {MostBytes:N0} bytes; send it in parts with ids of their own."),
            Metadata = fields,
            Replace = Requests.Flag(context.Request, "replace"),
        };
        IngestResult[] results = await client.IngestRecordingAsync(dataset, recording, context.RequestAborted).ToArrayAsync(context.RequestAborted);
        return results is [{ Outcome: IngestOutcome.Rejected, Reason: { } reason }] ? throw new ShoalException(ShoalErrorKind.Invalid, reason) : TypedResults.Ok(results);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string dataset, ShoalClient client)
    {
        string id = Requests.ItemId(context);
        return await client.DeleteRecordingAsync(dataset, id, context.RequestAborted) > 0 ? TypedResults.NoContent() : throw Unknown(dataset, id);
    }

    private static async Task<RecordingAnswer> KnownAsync(HttpContext context, string dataset, ShoalClient client)
    {
        RecordingAnswer recording = await client.RecordingAsync(dataset, Requests.ItemId(context), context.RequestAborted);
        return recording.Windows.Count > 0
            ? recording
            : throw Unknown(dataset, recording.Id);
    }

    private static ShoalException Unknown(string dataset, string id) =>
        new(ShoalErrorKind.NotFound, $"There is no recording '{id}' in the dataset '{dataset}'; it was never ingested.");
}
