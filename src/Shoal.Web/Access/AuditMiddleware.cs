using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Tells who managed what, and how it ended: in the process's log, and in the store's audit log.</summary>
/// <remarks>
/// Only of callers that are known, and within their limits: strangers could fill it. The answer is on its way by then, and stays what it is when the store is away;
/// the process's log has the entry, and says that the store's has not.
/// </remarks>
internal sealed partial class AuditMiddleware(RequestDelegate next, ShoalClient client, TimeProvider time, ILogger<AuditMiddleware> logger)
{
    /// <summary>Ids have at most 512 bytes, and encoded three times as many; what is longer is no path of ours.</summary>
    private const int MaxPath = 2_048;

    private static readonly object DatasetKey = new();

    /// <summary>Says which dataset a request is about whose path does not.</summary>
    /// <param name="context">The request.</param>
    /// <param name="dataset">The dataset's name.</param>
    public static void About(HttpContext context, string? dataset) => context.Items[DatasetKey] = dataset;

    public async Task InvokeAsync(HttpContext context)
    {
        // What only looks changes nothing: a backup's progress, metrics.
        if (HttpMethods.IsGet(context.Request.Method) || context.GetEndpoint() is not RouteEndpoint endpoint || endpoint.Metadata.GetMetadata<AccessRule>() is not { Scope: AccessScopes.Manage })
        {
            await next(context);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            await RecordAsync(context, endpoint);
        }
    }

    private async Task RecordAsync(HttpContext context, RouteEndpoint endpoint)
    {
        if (context.Features.Get<Caller>() is not { } caller || context.Response.StatusCode == StatusCodes.Status429TooManyRequests)
        {
            return;
        }

        // Encoded: an id with line ends would make two lines of one where a log is text.
        string path = context.Request.Path.ToUriComponent();
        var entry = new AuditEntry
        {
            At = time.GetUtcNow(),
            Who = caller.Id,
            What = $"{context.Request.Method} {endpoint.RoutePattern.RawText}",
            Dataset = context.Request.RouteValues["dataset"] as string ?? context.Items[DatasetKey] as string,
            Target = path.Length > MaxPath ? path[..MaxPath] : path,
            Outcome = context.Response.StatusCode.ToString(CultureInfo.InvariantCulture),
        };
        LogManaged(entry.Who, entry.What, entry.Dataset, entry.Target, entry.Outcome);
        try
        {
            // Not broken off with the caller, who may have left.
            await client.RecordAuditAsync(entry, CancellationToken.None);
        }
        catch (ShoalException away)
        {
            LogNotStored(entry.Who, entry.What, entry.Dataset, away.Message);
        }
    }

    [LoggerMessage(EventId = 6010, EventName = "CallManaged", Level = LogLevel.Information, Message = "{Who}: {What}, dataset {Dataset}, {Target}: {Outcome}")]
    private partial void LogManaged(string who, string what, string? dataset, string? target, string outcome);

    [LoggerMessage(EventId = 6011, EventName = "AuditIncomplete", Level = LogLevel.Error, Message = "The audit log in the store lacks an entry: {Who}: {What}, dataset {Dataset}: {Why}")]
    private partial void LogNotStored(string who, string what, string? dataset, string why);
}
