using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using Microsoft.Extensions.Time.Testing;
using Shoal.Contracts;

namespace Shoal.Client.Tests;

public sealed class SourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-sources-").FullName;

    [Fact]
    public async Task Idx_images_come_with_ids_labels_and_raw_pixels()
    {
        await WriteIdxAsync("train-images-idx3-ubyte", [3, 2, 2], Enumerable.Range(0, 12));
        await WriteIdxAsync("train-labels-idx1-ubyte", [3], [7, 8, 9]);
        await WriteIdxAsync("t10k-images-idx3-ubyte.gz", [1, 2, 2], [0, 0, 0, 1]);

        IItemSource source = ItemSources.Open(_folder);
        List<SourceItem> items = await source.ReadAsync().ToListAsync();

        Assert.Equal(4, source.Count);
        Assert.Equal(["train/00000", "train/00001", "train/00002", "t10k/00000"], items.Select(item => item.Upload.Id));
        Assert.Equal(["7", "8", "9", null], items.Select(item => item.Label));
        Assert.Equal([4, 5, 6, 7], items[1].Upload.Bytes);
        Assert.All(items, item => Assert.Equal(MediaTypes.RawImage, item.Upload.MediaType));
    }

    [Fact]
    public async Task Idx_images_with_planes_become_interleaved_pixels()
    {
        await WriteIdxAsync("train-images-idx4-ubyte", [1, 3, 2, 2], Enumerable.Range(0, 12));

        SourceItem item = Assert.Single(await ItemSources.Open(_folder).ReadAsync().ToListAsync());

        Assert.Equal([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], item.Upload.Bytes);
    }

    [Fact]
    public async Task An_idx_file_that_ends_early_says_where()
    {
        await WriteIdxAsync("train-images-idx3-ubyte", [3, 2, 2], Enumerable.Range(0, 11));

        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(async () => await ItemSources.Open(_folder).ReadAsync().ToListAsync());

        Assert.Contains("ends in image 2 of 3", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_only_looks_like_idx_is_refused()
    {
        Write("x-images-idx3-ubyte", [1, 2, 3, 4, 5]);

        Assert.Throws<ShoalException>(() => ItemSources.Open(_folder));
    }

    [Fact]
    public async Task A_folder_gives_relative_ids_class_labels_and_skips_what_is_hidden_or_no_image()
    {
        Write("cat/1.png", [1]);
        Write("dog/deep/2.JPG", [2]);
        Write("3.webp", [3]);
        Write(".hidden/4.png", [4]);
        Write("cat/.5.png", [5]);
        Write("notes.txt", [6]);

        List<SourceItem> items = await ItemSources.Open(_folder).ReadAsync().ToListAsync();

        Assert.Equal(["3.webp", "cat/1.png", "dog/deep/2.JPG"], items.Select(item => item.Upload.Id));
        Assert.Equal([null, "cat", "dog"], items.Select(item => item.Label));
        Assert.Equal(["image/webp", "image/png", "image/jpeg"], items.Select(item => item.Upload.MediaType));
    }

    [Theory]
    [InlineData("photos.tar")]
    [InlineData("photos.tar.gz")]
    [InlineData("photos.tgz")]
    public async Task An_archive_gives_what_its_folder_would(string name)
    {
        using (FileStream file = File.Create(Path.Combine(_folder, name)))
        using (Stream packed = name.EndsWith(".tar", StringComparison.Ordinal) ? file : new GZipStream(file, CompressionLevel.Fastest))
        using (var tar = new TarWriter(packed))
        {
            foreach (string path in new[] { "./cat/1.png", "dog/deep/2.JPG", "3.webp", ".hidden/4.png", "cat/.5.png", "notes.txt" })
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream([(byte)path.Length]) });
            }
        }

        List<SourceItem> items = await ItemSources.Open(Path.Combine(_folder, name)).ReadAsync().ToListAsync();

        Assert.Equal(["cat/1.png", "dog/deep/2.JPG", "3.webp"], items.Select(item => item.Upload.Id));
        Assert.Equal(["cat", "dog", null], items.Select(item => item.Label));
        Assert.Equal([11, 14, 6], items.Select(item => Assert.Single(item.Upload.Bytes)));
    }

    [Fact]
    public async Task A_file_that_vanishes_is_an_item_with_a_problem()
    {
        Write("1.png", [1]);
        Write("2.png", [2]);
        IItemSource source = ItemSources.Open(_folder);
        Assert.Equal(2, source.Count);
        File.Delete(Path.Combine(_folder, "1.png"));

        List<SourceItem> items = await source.ReadAsync().ToListAsync();

        Assert.NotNull(items[0].Problem);
        Assert.Null(items[1].Problem);
    }

    [Fact]
    public async Task Csv_rows_of_pixels_become_items_and_bad_rows_say_why()
    {
        File.WriteAllText(Path.Combine(_folder, "digits.csv"), "label,p0,p1\n7,0,255\n8,1,256\n9,1,x\n");

        List<SourceItem> items = await ItemSources.Open(Path.Combine(_folder, "digits.csv")).ReadAsync().ToListAsync();

        Assert.Equal(["digits/00000", "digits/00001", "digits/00002"], items.Select(item => item.Upload.Id));
        Assert.Equal(["7", "8", "9"], items.Select(item => item.Label));
        Assert.Equal([0, 255], items[0].Upload.Bytes);
        Assert.All(items.Skip(1), item => Assert.Equal("The column 'p1' is not a whole number from 0 to 255.", item.Problem));
    }

    [Fact]
    public async Task Csv_rows_of_paths_read_the_files_beside_it()
    {
        Write("images/a.png", [5]);
        File.WriteAllText(Path.Combine(_folder, "list.csv"), "path,label, camera ,hour\nimages/a.png,cat,7,\nimages/b.png,dog,,\n");

        List<SourceItem> items = await ItemSources.Open(Path.Combine(_folder, "list.csv")).ReadAsync().ToListAsync();

        Assert.Equal(["images/a.png", "images/b.png"], items.Select(item => item.Upload.Id));
        Assert.Equal([5], items[0].Upload.Bytes);
        Assert.NotNull(items[1].Problem);
        // Other columns are what items carry; what is empty is not known.
        Assert.Equal(["camera=7"], items[0].Upload.Metadata!.Select(field => $"{field.Key}={field.Value}"));
        Assert.Null(items[1].Upload.Metadata);
    }

    [Fact]
    public async Task What_all_items_carry_yields_to_what_one_carries_itself()
    {
        Write("a.png", [5]);
        Write("b.png", [6]);
        File.WriteAllText(Path.Combine(_folder, "list.csv"), "path,camera\na.png,7\nb.png,\n");

        List<SourceItem> items = await new CarryingSource(ItemSources.Open(Path.Combine(_folder, "list.csv")), CarryingSource.Parse("camera=1", "place=yard")).ReadAsync().ToListAsync();

        Assert.Equal(["7 yard", "1 yard"], items.Select(item => $"{item.Upload.Metadata!["camera"]} {item.Upload.Metadata["place"]}"));
    }

    [Fact]
    public async Task A_limit_ends_the_source()
    {
        Write("1.png", [1]);
        Write("2.png", [2]);

        IItemSource source = ItemSources.Open(_folder, new ItemSourceOptions { Limit = 1 });

        Assert.Equal(1, source.Count);
        Assert.Single(await source.ReadAsync().ToListAsync());
    }

    [Theory]
    [InlineData("nothing", false, "There is no file or folder")]
    [InlineData("text.txt", false, "is no PNG, JPEG, WebP, BMP or GIF file")]
    [InlineData("text.txt", true, "Only a folder can be followed")]
    [InlineData(".", false, "holds no PNG, JPEG, WebP, BMP or GIF files")]
    public void A_path_that_cannot_be_read_says_why(string path, bool follow, string words)
    {
        Write("text.txt", [1]);

        ShoalException failure = Assert.Throws<ShoalException>(() => ItemSources.Open(Path.Combine(_folder, path), new ItemSourceOptions { Follow = follow }));

        Assert.Equal(ShoalErrorKind.Invalid, failure.Kind);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_followed_folder_gives_old_files_and_then_new_ones_once_they_have_settled()
    {
        Write("old.png", [1]);
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "old.png"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var time = new FakeTimeProvider(new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero)) { AutoAdvanceAmount = TimeSpan.FromMilliseconds(50) };
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        IItemSource source = ItemSources.Open(_folder, new ItemSourceOptions { Follow = true, Following = new FollowOptions { Time = time, Rescan = TimeSpan.FromSeconds(1) } });

        await using IAsyncEnumerator<SourceItem> items = source.ReadAsync(stop.Token).GetAsyncEnumerator(stop.Token);
        Assert.True(await items.MoveNextAsync());
        Assert.Equal("old.png", items.Current.Upload.Id);
        Write("sub/new.png", [2]);
        ValueTask<bool> next = items.MoveNextAsync();
        Task<bool> waiting = next.AsTask();
        while (!waiting.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(300));
            await Task.Yield();
        }

        Assert.True(await waiting, "waiting for sub/new.png; the source ended");
        Assert.Equal("sub/new.png", items.Current.Upload.Id);
        await stop.CancelAsync();
        Assert.False(await items.MoveNextAsync());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string path, byte[] bytes)
    {
        string full = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes);
    }

    private async Task WriteIdxAsync(string name, int[] sizes, IEnumerable<int> values)
    {
        using var bytes = new MemoryStream();
        await using (Stream file = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true) : new BufferedStream(bytes))
        {
            await file.WriteAsync(new byte[] { 0, 0, 8, (byte)sizes.Length });
            foreach (int size in sizes)
            {
                byte[] word = new byte[4];
                BinaryPrimitives.WriteInt32BigEndian(word, size);
                await file.WriteAsync(word);
            }

            await file.WriteAsync(values.Select(value => (byte)value).ToArray());
            await file.FlushAsync();
            if (file is BufferedStream)
            {
                Write(name, bytes.ToArray());
            }
        }

        if (name.EndsWith(".gz", StringComparison.Ordinal))
        {
            Write(name, bytes.ToArray());
        }
    }
}
