using System.Runtime.CompilerServices;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Media.Sound;

namespace Shoal.Demo;

/// <summary>The recordings of a folder in random order, the same each time, read one by one. Their ids are their paths below it.</summary>
internal sealed class RecordingFolder : IItemSource
{
    private readonly string _folder;
    private readonly string[] _files;

    /// <summary>Looks what there is.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="pattern">Which of its files, for example <c>*.wav</c>; those that are no recordings are left out anyway.</param>
    /// <param name="most">The most recordings; null for all.</param>
    /// <param name="kindOf">From a recording's id to what it is; null where that is not known.</param>
    /// <exception cref="ShoalException">Invalid (no folder, or nothing in it).</exception>
    public RecordingFolder(string folder, string pattern, int? most, Func<string, string?> kindOf)
    {
        if (!Directory.Exists(folder))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"There is no folder '{folder}'; --recordings takes one with WAV, FLAC, OGG, Opus, MP3 or M4A files in it.");
        }

        (_folder, KindOf) = (folder, kindOf);
        string[] files =
        [
            .. Directory.EnumerateFiles(folder, pattern, new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
                .Where(file => SoundTypes.OfFile(file) is not null).Order(StringComparer.Ordinal),
        ];
        if (files.Length == 0)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The folder '{folder}' holds no WAV, FLAC, OGG, Opus, MP3 or M4A files.");
        }

        // Folders are often of one kind each; a stream is not.
        new Random(1).Shuffle(files);
        _files = files[..Math.Min(most ?? files.Length, files.Length)];
    }

    /// <summary>How many recordings there are.</summary>
    public long? Count => _files.Length;

    /// <summary>From a recording's id to what it is; null where that is not known.</summary>
    public Func<string, string?> KindOf { get; }

    /// <summary>How many were read.</summary>
    public int Read { get; private set; }

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var file in _files)
        {
            var id = Path.GetRelativePath(_folder, file).Replace('\\', '/');
            await foreach (SourceItem recording in ItemSources.Open(file, new ItemSourceOptions { Modality = DatasetSettings.Sound }).ReadAsync(cancellationToken))
            {
                Read++;
                yield return recording with { Upload = recording.Upload with { Id = id }, Label = KindOf(id) };
            }
        }
    }
}
