using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>The items of another source, all of which carry the same metadata beside their own, which is kept where both name a field.</summary>
/// <param name="source">The items.</param>
/// <param name="fields">What all of them carry, for example the camera that they come from; null for nothing.</param>
public sealed class CarryingSource(IItemSource source, IReadOnlyDictionary<string, string>? fields) : IItemSource
{
    /// <summary>Reads fields as they are written on a command line and in a query string: <c>camera=7</c>.</summary>
    /// <param name="fields">The fields, each <c>NAME=VALUE</c>.</param>
    /// <returns>The fields; null when there are none.</returns>
    /// <exception cref="ShoalException">Invalid (a name or a value is missing, or a name comes twice).</exception>
    public static IReadOnlyDictionary<string, string>? Parse(params IEnumerable<string?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var parsed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string? field in fields)
        {
            if (field?.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } value] || !parsed.TryAdd(name, value))
            {
                throw new ShoalException(ShoalErrorKind.Invalid, $"A field must be NAME=VALUE, each name once, for example camera=7; one is '{field}'.");
            }
        }

        return parsed.Count == 0 ? null : parsed;
    }

    /// <inheritdoc/>
    public long? Count => source.Count;

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (SourceItem item in source.ReadAsync(cancellationToken))
        {
            yield return item with { Upload = item.Upload with { Metadata = With(item.Upload.Metadata) } };
        }
    }

    private IReadOnlyDictionary<string, string>? With(IReadOnlyDictionary<string, string>? own)
    {
        if (own is null || fields is null)
        {
            return own ?? fields;
        }

        var both = new Dictionary<string, string>(own, StringComparer.Ordinal);
        foreach ((string name, string value) in fields)
        {
            both.TryAdd(name, value);
        }

        return both;
    }
}
