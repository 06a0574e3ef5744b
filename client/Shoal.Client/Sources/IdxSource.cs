using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>
/// Reads images in the IDX format of MNIST and its kin, plain or gzipped, with their labels if those lie beside them.
/// Ids are the set's name and the image's number: <c>train/00042</c>.
/// </summary>
public sealed class IdxSource : IItemSource
{
    /// <summary>How deep below a folder the files are looked for: downloads often unpack into <c>name/data/raw</c>.</summary>
    private const int Depth = 3;

    private readonly IdxSet[] _sets;

    private IdxSource(IdxSet[] sets) => _sets = sets;

    /// <inheritdoc/>
    public long? Count => _sets.Sum(set => (long)set.Header.Count);

    /// <summary>Opens one images file, or all that a folder holds; null when the folder holds none.</summary>
    /// <param name="path">A file's or a folder's path.</param>
    /// <exception cref="ShoalException">Invalid (a file is not IDX images, or images and labels do not fit together).</exception>
    public static IdxSource? Open(string path)
    {
        if (!Directory.Exists(path))
        {
            return new IdxSource([OpenSet(path)]);
        }

        var search = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = Depth, IgnoreInaccessible = true };

        // A plain file and its gzipped twin are one set: the plain one sorts first and is taken.
        string[] images = [.. Directory.EnumerateFiles(path, "*images*", search)
            .Where(LooksLikeImages)
            .Order(StringComparer.Ordinal)
            .DistinctBy(Stem, StringComparer.Ordinal)
            .OrderByDescending(file => Path.GetFileName(file).StartsWith("train", StringComparison.Ordinal))];
        return images.Length == 0 ? null : new IdxSource(Array.ConvertAll(images, OpenSet));
    }

    /// <summary>Whether a file's name is that of IDX images.</summary>
    /// <param name="path">The file's path.</param>
    internal static bool LooksLikeImages(string path)
    {
        string name = Path.GetFileName(path);
        return name.Contains("idx3", StringComparison.OrdinalIgnoreCase) || name.Contains("idx4", StringComparison.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (IdxSet set in _sets)
        {
            byte[]? labels = set.LabelsPath is null ? null : await ReadLabelsAsync(set.LabelsPath, set.Header.Count, cancellationToken);
            await using Stream file = OpenFile(set.ImagesPath);
            await file.ReadExactlyAsync(new byte[set.Header.Length], cancellationToken);
            for (int i = 0; i < set.Header.Count; i++)
            {
                byte[] pixels = new byte[set.Header.ItemBytes];
                if (await file.ReadAtLeastAsync(pixels, pixels.Length, throwOnEndOfStream: false, cancellationToken) < pixels.Length)
                {
                    throw Wrong(set.ImagesPath, $"it ends in image {i:N0} of {set.Header.Count:N0}; download it again");
                }

                yield return new SourceItem(
                    new ItemUpload
                    {
                        Id = $"{set.Name}/{i.ToString("D5", CultureInfo.InvariantCulture)}",
                        MediaType = MediaTypes.RawImage,
                        Bytes = set.Header.Planar ? Interleave(pixels, set.Header) : pixels,
                    },
                    labels?[i].ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    private static IdxSet OpenSet(string path)
    {
        using Stream file = OpenFile(path);
        IdxHeader header = IdxHeader.Read(file, path);
        if (header.Dimensions is < 3 or > 4)
        {
            throw Wrong(path, $"it has {header.Dimensions} dimensions, and images have 3 or 4");
        }

        string name = Path.GetFileName(path);
        int images = name.IndexOf("images", StringComparison.OrdinalIgnoreCase);
        string set = images > 1 ? name[..images].TrimEnd('-', '.', '_') : Path.GetFileNameWithoutExtension(Stem(path));
        return new IdxSet(set.Length == 0 ? "images" : set, path, LabelsBeside(path), header);
    }

    private static string Stem(string path) => path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;

    private static string? LabelsBeside(string images)
    {
        string name = Path.GetFileName(Stem(images))
            .Replace("images", "labels", StringComparison.OrdinalIgnoreCase)
            .Replace("idx3", "idx1", StringComparison.OrdinalIgnoreCase)
            .Replace("idx4", "idx1", StringComparison.OrdinalIgnoreCase);
        string plain = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(images))!, name);
        return new[] { plain, plain + ".gz" }.FirstOrDefault(File.Exists);
    }

    private static async Task<byte[]> ReadLabelsAsync(string path, int count, CancellationToken cancellationToken)
    {
        await using Stream file = OpenFile(path);
        IdxHeader header = IdxHeader.Read(file, path);
        if (header.Dimensions != 1 || header.Count != count)
        {
            throw Wrong(path, $"it holds {header.Count:N0} labels for {count:N0} images");
        }

        byte[] labels = new byte[count];
        return await file.ReadAtLeastAsync(labels, count, throwOnEndOfStream: false, cancellationToken) == count
            ? labels
            : throw Wrong(path, "it ends early; download it again");
    }

    private static Stream OpenFile(string path)
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 128 * 1024, useAsync: true);
            return path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
                ? new BufferedStream(new GZipStream(file, CompressionMode.Decompress), 128 * 1024)
                : file;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The file '{path}' cannot be opened: {failure.Message}", failure);
        }
    }

    /// <summary>Channels-first to channels-last, which is what raw images are.</summary>
    private static byte[] Interleave(byte[] planes, IdxHeader header)
    {
        int channels = header.Sizes[1];
        int plane = planes.Length / channels;
        byte[] pixels = new byte[planes.Length];
        for (int channel = 0; channel < channels; channel++)
        {
            for (int i = 0; i < plane; i++)
            {
                pixels[(i * channels) + channel] = planes[(channel * plane) + i];
            }
        }

        return pixels;
    }

    private static ShoalException Wrong(string path, string what) =>
        new(ShoalErrorKind.Invalid, $"'{path}' is not usable as an IDX file: {what}.");

    private sealed record IdxSet(string Name, string ImagesPath, string? LabelsPath, IdxHeader Header);

    /// <summary>The header: two zero bytes, the element type (8 is uint8), the number of dimensions, then each as a big-endian int32.</summary>
    private sealed record IdxHeader(int[] Sizes)
    {
        public int Dimensions => Sizes.Length;

        public int Count => Sizes[0];

        public int Length => 4 + (4 * Sizes.Length);

        public int ItemBytes => Sizes.Skip(1).Aggregate(1, (bytes, size) => bytes * size);

        public bool Planar => Sizes.Length == 4 && Sizes[1] is 1 or 3 && Sizes[3] is not (1 or 3);

        public static IdxHeader Read(Stream file, string path)
        {
            Span<byte> word = stackalloc byte[4];
            try
            {
                file.ReadExactly(word);
                if (word[0] != 0 || word[1] != 0 || word[2] != 8 || word[3] is 0 or > 4)
                {
                    throw Wrong(path, "it does not begin as uint8 IDX data does");
                }

                int[] sizes = new int[word[3]];
                long bytes = 1;
                for (int i = 0; i < sizes.Length; i++)
                {
                    file.ReadExactly(word);
                    sizes[i] = BinaryPrimitives.ReadInt32BigEndian(word);

                    // 64 MiB an image is the most that any dataset takes.
                    bytes = i == 0 ? 1 : bytes * sizes[i];
                    if (sizes[i] <= 0 || bytes > 64 * 1024 * 1024)
                    {
                        throw Wrong(path, $"its dimension {i + 1} is {sizes[i]}");
                    }
                }

                return new IdxHeader(sizes);
            }
            catch (Exception failure) when (failure is EndOfStreamException or InvalidDataException)
            {
                throw Wrong(path, "it ends within its header, or is not gzip although its name says so");
            }
        }
    }
}
