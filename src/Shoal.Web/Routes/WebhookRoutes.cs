using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Webhooks: create, list, resume, remove.</summary>
internal static class WebhookRoutes
{
    private const string Example = """{"url":"https://hooks.example.org/shoal","topics":["items","events"]}""";

    public static void Map(RouteGroupBuilder dataset)
    {
        dataset.MapGet("/webhooks", static async (string dataset, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.ListWebhooksAsync(dataset, context.RequestAborted)))
            .WithTags("webhooks").Needs(AccessScopes.Manage).WithSummary("The dataset's webhooks and how they fare; never their secrets.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapPost("/webhooks", CreateAsync)
            .WithTags("webhooks").Needs(AccessScopes.Manage).WithSummary("Creates a webhook, to which changes are posted; the answer has its secret, this once.")
            .Accepts<NewWebhook>("application/json", Requests.AnyType)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        dataset.MapPost("/webhooks/{id}/resume", static async (string dataset, string id, HttpContext context, ShoalClient client) =>
                TypedResults.Ok(await client.ResumeWebhookAsync(dataset, id, context.RequestAborted)))
            .WithTags("webhooks").Needs(AccessScopes.Manage).WithSummary("Tries at once what waits to be sent again, of one that was stopped, too.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        dataset.MapDelete("/webhooks/{id}", static async (string dataset, string id, HttpContext context, ShoalClient client) =>
            {
                await client.RemoveWebhookAsync(dataset, id, context.RequestAborted);
                return TypedResults.NoContent();
            })
            .WithTags("webhooks").Needs(AccessScopes.Manage).WithSummary("Removes a webhook.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Created<CreatedWebhook>> CreateAsync(string dataset, HttpContext context, ShoalClient client, WebhookTargets targets)
    {
        NewWebhook wanted = await Requests.DocumentAsync<NewWebhook>(context, Example);
        if (wanted.Problems().Count == 0 && targets.Problem(new Uri(wanted.Url)) is { } problem)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, problem);
        }

        CreatedWebhook created = await client.CreateWebhookAsync(dataset, wanted, context.RequestAborted);
        return TypedResults.Created($"/datasets/{dataset}/webhooks", created);
    }
}
