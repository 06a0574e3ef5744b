using System.Buffers;
using System.Text.Json;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>One line of a bulk request.</summary>
/// <param name="Id">The item's id.</param>
/// <param name="MediaType">The media type of the bytes; <c>image/*</c> when left out.</param>
/// <param name="Bytes">The original bytes, as base64.</param>
/// <param name="Metadata">Text fields kept beside the item.</param>
/// <param name="Replace">Whether other bytes under the same id replace the item.</param>
public sealed record NdjsonItem(string Id, string? MediaType, byte[] Bytes, IReadOnlyDictionary<string, string>? Metadata = null, bool Replace = false)
{
    internal const string Example = """{"id":"a/1","mediaType":"image/png","bytes":"iVBORw0K..."}""";

    /// <summary>Reads a line straight from the bytes that arrived; a line that cannot be read becomes a rejected item.</summary>
    /// <param name="line">The line, without its end.</param>
    /// <param name="number">Its number, from 1 on.</param>
    internal static SourceItem Parse(in ReadOnlySequence<byte> line, int number)
    {
        string id = string.Empty;
        try
        {
            var json = new Utf8JsonReader(line);
            string type = MediaTypes.AnyImage;
            byte[] bytes = [];
            Dictionary<string, string>? metadata = null;
            bool replace = false;
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return Bad("is not a JSON object");
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("id"u8))
                {
                    json.Read();
                    id = json.GetString() ?? string.Empty;
                }
                else if (json.ValueTextEquals("bytes"u8))
                {
                    json.Read();
                    if (!json.TryGetBytesFromBase64(out bytes!))
                    {
                        return Bad("has bytes that are not base64");
                    }
                }
                else if (json.ValueTextEquals("mediaType"u8))
                {
                    json.Read();
                    type = json.GetString() ?? MediaTypes.AnyImage;
                }
                else if (json.ValueTextEquals("replace"u8))
                {
                    json.Read();
                    replace = json.GetBoolean();
                }
                else if (json.ValueTextEquals("metadata"u8))
                {
                    json.Read();
                    metadata = JsonSerializer.Deserialize<Dictionary<string, string>>(ref json, ShoalJson.Options);
                }
                else
                {
                    return Bad($"has the unknown field '{Shorten(json.GetString())}'");
                }
            }

            // Reading past the object's end finds what stands behind it.
            return json.Read()
                ? Bad("goes on after its object")
                : new SourceItem(new ItemUpload { Id = id, MediaType = type, Bytes = bytes, Metadata = metadata, Replace = replace });
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return Bad("is not JSON of the form " + Example);
        }

        SourceItem Bad(string what) => SourceItem.Unreadable(id, $"Line {number} {what}.");
    }

    private static string Shorten(string? name) => name is { Length: > 40 } ? name[..40] + "..." : name ?? string.Empty;
}
