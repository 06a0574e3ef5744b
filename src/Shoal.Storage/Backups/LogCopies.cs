namespace Shoal.Storage;

/// <summary>Copies a log that is in use.</summary>
public static class LogCopies
{
    // Erasing the bytes of deleted items changes a segment in an instant, every ten minutes.
    private const int MostTries = 10;

    /// <summary>Copies what a log holds now; what is appended meanwhile may be there or not.</summary>
    /// <remarks>
    /// Bytes are only added to a segment, or a whole new generation takes its place: so a prefix of each segment, taken in their order, is a log that
    /// could have been found after a crash. Where a generation goes away under the copy, copying begins anew.
    /// </remarks>
    /// <param name="source">Where the log is.</param>
    /// <param name="prefix">Its name.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="to">What its name is put behind there.</param>
    /// <param name="prefixOfCopies">What the copies are known by, before the segments' own names.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>A copy for each segment.</returns>
    /// <exception cref="StorageCorruptException">A segment is missing.</exception>
    /// <exception cref="StorageUnavailableException">A store is away, or segments changed too often meanwhile.</exception>
    public static async Task<IReadOnlyList<ObjectCopy>> CopyAsync(IObjectStore source, string prefix, IObjectStore target, string to, string prefixOfCopies, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        for (int attempt = 0; attempt < MostTries; attempt++)
        {
            var segments = new LogSegments(source, prefix);
            (List<long> lengths, _) = await segments.LookAsync(ct);
            var copies = new List<ObjectCopy>();
            for (int segment = 1; segment <= lengths.Count; segment++)
            {
                string name = segments.Name(segment);
                string own = name[(prefix.Length + 1)..];
                long length = segment == lengths.Count ? lengths[^1] : await segments.EndAsync(segment, lengths[segment - 1], ct);
                if (await ObjectCopies.CopyAppendedAsync(source, name, length, target, $"{to}/{own}", $"{prefixOfCopies}/{own}", ct) is not { } copy)
                {
                    break;
                }

                copies.Add(copy);
            }

            if (copies.Count == lengths.Count)
            {
                return copies;
            }

            foreach (ObjectCopy copy in copies)
            {
                await target.DeleteAsync($"{to}/{copy.Name[(prefixOfCopies.Length + 1)..]}", ct);
            }
        }

        throw new StorageUnavailableException($"The log {prefix} changed {MostTries} times while it was copied. Try again.");
    }
}
