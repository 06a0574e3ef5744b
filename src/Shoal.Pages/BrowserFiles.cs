using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Shoal.Pages;

/// <summary>Serves what browsers load beside pages (scripts and styles of Blazor, MudBlazor, Plotly and ours) out of this assembly.</summary>
/// <remarks>So they are there whoever hosts the pages, and nothing comes from anywhere else.</remarks>
internal static class BrowserFiles
{
    private const string Prefix = "browser/";

    /// <summary>The addresses that are served, without the slash at their beginning.</summary>
    public static IEnumerable<string> Addresses => typeof(BrowserFiles).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..]);

    /// <summary>Maps them.</summary>
    /// <param name="files">What they are added to.</param>
    public static void Map(IEndpointRouteBuilder files)
    {
        foreach (string address in Addresses)
        {
            var tag = new Lazy<EntityTagHeaderValue>(() => Tag(address));
            string type = address.EndsWith(".css", StringComparison.Ordinal) ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8";
            files.MapGet("/" + address, (HttpContext context) =>
            {
                // Kept, and asked about: another version of the silo brings others.
                context.Response.Headers.CacheControl = "no-cache";
                return TypedResults.Stream(Open(address), type, entityTag: tag.Value);
            }).ExcludeFromDescription();
        }
    }

    private static Stream Open(string address) => typeof(BrowserFiles).Assembly.GetManifestResourceStream(Prefix + address)
        ?? throw new InvalidOperationException($"The assembly does not hold {address}, though it lists it.");

    private static EntityTagHeaderValue Tag(string address)
    {
        using Stream content = Open(address);
        return new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16))}\"");
    }
}
