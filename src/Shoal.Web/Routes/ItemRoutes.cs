using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>One item: store, ask, read back, find similar ones. Ids may hold slashes and anything percent-encoded.</summary>
internal static class ItemRoutes
{
    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapPut("/items/{**id}", PutAsync)
            .WithTags("items").Needs(AccessScopes.Ingest).WithSummary("Stores an item durably; ?replace=true takes other bytes under the same id.")
            .Accepts<byte[]>("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif", MediaTypes.RawImage, "audio/wav", MediaTypes.RawSound, Requests.AnyType)
            .Produces<IngestResult>(StatusCodes.Status201Created).Produces<IngestResult>()
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status429TooManyRequests).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        dataset.MapGet("/items/{**id}", GetAsync)
            .WithTags("items").Needs(AccessScopes.Read).WithSummary("What is known of an item now, ?fresh=true assigned by the published version first; 404 with the same body when it was never seen.")
            .Produces<ItemAnswer>().Produces<ItemAnswer>(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status400BadRequest);
        dataset.MapDelete("/items/{**id}", DeleteAsync)
            .WithTags("items").Needs(AccessScopes.Manage).WithSummary("Deletes an item durably; no answer knows it from then on.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status429TooManyRequests).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        dataset.MapGet("/content/{**id}", ContentAsync)
            .WithTags("items").Needs(AccessScopes.Read).WithSummary("The original bytes of an item.")
            .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream").ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapGet("/similar/{**id}", static async (HttpContext context, string dataset, ShoalClient client) =>
                TypedResults.Ok(await client.SimilarAsync(dataset, Requests.ItemId(context), Requests.Number(context.Request, "count", 10), context.RequestAborted)))
            .WithTags("items").Needs(AccessScopes.Read).WithSummary("The items nearest to one; ?count=1..1000, 10 unless said.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapGet("/history/{**id}", static async (HttpContext context, string dataset, ShoalClient client) =>
                TypedResults.Ok(await client.HistoryAsync(dataset, Requests.ItemId(context), Requests.Number(context.Request, "limit", 100), context.RequestAborted)))
            .WithTags("items").Needs(AccessScopes.Read).WithSummary("What became of an item, newest first, as far as its changes are kept; ?limit=1..1000, 100 unless said.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapPost("/similar", SimilarAsync)
            .WithTags("items").Needs(AccessScopes.Read).WithSummary("The items nearest to bytes, which are not stored; ?count=1..1000, 10 unless said.")
            .Accepts<byte[]>("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif", MediaTypes.RawImage, "audio/wav", MediaTypes.RawSound, Requests.AnyType)
            .Produces<SimilarAnswer>()
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status413PayloadTooLarge);
    }

    /// <summary>An item whose bytes are a request's body.</summary>
    /// <param name="context">The request.</param>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="id">The item's id.</param>
    /// <param name="client">Knows the dataset's settings.</param>
    public static async Task<ItemUpload> UploadAsync(HttpContext context, string dataset, string id, ShoalClient client)
    {
        DatasetSettings settings = await client.SettingsAsync(dataset, context.RequestAborted);
        Tagged.State(context, Tagged.MaxItemBytes, settings.MaxItemBytes);
        return new ItemUpload
        {
            Id = id,
            MediaType = Requests.MediaType(context.Request.ContentType, settings.Modality is DatasetSettings.Sound ? MediaTypes.AnySound : MediaTypes.AnyImage),
            Bytes = await Requests.BodyAsync(context, settings.MaxItemBytes, UploadRules.TooLarge(settings)),
            Replace = Requests.Flag(context.Request, "replace"),
        };
    }

    private static async Task<IResult> SimilarAsync(HttpContext context, string dataset, ShoalClient client)
    {
        int count = Requests.Number(context.Request, "count", 10);
        ItemUpload item = await UploadAsync(context, dataset, "bytes", client);
        return TypedResults.Ok(await client.SimilarAsync(dataset, item, count, context.RequestAborted));
    }

    private static async Task<IResult> PutAsync(HttpContext context, string dataset, ShoalClient client)
    {
        string id = Requests.ItemId(context);
        if (Names.ItemIdProblem(id) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        // Before the body is read: what is written wrongly costs nobody a transfer.
        IReadOnlyDictionary<string, string>? fields = Requests.Fields(context.Request);
        ItemUpload item = await UploadAsync(context, dataset, id, client);
        IngestResult result = await client.PutAsync(dataset, item with { Metadata = fields }, context.RequestAborted);
        return result.Outcome switch
        {
            IngestOutcome.Accepted => TypedResults.Created($"/datasets/{dataset}/items/{string.Join('/', id.Split('/').Select(Uri.EscapeDataString))}", result),
            IngestOutcome.Conflict => throw new ShoalException(ShoalErrorKind.Conflict, result.Reason ?? "The id holds other bytes."),
            IngestOutcome.Rejected => throw new ShoalException(ShoalErrorKind.Invalid, result.Reason ?? "The item was refused."),
            _ => TypedResults.Ok(result),
        };
    }

    private static async Task<IResult> GetAsync(HttpContext context, string dataset, ShoalClient client)
    {
        string id = Requests.ItemId(context);
        ItemAnswer answer = Requests.Flag(context.Request, "fresh")
            ? await client.GetFreshAsync(dataset, id, context.RequestAborted)
            : await client.GetAsync(dataset, id);
        return answer.State == ItemState.Unknown ? TypedResults.NotFound(answer) : Tagged.Json(answer, answer.SecondsBehind > 0 ? answer with { SecondsBehind = 0 } : null);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string dataset, ShoalClient client)
    {
        string id = Requests.ItemId(context);
        IReadOnlyList<string> unknown = await client.DeleteAsync(dataset, [id], context.RequestAborted);
        return unknown.Count == 0
            ? TypedResults.NoContent()
            : throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{id}' in the dataset '{dataset}'; it was never ingested.");
    }

    private static async Task<IResult> ContentAsync(HttpContext context, string dataset, ShoalClient client)
    {
        string id = Requests.ItemId(context);
        ItemContent content = await client.GetContentAsync(dataset, id, context.RequestAborted)
            ?? throw new ShoalException(ShoalErrorKind.NotFound, $"There is no item '{id}' in the dataset '{dataset}'.");

        Sandbox(context.Response);
        return TypedResults.Bytes(content.Bytes, content.MediaType, lastModified: content.ReceivedAt, entityTag: Tagged.Of(content.Bytes));
    }

    /// <summary>For bytes and types that are a stranger's, and what is made of them: a browser must not take them for a page of this site.</summary>
    /// <param name="response">The answer.</param>
    internal static void Sandbox(HttpResponse response)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
    }
}
