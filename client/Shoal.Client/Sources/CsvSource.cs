using System.Globalization;
using System.Runtime.CompilerServices;
using Shoal.Contracts;
using Sylvan.Data.Csv;

namespace Shoal.Client;

/// <summary>
/// Reads a CSV file with a header, one row an item. With a <c>path</c> column the rows name images or recordings, relative to the CSV file, and all columns
/// but <c>label</c> and <c>id</c> are metadata that the items carry; otherwise they are pixels, 0 to 255, in the order of raw images.
/// </summary>
public sealed class CsvSource : IItemSource
{
    private readonly string _path;
    private readonly MediaFiles _media;

    /// <summary>Takes a CSV file.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="modality">What the files are that it names, as in <see cref="DatasetSettings.Modality"/>.</param>
    /// <exception cref="ShoalException">Invalid (no such file).</exception>
    public CsvSource(string path, string modality = DatasetSettings.Image)
    {
        if (!File.Exists(path))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"There is no file '{path}'.");
        }

        _path = Path.GetFullPath(path);
        _media = MediaFiles.Of(modality);
    }

    /// <summary>Not known before the file has been read.</summary>
    public long? Count => null;

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // 64 KiB characters a row is the library's default; 256 x 256 x 3 pixels of "255," need 786,432.
        await using CsvDataReader rows = await OpenAsync(new CsvDataReaderOptions { BufferSize = 0x10000, MaxBufferSize = 0x400000 }, cancellationToken);
        Columns columns = FindColumns(rows);
        string name = Path.GetFileNameWithoutExtension(_path);
        for (long number = 0; await NextAsync(rows, number, cancellationToken); number++)
        {
            string? label = columns.Label < 0 ? null : rows.GetString(columns.Label);
            if (columns.Path >= 0)
            {
                string file = rows.GetString(columns.Path);
                string id = columns.Id < 0 ? file.Replace('\\', '/') : rows.GetString(columns.Id);
                SourceItem item = await _media.ReadAsync(Path.Combine(Path.GetDirectoryName(_path)!, file), id, label, cancellationToken);
                yield return item with { Upload = item.Upload with { Metadata = Metadata(rows, columns.Others) } };
            }
            else
            {
                string id = columns.Id < 0 ? $"{name}/{number.ToString("D5", CultureInfo.InvariantCulture)}" : rows.GetString(columns.Id);
                yield return ReadPixels(rows, columns.Others, id, label);
            }
        }
    }

    private static Columns FindColumns(CsvDataReader rows)
    {
        var columns = new Columns(-1, -1, -1, []);
        var others = new List<int>();
        for (int i = 0; i < rows.FieldCount; i++)
        {
            switch (rows.GetName(i).Trim().ToUpperInvariant())
            {
                case "LABEL" or "CLASS":
                    columns = columns with { Label = i };
                    break;
                case "ID":
                    columns = columns with { Id = i };
                    break;
                case "PATH" or "FILE" or "FILENAME":
                    columns = columns with { Path = i };
                    break;
                default:
                    others.Add(i);
                    break;
            }
        }

        return columns with { Others = [.. others] };
    }

    // What is empty is not known of an item.
    private static Dictionary<string, string>? Metadata(CsvDataReader row, int[] columns)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (int column in columns)
        {
            if (row.GetName(column).Trim() is { Length: > 0 } name && column < row.RowFieldCount && row.GetString(column) is { Length: > 0 } value)
            {
                fields[name] = value;
            }
        }

        return fields.Count == 0 ? null : fields;
    }

    private static SourceItem ReadPixels(CsvDataReader row, int[] columns, string id, string? label)
    {
        if (row.RowFieldCount != row.FieldCount)
        {
            return SourceItem.Unreadable(id, $"The row has {row.RowFieldCount} fields, and the header {row.FieldCount}.", label);
        }

        byte[] pixels = new byte[columns.Length];
        for (int i = 0; i < pixels.Length; i++)
        {
            if (!byte.TryParse(row.GetFieldSpan(columns[i]), NumberStyles.None, CultureInfo.InvariantCulture, out pixels[i]))
            {
                return SourceItem.Unreadable(id, $"The column '{row.GetName(columns[i])}' is not a whole number from 0 to 255.", label);
            }
        }

        return new SourceItem(new ItemUpload { Id = id, MediaType = MediaTypes.RawImage, Bytes = pixels }, label);
    }

    private async Task<CsvDataReader> OpenAsync(CsvDataReaderOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await CsvDataReader.CreateAsync(_path, options, cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CsvFormatException or InvalidOperationException)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The file '{_path}' cannot be read as CSV: {failure.Message}", failure);
        }
    }

    private async Task<bool> NextAsync(CsvDataReader rows, long number, CancellationToken cancellationToken)
    {
        try
        {
            return await rows.ReadAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or CsvFormatException)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"The file '{_path}' cannot be read as CSV after row {number:N0}: {failure.Message}", failure);
        }
    }

    private readonly record struct Columns(int Label, int Id, int Path, int[] Others);
}
