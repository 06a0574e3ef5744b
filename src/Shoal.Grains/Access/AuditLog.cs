using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Storage;

namespace Shoal.Grains.Access;

/// <summary>The audit log: one line of JSON an entry, one object a day, to which is only ever appended.</summary>
/// <param name="store">The store.</param>
internal sealed class AuditLog(IObjectStore store)
{
    private const byte NewLine = (byte)'\n';

    // Control characters are escaped by every encoder: no name makes two lines of one.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // The day's object as it was left here; null when somebody has to look.
    private string? _name;
    private long _length;
    private bool _torn;

    /// <summary>Appends an entry to the object of its day, durably.</summary>
    /// <param name="entry">The entry.</param>
    public async Task AppendAsync(AuditEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        try
        {
            await TryAsync(entry);
        }
        catch (AppendConflictException)
        {
            // Somebody else wrote meanwhile, and those lines stay.
            await TryAsync(entry);
        }
    }

    private async Task TryAsync(AuditEntry entry)
    {
        var name = StoreNames.Audit(entry.At);
        if (!string.Equals(_name, name, StringComparison.Ordinal))
        {
            await LookAsync(name);
        }

        // Until it is known how the append ended, nothing is known of the object.
        _name = null;
        byte[] before = _torn ? [NewLine] : [];
        byte[] line = [.. before, .. JsonSerializer.SerializeToUtf8Bytes(entry, Json), NewLine];
        _length = await store.AppendAsync(name, _length, line);
        _torn = false;
        _name = name;
    }

    // A process that was killed in the middle of an append may have left half a line, which stays as it is.
    private async Task LookAsync(string name)
    {
        _length = (await store.StatAsync(name))?.Length ?? 0;
        var last = new byte[1];
        _torn = _length > 0 && await store.ReadAsync(name, _length - 1, last) == 1 && last[0] != NewLine;
    }
}
