using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Writes exports as CSV (RFC 4180, UTF-8 without a mark, lines end with a line feed).</summary>
/// <remarks>The project's CSV library writes out of a data reader only, which these rows are not; quoting is one rule.</remarks>
internal static class CsvExport
{
    private static readonly SearchValues<char> Quoted = SearchValues.Create(",\"\r\n");

    // What spreadsheets begin a formula with: https://owasp.org/www-community/attacks/CSV_Injection
    private static readonly SearchValues<char> Formula = SearchValues.Create("=+-@\t\r");

    /// <summary>Writes assignments.</summary>
    /// <param name="items">The items, some at a time.</param>
    /// <param name="output">Where to; it stays open.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static Task AssignmentsAsync(IAsyncEnumerable<ItemAnswer[]> items, Stream output, CancellationToken cancellationToken) =>
        WriteAsync(items, output, static _ => "id,state,cluster,cluster_name,confidence,model_version,stored\n", static (text, part) =>
        {
            foreach (ItemAnswer item in part)
            {
                text.Append(Field(item.Id)).Append(',').Append(item.State.ToString().ToLowerInvariant()).Append(',')
                    .Append(CultureInfo.InvariantCulture, $"{item.Cluster},").Append(Field(item.ClusterName ?? string.Empty))
                    .Append(CultureInfo.InvariantCulture, $",{(item.Cluster is null ? string.Empty : item.Confidence)},{item.ModelVersion},{item.ReceivedAt:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\n");
            }
        }, cancellationToken);

    /// <summary>Writes embeddings, one column a dimension.</summary>
    /// <param name="embeddings">The embeddings, some at a time.</param>
    /// <param name="output">Where to; it stays open.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static Task EmbeddingsAsync(IAsyncEnumerable<EmbeddingSlice> embeddings, Stream output, CancellationToken cancellationToken) =>
        WriteAsync(embeddings, output, static first => $"id,model_version{string.Concat(Enumerable.Range(0, first?.Width ?? 0).Select(i => $",e{i}"))}\n", static (text, part) =>
        {
            ReadOnlySpan<Half> values = MemoryMarshal.Cast<byte, Half>(part.Embeddings);
            for (int row = 0; row < part.Ids.Length; row++)
            {
                text.Append(Field(part.Ids[row])).Append(CultureInfo.InvariantCulture, $",{part.Versions[row]}");
                foreach (Half value in values.Slice(row * part.Width, part.Width))
                {
                    text.Append(CultureInfo.InvariantCulture, $",{(float)value}");
                }

                text.Append('\n');
            }
        }, cancellationToken);

    /// <summary>A field as it stands in the file: quoted where it must be, and with an apostrophe before what a spreadsheet would run.</summary>
    /// <param name="text">The text; ids and names are strangers'.</param>
    public static string Field(string text)
    {
        string safe = text.Length > 0 && Formula.Contains(text[0]) ? "'" + text : text;
        return safe.AsSpan().ContainsAny(Quoted) ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }

    private static async Task WriteAsync<T>(
        IAsyncEnumerable<T> parts, Stream output, Func<T?, string> header, Action<StringBuilder, T> write, CancellationToken cancellationToken)
        where T : class
    {
        var text = new StringBuilder();
        bool begun = false;
        await foreach (T part in parts.WithCancellation(cancellationToken))
        {
            text.Clear();
            if (!begun)
            {
                text.Append(header(part));
                begun = true;
            }

            write(text, part);
            await output.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellationToken);
        }

        if (!begun)
        {
            await output.WriteAsync(Encoding.UTF8.GetBytes(header(null)), cancellationToken);
        }
    }
}
