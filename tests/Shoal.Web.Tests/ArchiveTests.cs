using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

/// <summary>Archives and forms in one request: answers per item, and names that are tricks do nothing.</summary>
public sealed class ArchiveTests(WebFixture fixture)
{
    [Theory]
    [InlineData("application/x-tar", false, false)]
    [InlineData("application/gzip", true, false)]
    [InlineData("application/x-tar", true, true)]
    public async Task Each_file_of_an_archive_is_an_item(string type, bool packed, bool encoding)
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        byte[] tar = await TarAsync(
            new PaxTarEntry(TarEntryType.Directory, "./cats"), File("./cats/1.png", 1, 2), File("dogs/été.JPG", 3), File("noname", 4), File("empty"), File("large.png", new byte[1_001]));

        Dictionary<string, JsonElement> results = await PostAsync($"{path}/items", packed ? Pack(tar) : tar, type, encoding);

        Assert.Equal(["cats/1.png", "dogs/été.JPG", "empty", "large.png", "noname"], results.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["cats/1.png", "dogs/été.JPG", "noname"], dataset.Items.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["image/png", "image/jpeg", "image/*"], new[] { "cats/1.png", "dogs/été.JPG", "noname" }.Select(id => dataset.Items[id].Upload.MediaType));
        Assert.Equal([1, 2], dataset.Items["cats/1.png"].Upload.Bytes);
        Assert.Contains("holds no bytes", Reason(results["empty"]), StringComparison.Ordinal);
        Assert.Contains("limit of 1,000 bytes", Reason(results["large.png"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_that_lead_elsewhere_are_ids_and_links_and_devices_are_rejected()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        string outside = Path.Combine(Path.GetTempPath(), $"shoal-outside-{Guid.NewGuid():N}");
        byte[] tar = await TarAsync(
            File(outside, 1),
            File("../../up.png", 2),
            new PaxTarEntry(TarEntryType.SymbolicLink, "soft") { LinkName = "/etc/passwd" },
            new PaxTarEntry(TarEntryType.HardLink, "hard") { LinkName = "../../up.png" },
            new PaxTarEntry(TarEntryType.CharacterDevice, "device"),
            new PaxTarEntry(TarEntryType.Fifo, "pipe"),
            File("bad\u0001name", 3),
            File(new string('x', 600), 4));

        Dictionary<string, JsonElement> results = await PostAsync($"{path}/items", tar, "application/x-tar");

        Assert.Equal(8, results.Count);
        Assert.Equal(new[] { outside, "../../up.png" }.Order(StringComparer.Ordinal), dataset.Items.Keys.Order(StringComparer.Ordinal));
        Assert.False(System.IO.File.Exists(outside));
        Assert.Equal(
            ["a symbolic link", "a hard link", "a device", "a pipe"],
            new[] { "soft", "hard", "device", "pipe" }.Select(id => Reason(results[id])["The archive holds no file of this name but ".Length..^1]));
        Assert.Contains("control character U+0001", Reason(results["bad\u0001name"]), StringComparison.Ordinal);
        Assert.Contains("longer than 512 bytes", Reason(results[new string('x', 600)]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_that_is_cut_off_or_none_is_a_400_and_what_stood_before_is_stored()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        byte[] tar = await TarAsync(File("whole", 1), File("torn", new byte[900]));

        string problem = await RouteTests.ProblemAsync(await SendAsync($"{path}/items", tar[..^1_400], "application/x-tar"), HttpStatusCode.BadRequest);
        Assert.Contains("cut off", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("torn", dataset.Items.Keys);
        byte[] noise = new byte[2_000];
        new Random(42).NextBytes(noise);
        await RouteTests.ProblemAsync(await SendAsync($"{path}/items", noise, "application/x-tar"), HttpStatusCode.BadRequest);
        await RouteTests.ProblemAsync(await SendAsync($"{path}/items", noise, "application/gzip"), HttpStatusCode.BadRequest);
        Assert.Contains("holds no file", await RouteTests.ProblemAsync(await SendAsync($"{path}/items", new byte[1_024], "application/x-tar"), HttpStatusCode.BadRequest), StringComparison.Ordinal);
        await RouteTests.ProblemAsync(await SendAsync("/datasets/no-such/items", tar, "application/x-tar"), HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('g')]
    [InlineData('L')]
    [InlineData('K')]
    public async Task A_name_or_attributes_of_a_gigabyte_are_not_waited_for(char type)
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        byte[] tar = [.. (await TarAsync(File("first", 1)))[..^1_024], .. await HeaderAsync(type, 1 << 30), .. new byte[4_096]];

        Assert.Contains("at entry 2", await RouteTests.ProblemAsync(await SendAsync($"{path}/items", tar, "application/x-tar"), HttpStatusCode.BadRequest), StringComparison.Ordinal);

        // The control: honest attributes, of a name that does not fit a header, are taken.
        string name = string.Join('/', Enumerable.Repeat("folder", 60));
        Assert.Equal("accepted", (await PostAsync($"{path}/items", await TarAsync(File(name, 1), new GnuTarEntry(TarEntryType.RegularFile, name + "2") { DataStream = new MemoryStream([1]) }), "application/x-tar"))[name].GetProperty("outcome").GetString());
        Assert.Contains(name + "2", dataset.Items.Keys);
    }

    [Fact]
    public async Task Attributes_that_say_another_size_than_the_header_are_refused()
    {
        (string path, _) = fixture.Dataset();
        byte[] attributes = "20 size=1000000000\n\n"u8.ToArray();
        byte[] tar = [.. await HeaderAsync('x', attributes.Length), .. attributes, .. new byte[512 - attributes.Length], .. await TarAsync(File("a", 1))];

        await RouteTests.ProblemAsync(await SendAsync($"{path}/items", tar, "application/x-tar"), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task What_is_unpacked_out_of_next_to_nothing_ends_the_request()
    {
        (string path, _) = fixture.Dataset();
        // A hundred megabytes of zeros that somebody says are a file, in a hundred kilobytes.
        using var bomb = new MemoryStream();
        await using (var pack = new GZipStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            await pack.WriteAsync(await TarAsync(File("zeros", new byte[100 << 20])));
        }

        string problem = await RouteTests.ProblemAsync(await SendAsync($"{path}/items", bomb.ToArray(), "application/gzip"), HttpStatusCode.RequestEntityTooLarge);
        Assert.Contains("200 times", problem, StringComparison.Ordinal);

        // Packed twice it would be two hundred times that.
        Assert.Contains("twice", await RouteTests.ProblemAsync(await SendAsync($"{path}/items", Pack(bomb.ToArray()), "application/gzip", "gzip"), HttpStatusCode.UnsupportedMediaType), StringComparison.Ordinal);

        // The control: the same file, not packed, is one item that is too large.
        Assert.Contains("limit of", Reason((await PostAsync($"{path}/items", await TarAsync(File("zeros", new byte[2 << 20])), "application/x-tar"))["zeros"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_may_come_as_gzip_and_other_encodings_are_a_415()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        byte[] lines = """{"id":"a","bytes":"AQ=="}"""u8.ToArray();

        Assert.Equal("accepted", (await PostAsync($"{path}/items", Pack(lines), "application/x-ndjson", encoding: true))["a"].GetProperty("outcome").GetString());
        Assert.Single(dataset.Items);
        await RouteTests.ProblemAsync(await SendAsync($"{path}/items", lines, "application/x-ndjson", "br"), HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task One_item_may_come_as_gzip_and_is_stored_as_it_was_before()
    {
        (string path, FakeDataset dataset) = fixture.Dataset(maxItemBytes: 1_000);

        Assert.Equal(HttpStatusCode.Created, (await PutAsync(Pack([1, 2, 3]), "gzip")).StatusCode);
        Assert.Equal([1, 2, 3], dataset.Items["a"].Upload.Bytes);
        await RouteTests.ProblemAsync(await PutAsync([4], "br"), HttpStatusCode.UnsupportedMediaType);
        Assert.Contains("cannot be unpacked", await RouteTests.ProblemAsync(await PutAsync(new byte[20], "gzip"), HttpStatusCode.BadRequest), StringComparison.Ordinal);
        await RouteTests.ProblemAsync(await PutAsync(Pack([4])[..^12], "gzip"), HttpStatusCode.BadRequest);
        // It is small until it is unpacked.
        await RouteTests.ProblemAsync(await PutAsync(Pack(new byte[1_001]), "gzip"), HttpStatusCode.RequestEntityTooLarge);
        Assert.Equal([1, 2, 3], Assert.Single(dataset.Items.Values).Upload.Bytes);

        async Task<HttpResponseMessage> PutAsync(byte[] bytes, string encoding)
        {
            using var content = new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("image/png"), ContentEncoding = { encoding } } };
            return await fixture.Http.PutAsync($"{path}/items/a", content);
        }
    }

    [Fact]
    public async Task Each_file_of_a_form_is_an_item()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        using var form = new MultipartFormDataContent
        {
            { Part("image/webp", 1), "file", "cats/1.png" },
            Named("filename=\"../%222%22.gif\"", 2),
            Named("filename=\"no.gif\"; filename*=UTF-8''%C3%A9t%C3%A9.gif", 4),
            { Part("image/png", new byte[1_001]), "file", "large.png" },
            { new StringContent("words"), "comment" },
            { Part("image/png", 3), "other", "last.png" },
        };

        Dictionary<string, JsonElement> results = await ResultsAsync(await fixture.Http.PostAsync($"{path}/items", form));

        Assert.Equal(["../\"2\".gif", "cats/1.png", "last.png", "été.gif"], dataset.Items.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("image/webp", dataset.Items["cats/1.png"].Upload.MediaType);
        Assert.Equal("image/gif", dataset.Items["../\"2\".gif"].Upload.MediaType);
        Assert.Contains("limit of 1,000 bytes", Reason(results["large.png"]), StringComparison.Ordinal);
        Assert.Contains("Part 5 of the form has no file name", Reason(results[string.Empty]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("multipart/form-data", "--x\r\n", "names no boundary")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; filename=a\r\n\r\nabc", "cut off")]
    [InlineData("multipart/form-data; boundary=x", "--x--\r\n", "holds no file")]
    public async Task A_form_that_is_none_is_a_400(string type, string body, string problem)
    {
        (string path, FakeDataset dataset) = fixture.Dataset();

        Assert.Contains(problem, await RouteTests.ProblemAsync(await SendAsync($"{path}/items", Encoding.ASCII.GetBytes(body), type), HttpStatusCode.BadRequest), StringComparison.Ordinal);
        Assert.Empty(dataset.Items);
    }

    [Fact]
    public async Task Files_of_an_archive_are_classified_in_their_order()
    {
        (string path, FakeDataset dataset) = fixture.Dataset();
        HttpResponseMessage answer = await SendAsync($"{path}/classify", await TarAsync(File("b", 1), File("a", 0)), "application/x-tar");

        string[] lines = (await answer.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n');
        Assert.Equal([("b", 2), ("a", 1)], lines.Select(line => JsonDocument.Parse(line).RootElement).Select(line => (line.GetProperty("id").GetString()!, line.GetProperty("cluster").GetInt32())));
        Assert.Empty(dataset.Items);
    }

    private static PaxTarEntry File(string name, params byte[] bytes) => new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) };

    private static ByteArrayContent Part(string type, params byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return content;
    }

    private static ByteArrayContent Named(string name, params byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Disposition", $"form-data; name=\"file\"; {name}");
        return content;
    }

    private static async Task<byte[]> TarAsync(params TarEntry[] entries)
    {
        using var archive = new MemoryStream();
        await using (var writer = new TarWriter(archive, leaveOpen: true))
        {
            foreach (TarEntry entry in entries)
            {
                await writer.WriteEntryAsync(entry);
            }
        }

        return archive.ToArray();
    }

    // A header of a type and a size: that of an empty file, changed, with its checksum made anew.
    private static async Task<byte[]> HeaderAsync(char type, int size)
    {
        byte[] header = (await TarAsync(new UstarTarEntry(TarEntryType.RegularFile, "header")))[..512];
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0'), header.AsSpan(124));
        header[156] = (byte)type;
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(value => value), 8).PadLeft(6, '0') + "\0 ", header.AsSpan(148));
        return header;
    }

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var pack = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            pack.Write(bytes);
        }

        return packed.ToArray();
    }

    private static string Reason(JsonElement result) => result.GetProperty("reason").GetString()!;

    private static async Task<Dictionary<string, JsonElement>> ResultsAsync(HttpResponseMessage answer)
    {
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return text.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(line => line.GetProperty("id").GetString()!);
    }

    private async Task<Dictionary<string, JsonElement>> PostAsync(string path, byte[] body, string type, bool encoding = false) =>
        await ResultsAsync(await SendAsync(path, body, type, encoding ? "gzip" : null));

    private async Task<HttpResponseMessage> SendAsync(string path, byte[] body, string type, string? encoding = null)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }

        return await fixture.Http.PostAsync(path, content);
    }
}
