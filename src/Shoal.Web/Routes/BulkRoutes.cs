using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>
/// Many items in one request, one JSON object a line; the answer has one line an item. The answer is held back until the body has been
/// read, since most HTTP clients read nothing before they have sent everything, and two full sockets would wait for each other.
/// </summary>
internal static class BulkRoutes
{
    /// <summary>The media type of newline-delimited JSON.</summary>
    public const string Ndjson = "application/x-ndjson";

    /// <summary>The most items ingested in a request: their answers are held, about 100 bytes each, so 10 MB.</summary>
    private const int MaxIngestLines = 100_000;

    /// <summary>The most items classified in a request: with embeddings an answer has about 1 KB, so 10 MB.</summary>
    private const int MaxClassifyLines = 10_000;

    private static readonly byte[] NewLine = [(byte)'\n'];

    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapPost("/items", IngestAsync)
            .WithTags("items").WithSummary("Stores many items durably; one JSON object a line in, one result an item out, in any order. Safe to repeat.")
            .Accepts<NdjsonItem>(Ndjson, Requests.AnyType).Produces<IngestResult>(contentType: Ndjson)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        dataset.MapPost("/classify", ClassifyAsync)
            .WithTags("items").WithSummary("Says what the published version makes of items, without storing them; ?embeddings=true adds float16 embeddings.")
            .Accepts<NdjsonItem>(Ndjson, Requests.AnyType).Produces<ClassifiedLine>(contentType: Ndjson)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
    }

    private static async Task IngestAsync(HttpContext context, string dataset, ShoalClient client)
    {
        NdjsonReader lines = await OpenAsync(context, dataset, client, MaxIngestLines);
        await AnswerAsync(context, client.IngestAsync(dataset, lines.ReadAsync(context.RequestAborted), cancellationToken: context.RequestAborted), lines);
    }

    private static async Task ClassifyAsync(HttpContext context, string dataset, ShoalClient client)
    {
        bool embeddings = Requests.Flag(context.Request, "embeddings");
        NdjsonReader lines = await OpenAsync(context, dataset, client, MaxClassifyLines);
        IAsyncEnumerable<ClassifiedLine> answers = client
            .ClassifyAsync(dataset, lines.ReadAsync(context.RequestAborted), embeddings, context.RequestAborted)
            .Select(item => new ClassifiedLine(item));
        await AnswerAsync(context, answers, lines);
    }

    private static async Task<NdjsonReader> OpenAsync(HttpContext context, string dataset, ShoalClient client, int maxLines)
    {
        DatasetSettings settings = await client.SettingsAsync(dataset, context.RequestAborted);
        Requests.LiftLimit(context);
        return new NdjsonReader(context.Request.BodyReader, settings.MaxItemBytes, maxLines);
    }

    private static async Task AnswerAsync<T>(HttpContext context, IAsyncEnumerable<T> answers, NdjsonReader lines)
    {
        var held = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 64 * 1024));
        try
        {
            await using (var writer = new Utf8JsonWriter(held.Writer, new JsonWriterOptions { Encoder = ShoalJson.Options.Encoder, SkipValidation = true }))
            {
                await foreach (T answer in answers)
                {
                    JsonSerializer.Serialize(writer, answer, ShoalJson.Options);
                    await writer.FlushAsync(context.RequestAborted);
                    held.Writer.Write(NewLine);
                    writer.Reset();
                }
            }

            if (lines.Lines == 0)
            {
                throw new ShoalException(ShoalErrorKind.Invalid, $"The body is empty; send one object a line, like {NdjsonItem.Example}.");
            }

            await held.Writer.CompleteAsync();
            context.Response.ContentType = Ndjson;
            await held.Reader.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
        }
        finally
        {
            await held.Writer.CompleteAsync();
            await held.Reader.CompleteAsync();
        }
    }
}

/// <summary>The answer for one classified item.</summary>
/// <param name="Id">The id that the caller gave it.</param>
/// <param name="State">Assigned, outlier, quarantined (with the reason), or pending when no version is published yet.</param>
/// <param name="Cluster">The cluster's id; null unless assigned.</param>
/// <param name="ClusterName">The name that a user gave the cluster.</param>
/// <param name="Confidence">Softmax probability of the assigned cluster, 0 to 1.</param>
/// <param name="ModelVersion">The model version that answered; 0 when none is published.</param>
/// <param name="Reason">Why nothing could be said.</param>
/// <param name="Embedding">Little-endian float16, L2-normalised, as base64; null unless asked for.</param>
public sealed record ClassifiedLine(
    string Id, ItemState State, long? Cluster, string? ClusterName, float Confidence, int ModelVersion, string? Reason, byte[]? Embedding)
{
    internal ClassifiedLine(ClassifiedItem item)
        : this(item.Id, item.Answer.State, item.Answer.Cluster, item.Answer.ClusterName, item.Answer.Confidence, item.Answer.ModelVersion, item.Answer.Reason, item.Answer.Embedding)
    {
    }
}
