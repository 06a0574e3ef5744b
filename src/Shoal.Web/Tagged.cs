using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Shoal.Client;

namespace Shoal.Web;

/// <summary>Answers with an ETag, so that who has an answer already is told so (304) instead of being sent it again; and the headers that state limits.</summary>
internal static class Tagged
{
    /// <summary>The largest item that the dataset takes, in bytes.</summary>
    public const string MaxItemBytes = LimitPrefix + "Item-Bytes";

    /// <summary>The most items that a request may hold.</summary>
    public const string MaxItems = LimitPrefix + "Items";

    /// <summary>What the names of headers with limits begin with; they stand in answers that say a limit was passed, too.</summary>
    public const string LimitPrefix = "Shoal-Max-";

    /// <summary>An answer as JSON; its tag is a hash of it, or of what of it counts.</summary>
    /// <typeparam name="T">What is answered.</typeparam>
    /// <param name="answer">The answer.</param>
    /// <param name="counts">What of it counts where a part changes by itself, for example seconds; null for all.</param>
    public static FileContentHttpResult Json<T>(T answer, T? counts = default)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(answer, ShoalJson.Options);
        return TypedResults.Bytes(json, "application/json; charset=utf-8", entityTag: Of(counts is null ? json : JsonSerializer.SerializeToUtf8Bytes(counts, ShoalJson.Options)));
    }

    /// <summary>The tag of bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="made">What tells apart answers that are made of the same bytes.</param>
    public static EntityTagHeaderValue Of(ReadOnlySpan<byte> bytes, string made = "") => new($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}{made}\"");

    /// <summary>Sets the tag of an answer that is written by hand, and says whether the caller has it already.</summary>
    /// <param name="context">The request.</param>
    /// <param name="tag">The tag.</param>
    /// <returns>True when the answer is done: 304.</returns>
    public static bool IsKnown(HttpContext context, EntityTagHeaderValue tag)
    {
        context.Response.GetTypedHeaders().ETag = tag;
        if (!context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, useStrongComparison: false)))
        {
            return false;
        }

        context.Response.StatusCode = StatusCodes.Status304NotModified;
        return true;
    }

    /// <summary>States a limit in the answer, whatever that will be.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">The header's name.</param>
    /// <param name="limit">The limit.</param>
    public static void State(HttpContext context, string name, int limit) => context.Response.Headers[name] = limit.ToString(CultureInfo.InvariantCulture);
}
