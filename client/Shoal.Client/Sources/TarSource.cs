using System.Formats.Tar;
using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>
/// Reads a tar archive as it comes: each file is an item, its name without a leading <c>./</c> the id. Nothing is written anywhere by these
/// names. Folders are skipped; links, devices and what else is no file become rejected items.
/// </summary>
/// <param name="input">The archive, not compressed; it stays open.</param>
/// <param name="modality">What the items are, as in <see cref="DatasetSettings.Modality"/>.</param>
/// <param name="largest">The most bytes of an item: a larger one is rejected without being held.</param>
public sealed class TarSource(Stream input, string modality, long largest) : IItemSource
{
    private readonly MediaFiles _media = MediaFiles.Of(modality);

    /// <summary>Not known before the end.</summary>
    public long? Count => null;

    /// <inheritdoc/>
    /// <exception cref="ShoalException">Invalid (it is no archive, or ends early; items before may have been read).</exception>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var guard = new TarGuard(input);
        await using var archive = new TarReader(guard, leaveOpen: true);
        for (int number = 1; await TryAsync(number, () => archive.GetNextEntryAsync(copyData: false, cancellationToken)) is { } entry; number++)
        {
            if (entry.EntryType is TarEntryType.Directory or TarEntryType.GlobalExtendedAttributes)
            {
                continue;
            }

            yield return await TryAsync(number, () => ReadAsync(entry, cancellationToken));
        }
    }

    private static string IdOf(string name)
    {
        while (name.StartsWith("./", StringComparison.Ordinal))
        {
            name = name[2..];
        }

        return name;
    }

    private async ValueTask<SourceItem> ReadAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        string id = IdOf(entry.Name);
        string? label = FolderSource.LabelOf(id);
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
        {
            return SourceItem.Unreadable(id, $"The archive holds no file of this name but a {Word(entry.EntryType)}.", label);
        }

        if (entry.Length > largest)
        {
            return SourceItem.Unreadable(id, $"The item is larger than the dataset's limit of {largest:N0} bytes.", label);
        }

        byte[] bytes = new byte[entry.Length];
        if (entry.DataStream is { } data)
        {
            await data.ReadExactlyAsync(bytes, cancellationToken);
        }

        return new SourceItem(new ItemUpload { Id = id, MediaType = _media.TypeOf(id), Bytes = bytes }, label);
    }

    private static string Word(TarEntryType type) => type switch
    {
        TarEntryType.SymbolicLink => "symbolic link",
        TarEntryType.HardLink => "hard link",
        TarEntryType.CharacterDevice or TarEntryType.BlockDevice => "device",
        TarEntryType.Fifo => "pipe",
        _ => $"thing of type '{(char)type}'",
    };

    // What is wrong with an archive shows in many ways.
    private static async ValueTask<T> TryAsync<T>(int number, Func<ValueTask<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or OverflowException)
        {
            throw new ShoalException(
                ShoalErrorKind.Invalid, $"The tar archive cannot be read at entry {number}: it is damaged, cut off, or no tar archive. Entries before it may be stored; sending them again is safe.", failure);
        }
    }
}
