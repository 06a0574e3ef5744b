using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>
/// Carries a request that manages something out once for an <c>Idempotency-Key</c>, and answers who sends it again what was answered then
/// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header).
/// </summary>
/// <remarks>Failures are not kept: they changed nothing, and the next try may do better. Items need no such key, since their ids are theirs.</remarks>
internal sealed class OnceMiddleware(RequestDelegate next, ShoalClient client, ProblemWriter problems)
{
    /// <summary>The header.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>Says that an answer is an earlier one.</summary>
    public const string Replayed = "Idempotency-Replayed";

    private const int MaxKey = 255;

    public async Task InvokeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        bool applies = request.Headers.ContainsKey(Header)
            && (HttpMethods.IsPost(request.Method) || HttpMethods.IsPatch(request.Method))
            && context.GetEndpoint()?.Metadata.GetMetadata<AccessRule>() is { Scope: AccessScopes.Manage }
            && context.Features.Get<Caller>() is not null;
        if (!applies)
        {
            await next(context);
            return;
        }

        string key = request.Headers[Header].ToString();
        if (key.Length is 0 or > MaxKey || !key.All(static letter => letter is > ' ' and < '\x7f'))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The header {Header} must hold 1 to {MaxKey} letters, digits and signs, for example a UUID.");
        }

        byte[] body = await Requests.BodyAsync(context, Requests.MaxDocument, $"With {Header} a body has at most {Requests.MaxDocument:N0} bytes.");
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Caller.Of(context).Id}\n{key}")));
        byte[] what = SHA256.HashData([.. Encoding.UTF8.GetBytes($"{request.Method}\n{context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget}\n"), .. body]);
        var attempt = Guid.NewGuid();
        OnceKnown known = await client.BeginOnceAsync(name, what, attempt, context.RequestAborted);
        if (known is { State: OnceState.Done, Answer: { } kept })
        {
            await ReplayAsync(context.Response, kept);
        }
        else if (known.State is OnceState.New)
        {
            // It has been unpacked.
            (request.Body, request.ContentLength, request.Headers.ContentEncoding) = (new MemoryStream(body, writable: false), body.Length, default);
            await CarryOutAsync(context, name, what, attempt);
        }
        else
        {
            await (known.State is OnceState.Running
                ? problems.WriteAsync(context, StatusCodes.Status409Conflict, "The same request is being carried out; come again for its answer.", retrySeconds: 1)
                : problems.WriteAsync(context, StatusCodes.Status422UnprocessableEntity, $"This {Header} was sent with another request; each request has its own."));
        }
    }

    private static async Task ReplayAsync(HttpResponse response, KeptAnswer kept)
    {
        response.StatusCode = kept.Status;
        response.ContentType = kept.ContentType;
        response.Headers[Replayed] = "true";
        if (kept.Location is not null)
        {
            response.Headers.Location = kept.Location;
        }

        if (kept.Body.Length > 0)
        {
            await response.Body.WriteAsync(kept.Body);
        }
    }

    private async Task CarryOutAsync(HttpContext context, string name, byte[] what, Guid attempt)
    {
        Stream answer = context.Response.Body;
        using var written = new MemoryStream();
        KeptAnswer? kept = null;
        context.Response.Body = written;
        try
        {
            await next(context);
            HttpResponse response = context.Response;
            kept = response.StatusCode < StatusCodes.Status400BadRequest
                ? new KeptAnswer(response.StatusCode, response.ContentType, response.Headers.Location.ToString() is { Length: > 0 } location ? location : null, written.ToArray())
                : null;
        }
        finally
        {
            context.Response.Body = answer;

            // Before it is answered, and not broken off with the caller: who hears nothing asks again.
            await client.EndOnceAsync(name, what, attempt, kept, CancellationToken.None);
        }

        // Some answers may have no body, not even an empty one.
        if (written.Length > 0)
        {
            await answer.WriteAsync(written.GetBuffer().AsMemory(0, (int)written.Length), context.RequestAborted);
        }
    }
}
