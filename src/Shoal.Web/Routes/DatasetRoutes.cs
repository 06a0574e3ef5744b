using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>A dataset to create.</summary>
/// <param name="Name">1 to 63 of a-z, 0-9, '-' and '_'.</param>
/// <param name="Settings">Its settings; what is left out takes its default.</param>
public sealed record CreateDataset(string Name, DatasetSettings? Settings = null);

/// <summary>Datasets: list, create, look at, change, pause, delete.</summary>
internal static class DatasetRoutes
{
    private const string ChangeExample = """{"idleRehearsalSteps":800}""";
    private const string Example = """{"name":"digits","settings":{"height":28,"width":28,"channels":1}}""";

    public static void Map(RouteGroupBuilder datasets)
    {
        datasets.WithTags("datasets");
        datasets.MapGet("/", static async (HttpContext context, ShoalClient client) =>
                TypedResults.Ok(Array.FindAll(await client.ListDatasetsAsync(context.RequestAborted), Caller.Of(context).Sees)))
            .Needs(AccessScopes.Read).WithSummary("The names of all datasets that the caller knows of, sorted.");
        datasets.MapPost("/", CreateAsync)
            .Needs(AccessScopes.Manage).WithSummary("Creates a dataset; repeating it with the same settings is a no-op.")
            .Accepts<CreateDataset>("application/json", Requests.AnyType)
            .Produces<DatasetSettings>(StatusCodes.Status201Created).Produces<DatasetSettings>()
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict);
        datasets.MapGet("/{dataset}", static async (string dataset, ShoalClient client, CancellationToken token) => TypedResults.Ok(await client.StatusAsync(dataset, token)))
            .Needs(AccessScopes.Read).WithSummary("A dataset at a glance: settings, counts, lags, training.").ProducesProblem(StatusCodes.Status404NotFound);
        datasets.MapPatch("/{dataset}", static async (string dataset, HttpContext context, ShoalClient client) => TypedResults.Ok(await client.ChangeDatasetAsync(
                dataset, await Requests.DocumentAsync<DatasetChange>(context, ChangeExample), context.RequestAborted)))
            .Needs(AccessScopes.Manage).WithSummary("Changes settings that may change.")
            .Accepts<DatasetChange>("application/json", Requests.AnyType)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);
        datasets.MapPut("/{dataset}/weights", static async (string dataset, HttpContext context, ShoalClient client) =>
            {
                await client.SetFirstWeightsAsync(dataset, await Requests.BodyAsync(context, UploadRules.MostWeights, UploadRules.WeightsTooLarge), context.RequestAborted);
                return TypedResults.NoContent();
            })
            .Needs(AccessScopes.Manage).WithSummary("The encoder that a dataset begins with, as safetensors, before it has learned.")
            .Accepts<byte[]>("application/octet-stream", Requests.AnyType)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        datasets.MapDelete("/{dataset}", static async (string dataset, ShoalClient client, CancellationToken token) =>
            {
                await client.DeleteDatasetAsync(dataset, token);
                return TypedResults.NoContent();
            })
            .Needs(AccessScopes.Manage).WithSummary("Deletes a dataset with everything it holds.").ProducesProblem(StatusCodes.Status404NotFound);
        datasets.MapPost("/{dataset}/pause", static async (string dataset, ShoalClient client, CancellationToken token) =>
            {
                await client.PauseAsync(dataset, token);
                return TypedResults.NoContent();
            })
            .Needs(AccessScopes.Manage).WithSummary("Lets training rest; ingest and queries go on.").ProducesProblem(StatusCodes.Status404NotFound);
        datasets.MapPost("/{dataset}/resume", static async (string dataset, ShoalClient client, CancellationToken token) =>
            {
                await client.ResumeAsync(dataset, token);
                return TypedResults.NoContent();
            })
            .Needs(AccessScopes.Manage).WithSummary("Lets training go on.").ProducesProblem(StatusCodes.Status404NotFound);
        datasets.MapPost("/{dataset}/repair", static async (string dataset, HttpContext context, ShoalClient client) => TypedResults.Ok(await client.RepairAsync(
                dataset, context.Request.Query.ContainsKey("shard") ? Requests.Number(context.Request, "shard", 0) : null, context.RequestAborted)))
            .Needs(AccessScopes.Manage).WithSummary("Makes damaged logs readable again and saves what is taken out; ?shard= for one shard.").ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> CreateAsync(HttpContext context, ShoalClient client)
    {
        CreateDataset wanted = await Requests.DocumentAsync<CreateDataset>(context, Example);
        DatasetSettings settings = wanted.Settings ?? new DatasetSettings();
        AuditMiddleware.About(context, wanted.Name);

        // The path names no dataset, so nobody has looked at these two yet.
        Caller caller = Caller.Of(context);
        string?[] named = [wanted.Name, settings.StartFrom];
        if (Array.Find(named, name => name is not null && !caller.Sees(name)) is { } hidden)
        {
            throw new ShoalException(ShoalErrorKind.NotFound, Caller.Unknown(hidden));
        }

        return await client.CreateDatasetAsync(wanted.Name, settings, context.RequestAborted)
            ? TypedResults.Created($"/datasets/{wanted.Name}", settings)
            : TypedResults.Ok(settings);
    }
}
