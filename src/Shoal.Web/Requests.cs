using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Reads parts of requests, with an error that says what is wrong and what to send.</summary>
internal static class Requests
{
    /// <summary>Added to the media types of a route's document, or routing would refuse what curl says when nobody told it a type.</summary>
    public const string AnyType = "*/*";

    /// <summary>The largest JSON document taken, in bytes: settings with a hundred objectives have 10 KB.</summary>
    public const int MaxDocument = 64 * 1024;

    /// <summary>
    /// The id at the end of the path. It is read from the request line, since the server leaves <c>%2F</c> encoded in the path
    /// but decodes the rest, after which the two can no longer be told apart.
    /// </summary>
    /// <param name="context">A request to <c>…/datasets/{dataset}/{collection}/{id}</c>.</param>
    public static string ItemId(HttpContext context)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string path = query < 0 ? target : target[..query];
        int dataset = path.IndexOf("/datasets/", StringComparison.OrdinalIgnoreCase) + "/datasets/".Length;
        int collection = path.IndexOf('/', dataset) + 1;
        int id = path.IndexOf('/', collection) + 1;
        return Uri.UnescapeDataString(path[id..]);
    }

    /// <summary>The media type of a body. What curl and others send when nobody said anything means: look at its bytes.</summary>
    /// <param name="contentType">The header.</param>
    /// <param name="otherwise">What holds when it says nothing.</param>
    public static string MediaType(string? contentType, string otherwise)
    {
        string type = contentType?.Split(';')[0].Trim() ?? string.Empty;
        return type is "" or "application/octet-stream" or "application/x-www-form-urlencoded" ? otherwise : type;
    }

    /// <summary>How a body is compressed: <c>gzip</c>, or empty for not at all.</summary>
    /// <param name="request">The request.</param>
    /// <exception cref="BadHttpRequestException">415: in another way.</exception>
    public static string Encoding(HttpRequest request) => request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant() switch
    {
        "" or "identity" => string.Empty,
        "gzip" or "x-gzip" => "gzip",
        var other => throw new BadHttpRequestException($"The body is compressed as '{other}'; send it as it is, or as gzip.", StatusCodes.Status415UnsupportedMediaType),
    };

    /// <summary>What an item carries beside its bytes: <c>?field=camera=7</c>, as often as there are fields; null for nothing.</summary>
    /// <param name="request">The request.</param>
    /// <exception cref="ShoalException">Invalid (a field is not NAME=VALUE).</exception>
    public static IReadOnlyDictionary<string, string>? Fields(HttpRequest request) => CarryingSource.Parse(request.Query["field"]);

    /// <summary>A whole number from the query string.</summary>
    /// <param name="request">The request.</param>
    /// <param name="name">The parameter's name.</param>
    /// <param name="otherwise">What holds when it is not given.</param>
    public static int Number(HttpRequest request, string name, int otherwise) => Value<int>(request, name, NumberStyles.AllowLeadingSign, "a whole number") ?? otherwise;

    /// <summary>A large whole number from the query string; null when it is not given.</summary>
    /// <param name="request">The request.</param>
    /// <param name="name">The parameter's name.</param>
    public static long? LongNumber(HttpRequest request, string name) => Value<long>(request, name, NumberStyles.AllowLeadingSign, "a whole number");

    /// <summary>A number from the query string; null when it is not given.</summary>
    /// <param name="request">The request.</param>
    /// <param name="name">The parameter's name.</param>
    public static float? Fraction(HttpRequest request, string name) => Value<float>(request, name, NumberStyles.Float, "a number");

    /// <summary>One of some words from the query string.</summary>
    /// <typeparam name="T">What the words stand for.</typeparam>
    /// <param name="request">The request.</param>
    /// <param name="name">The parameter's name.</param>
    /// <param name="otherwise">What holds when it is not given.</param>
    /// <param name="words">The words that are taken.</param>
    public static T OneOf<T>(HttpRequest request, string name, T otherwise, params IEnumerable<(string Word, T Meaning)> words)
    {
        string? text = request.Query[name];
        if (string.IsNullOrEmpty(text))
        {
            return otherwise;
        }

        foreach ((string word, T meaning) in words)
        {
            if (string.Equals(text, word, StringComparison.Ordinal))
            {
                return meaning;
            }
        }

        throw new ShoalException(ShoalErrorKind.Invalid, $"The parameter '{name}' must be one of: {string.Join(", ", words.Select(of => of.Word))}.");
    }

    /// <summary>A yes or no from the query string.</summary>
    /// <param name="request">The request.</param>
    /// <param name="name">The parameter's name.</param>
    public static bool Flag(HttpRequest request, string name)
    {
        string? text = request.Query[name];
        if (string.IsNullOrEmpty(text))
        {
            // '?replace' alone is there, and empty.
            return request.Query.ContainsKey(name);
        }

        return bool.TryParse(text, out bool flag)
            ? flag
            : throw new ShoalException(ShoalErrorKind.Invalid, $"The parameter '{name}' must be true or false.");
    }

    /// <summary>A small JSON document.</summary>
    /// <typeparam name="T">What it holds.</typeparam>
    /// <param name="context">The request.</param>
    /// <param name="example">A document that would do, for the error.</param>
    public static async Task<T> DocumentAsync<T>(HttpContext context, string example)
    {
        byte[] body = await BodyAsync(context, MaxDocument, $"The document is larger than {MaxDocument:N0} bytes.");
        try
        {
            return JsonSerializer.Deserialize<T>(body, ShoalJson.Options) ?? throw new JsonException("it is null");
        }
        catch (JsonException failure)
        {
            string place = failure.Path is { Length: > 0 } path ? $" at {path}" : string.Empty;
            throw new ShoalException(ShoalErrorKind.Invalid, $"The body is not the JSON expected{place}; send for example {example}.", failure);
        }
    }

    /// <summary>The whole body, at most so many bytes.</summary>
    /// <param name="context">The request.</param>
    /// <param name="limit">The most bytes taken.</param>
    /// <param name="tooLarge">What the answer 413 says.</param>
    public static async Task<byte[]> BodyAsync(HttpContext context, int limit, string tooLarge)
    {
        // The dataset's limit rules, not the server's.
        LiftLimit(context);
        Stream sent = Body(context.Request);
        if (ReferenceEquals(sent, context.Request.Body) && context.Request.ContentLength is { } announced)
        {
            if (announced > limit)
            {
                throw new BadHttpRequestException(tooLarge, StatusCodes.Status413PayloadTooLarge);
            }

            byte[] whole = new byte[announced];
            await sent.ReadExactlyAsync(whole, context.RequestAborted);
            return whole;
        }

        using var body = new MemoryStream();
        byte[] part = new byte[16 * 1024];
        try
        {
            for (int read; (read = await sent.ReadAsync(part, context.RequestAborted)) > 0;)
            {
                await body.WriteAsync(part.AsMemory(0, read), context.RequestAborted);
                if (body.Length > limit)
                {
                    throw new BadHttpRequestException(tooLarge, StatusCodes.Status413PayloadTooLarge);
                }
            }
        }
        catch (InvalidDataException failure)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The body is said to be gzip, and cannot be unpacked: {failure.Message}", failure);
        }

        return body.ToArray();
    }

    /// <summary>The body as it was before it was compressed.</summary>
    /// <param name="request">The request.</param>
    /// <exception cref="BadHttpRequestException">415: it is compressed in another way than gzip.</exception>
    public static Stream Body(HttpRequest request) => Encoding(request) is "gzip" ? Inflation.Gunzip(request.Body) : request.Body;

    /// <summary>Takes the server's own limit off a request whose body is bounded here.</summary>
    /// <param name="context">The request, before its body is read.</param>
    public static void LiftLimit(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = null;
        }
    }

    private static T? Value<T>(HttpRequest request, string name, NumberStyles style, string what)
        where T : struct, INumberBase<T>
    {
        string? text = request.Query[name];
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return T.TryParse(text, style, CultureInfo.InvariantCulture, out T number)
            ? number
            : throw new ShoalException(ShoalErrorKind.Invalid, $"The parameter '{name}' is not {what}.");
    }
}
