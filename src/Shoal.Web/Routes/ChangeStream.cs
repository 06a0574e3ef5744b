using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Tells of changes as server-sent events while they come (https://html.spec.whatwg.org/multipage/server-sent-events.html).</summary>
internal static class ChangeStream
{
    /// <summary>So often something is sent though nothing changes: proxies end connections that are silent for half a minute.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    private const int PageChanges = 1_000;

    /// <summary>Begins the stream.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="context">The request; what it heard last is in <c>Last-Event-ID</c>, or for the first time in <c>?after=</c>.</param>
    /// <param name="client">The client.</param>
    /// <exception cref="ShoalException">Invalid (no such cursor), NotFound (no such dataset).</exception>
    public static async Task<ServerSentEventsResult<Change>> OpenAsync(string dataset, HttpContext context, ShoalClient client)
    {
        string? after = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } heard ? heard : context.Request.Query["after"];

        // Asked for here, so that a cursor that is none is an answer and not a stream that ends.
        ChangePage first = await client.ChangesAsync(dataset, after, PageChanges, cancellationToken: context.RequestAborted);
        CancellationToken stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        return TypedResults.ServerSentEvents(ReadAsync(dataset, first, client, stopping, context.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<Change>> ReadAsync(
        string dataset, ChangePage page, ShoalClient client, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        for (ChangePage? next = page; next is not null; next = await NextAsync(next.Cursor))
        {
            // The cursor stands behind the page: who breaks off within it hears all of it again, and nothing is missed.
            for (int i = 0; i < next.Changes.Count; i++)
            {
                yield return new SseItem<Change>(next.Changes[i], next.Changes[i].Item is null ? "event" : "item") { EventId = i == next.Changes.Count - 1 ? next.Cursor : null };
            }

            if (next.Changes.Count == 0)
            {
                yield return new SseItem<Change>(new Change(Item: null, Event: null), "quiet") { EventId = next.Cursor };
            }
        }

        // Null when the silo stops or nobody listens any more.
        async Task<ChangePage?> NextAsync(string cursor)
        {
            try
            {
                return await client.ChangesAsync(dataset, cursor, PageChanges, Quiet, end.Token);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return null;
            }
        }
    }
}
