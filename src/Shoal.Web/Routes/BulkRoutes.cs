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
/// Many items in one request: one JSON object a line, a tar archive, or a form with files; the answer has one line an item. The answer is held back until the body has been
/// read, since most HTTP clients read nothing before they have sent everything, and two full sockets would wait for each other.
/// </summary>
internal static class BulkRoutes
{
    /// <summary>The media type of newline-delimited JSON.</summary>
    public const string Ndjson = "application/x-ndjson";

    /// <summary>The most items ingested in a request: their answers are held, about 100 bytes each, so 10 MB.</summary>
    private const int MaxIngestItems = 100_000;

    /// <summary>The most items classified in a request: with embeddings an answer has about 1 KB, so 10 MB.</summary>
    private const int MaxClassifyItems = 10_000;

    private const string Tar = "application/x-tar";
    private const string Gzip = "application/gzip";
    private const string Form = "multipart/form-data";

    // An archive of gigabytes streams through without the silo holding more than this of it: what is gathered, and a batch for each of those in flight.
    private static readonly IngestOptions Bounded = new() { BatchBytes = 1 << 20, GatherBytes = 4 << 20, InFlight = 4 };

    private static readonly byte[] NewLine = [(byte)'\n'];

    // How bodies are read by their type; all others are lines of JSON.
    private static readonly Dictionary<string, Func<HttpContext, Stream, DatasetSettings, int, IBulkReader>> Readers = new(StringComparer.OrdinalIgnoreCase)
    {
        [Tar] = static (_, body, settings, most) => new TarBodyReader(body, settings, most),
        [Gzip] = static (_, body, settings, most) => new TarBodyReader(Inflation.Gunzip(body), settings, most),
        [Form] = static (context, body, settings, most) => new FormReader(body, context.Request.ContentType!, settings, most),
    };

    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapPost("/items", IngestAsync)
            .WithTags("items").Needs(AccessScopes.Ingest).WithSummary("Stores many items durably: one JSON object a line, a tar archive, or a form with files; one result an item out, in any order. Safe to repeat.")
            .Accepts<NdjsonItem>(Ndjson, Tar, Gzip, Form, Requests.AnyType).Produces<IngestResult>(contentType: Ndjson)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        dataset.MapPost("/classify", ClassifyAsync)
            .WithTags("items").Needs(AccessScopes.Read).WithSummary("Says what the published version makes of items, or of the bytes of one, without storing them; ?embeddings=true adds float16 embeddings.")
            .Accepts<NdjsonItem>(Ndjson, Tar, Gzip, Form, "image/*", "audio/*", Requests.AnyType).Produces<ClassifiedLine>(contentType: Ndjson)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
    }

    private static async Task IngestAsync(HttpContext context, string dataset, ShoalClient client)
    {
        if (IsOneItem(context.Request))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The body is one item, {context.Request.ContentType}, without an id; PUT it to /datasets/{dataset}/items/ID, or send many as lines of JSON, a tar archive or a form with files.");
        }

        IBulkReader items = await OpenAsync(context, dataset, client, MaxIngestItems);
        await AnswerAsync(context, client.IngestAsync(dataset, items.ReadAsync(context.RequestAborted), Bounded, context.RequestAborted), items);
    }

    private static async Task ClassifyAsync(HttpContext context, string dataset, ShoalClient client)
    {
        bool embeddings = Requests.Flag(context.Request, "embeddings");
        IBulkReader items = IsOneItem(context.Request)
            ? new OneReader(await ItemRoutes.UploadAsync(context, dataset, "bytes", client))
            : await OpenAsync(context, dataset, client, MaxClassifyItems);
        IAsyncEnumerable<ClassifiedLine> answers = client
            .ClassifyAsync(dataset, items.ReadAsync(context.RequestAborted), embeddings, context.RequestAborted)
            .Select(item => ClassifiedLine.Of(item.Id, item.Answer));
        await AnswerAsync(context, answers, items);
    }

    // Bytes of an image or a sound, by what they are declared to be.
    private static bool IsOneItem(HttpRequest request) =>
        Requests.MediaType(request.ContentType, Ndjson) is var type && (type.StartsWith("image/", StringComparison.OrdinalIgnoreCase) || type.StartsWith("audio/", StringComparison.OrdinalIgnoreCase));

    private static async Task<IBulkReader> OpenAsync(HttpContext context, string dataset, ShoalClient client, int maxItems)
    {
        DatasetSettings settings = await client.SettingsAsync(dataset, context.RequestAborted);
        Tagged.State(context, Tagged.MaxItemBytes, settings.MaxItemBytes);
        Tagged.State(context, Tagged.MaxItems, maxItems);
        Requests.LiftLimit(context);
        string type = Requests.MediaType(context.Request.ContentType, Ndjson);
        Stream body = Requests.Body(context.Request);
        bool packed = !ReferenceEquals(body, context.Request.Body);
        if (packed && string.Equals(type, Gzip, StringComparison.OrdinalIgnoreCase))
        {
            // What may come out of it is counted from what was sent, once.
            throw new BadHttpRequestException("The body is said to be packed twice, by its type and by its encoding; pack it once, and say so once.", StatusCodes.Status415UnsupportedMediaType);
        }

        return Readers.TryGetValue(type, out var read)
            ? read(context, body, settings, maxItems)
            : new NdjsonReader(packed ? PipeReader.Create(body) : context.Request.BodyReader, settings.MaxItemBytes, maxItems);
    }

    private static async Task AnswerAsync<T>(HttpContext context, IAsyncEnumerable<T> answers, IBulkReader items)
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

            if (items.Items == 0)
            {
                throw new ShoalException(ShoalErrorKind.Invalid, items.WhenEmpty);
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
