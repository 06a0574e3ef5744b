using System.IO.Compression;
using System.Text;
using Parquet;
using Parquet.Schema;
using Shoal.Contracts;

namespace Shoal.Client.Tests;

/// <summary>Exports, read back by other code than what wrote them.</summary>
public sealed class ExportTests(SiloFixture fixture)
{
    [Theory]
    [InlineData("plain/1.png", "plain/1.png")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"so\"", "\"say \"\"so\"\"\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"")]
    [InlineData("a=b", "a=b")]
    [InlineData("", "")]
    public void A_field_is_quoted_where_it_must_be_and_is_no_formula(string text, string field) => Assert.Equal(field, CsvExport.Field(text));

    [Fact]
    public async Task Assignments_are_lines_of_csv_one_an_item()
    {
        string name = await DatasetAsync();
        string[] lines = Encoding.UTF8.GetString(await ExportAsync(name, ExportFormat.Csv, ExportContent.Assignments)).TrimEnd('\n').Split('\n');

        Assert.Equal("id,state,cluster,cluster_name,confidence,model_version,stored", lines[0]);
        Assert.Equal(31, lines.Length);
        Assert.Contains("item/4,assigned,2,\"the, usual\",0.9,7,1970-01-01T00:00:05.000Z", lines);
        Assert.Contains("'=item/29,pending,,,,0,1970-01-01T00:00:30.000Z", lines);
        Assert.Equal(30, lines.Skip(1).Select(line => line.Split(',')[0]).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Embeddings_are_lines_of_csv_one_column_a_value()
    {
        string name = await DatasetAsync();
        string[] lines = Encoding.UTF8.GetString(await ExportAsync(name, ExportFormat.Csv, ExportContent.Embeddings)).TrimEnd('\n').Split('\n');

        Assert.Equal("id,model_version,e0,e1", lines[0]);
        Assert.Equal(30, lines.Length);
        Assert.Contains("item/4,7,0.015625,-1", lines);
    }

    [Fact]
    public async Task Assignments_come_back_from_parquet()
    {
        string name = await DatasetAsync();
        using var file = new MemoryStream(await ExportAsync(name, ExportFormat.Parquet, ExportContent.Assignments));
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        DataField[] fields = reader.Schema.GetDataFields();
        Assert.Equal(["id", "state", "cluster", "cluster_name", "confidence", "model_version", "stored"], fields.Select(field => field.Name));
        using ParquetRowGroupReader rows = reader.OpenRowGroupReader(0);
        int count = (int)rows.RowCount;
        Assert.Equal((1, 30), (reader.RowGroupCount, count));
        (string[] ids, string[] states, string[] names, long?[] clusters, float?[] confidences, int[] versions, DateTime[] stored) =
            (new string[count], new string[count], new string[count], new long?[count], new float?[count], new int[count], new DateTime[count]);
        await rows.ReadAsync(fields[0], ids);
        await rows.ReadAsync(fields[1], states);
        await rows.ReadAsync<long>(fields[2], clusters);
        await rows.ReadAsync(fields[3], names);
        await rows.ReadAsync<float>(fields[4], confidences);
        await rows.ReadAsync<int>(fields[5], versions);
        await rows.ReadAsync<DateTime>(fields[6], stored);

        // Ids are as they were sent: nothing runs a Parquet file.
        Assert.Equal(Ids().Order(StringComparer.Ordinal), ids.Order(StringComparer.Ordinal));
        (int four, int last) = (Array.IndexOf(ids, "item/4"), Array.IndexOf(ids, "=item/29"));
        Assert.Equal(("assigned", 2L, "the, usual", 0.9f, 7, DateTime.UnixEpoch.AddSeconds(5)), (states[four], clusters[four], names[four], confidences[four], versions[four], stored[four]));
        Assert.Equal(("pending", null, null, null, 0), (states[last], clusters[last], names[last], confidences[last], versions[last]));
    }

    [Fact]
    public async Task Embeddings_come_back_from_parquet_as_lists()
    {
        string name = await DatasetAsync();
        using var file = new MemoryStream(await ExportAsync(name, ExportFormat.Parquet, ExportContent.Embeddings));
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        DataField[] fields = reader.Schema.GetDataFields();
        using ParquetRowGroupReader rows = reader.OpenRowGroupReader(0);
        var ids = new string[29];
        (float[] values, int[] levels, int[] there) = (new float[58], new int[58], new int[58]);
        await rows.ReadAsync(fields[0], ids);
        await rows.ReadRawAsync<float>(fields[2], values, there, levels);

        Assert.Equal(29, rows.RowCount);
        Assert.Equal([.. Enumerable.Repeat(new[] { 0, 1 }, 29).SelectMany(pair => pair)], levels);
        Assert.All(there, level => Assert.Equal(1, level));
        int four = Array.IndexOf(ids, "item/4");
        Assert.Equal([4 / 256f, -1], values[(2 * four)..((2 * four) + 2)]);
    }

    [Fact]
    public async Task Embeddings_are_arrays_of_numpy_in_a_zip()
    {
        string name = await DatasetAsync();
        using var zip = new ZipArchive(new MemoryStream(await ExportAsync(name, ExportFormat.Npz, ExportContent.Embeddings)));
        Assert.Equal(["ids_0000.npy", "versions_0000.npy", "embeddings_0000.npy"], zip.Entries.Select(entry => entry.Name));
        (string header, byte[] values) = await ArrayAsync(zip.Entries[0]);
        Assert.Equal("{'descr': '<U7', 'fortran_order': False, 'shape': (29,), }", header.TrimEnd());
        string[] ids = [.. values.Chunk(28).Select(id => Encoding.UTF32.GetString(id).TrimEnd('\0'))];
        Assert.Equal(Ids().SkipLast(1).Order(StringComparer.Ordinal), ids.Order(StringComparer.Ordinal));
        (header, values) = await ArrayAsync(zip.Entries[1]);
        Assert.Equal("{'descr': '<i4', 'fortran_order': False, 'shape': (29,), }", header.TrimEnd());
        Assert.All(values.Chunk(4), version => Assert.Equal(7, BitConverter.ToInt32(version)));
        (header, values) = await ArrayAsync(zip.Entries[2]);
        Assert.Equal("{'descr': '<f2', 'fortran_order': False, 'shape': (29, 2), }", header.TrimEnd());
        int four = Array.IndexOf(ids, "item/4");
        Assert.Equal([(Half)(4 / 256f), (Half)(-1)], new[] { 0, 2 }.Select(at => BitConverter.ToHalf(values, (4 * four) + at)));

        static async Task<(string Header, byte[] Values)> ArrayAsync(ZipArchiveEntry entry)
        {
            using var bytes = new MemoryStream();
            await using Stream array = await entry.OpenAsync();
            await array.CopyToAsync(bytes);
            byte[] all = bytes.ToArray();
            Assert.Equal([0x93, .. "NUMPY"u8, 1, 0], all[..8]);
            int length = BitConverter.ToUInt16(all, 8);
            // The specification: magic, length and header together are a multiple of 64, and the header ends with a line feed.
            Assert.Equal((0, (byte)'\n'), ((10 + length) % 64, all[9 + length]));
            return (Encoding.ASCII.GetString(all, 10, length), all[(10 + length)..]);
        }
    }

    [Fact]
    public async Task An_empty_dataset_is_a_file_without_rows()
    {
        (string name, _) = await fixture.DatasetAsync();
        Assert.Equal("id,state,cluster,cluster_name,confidence,model_version,stored\n", Encoding.UTF8.GetString(await ExportAsync(name, ExportFormat.Csv, ExportContent.Assignments)));
        using var file = new MemoryStream(await ExportAsync(name, ExportFormat.Parquet, ExportContent.Embeddings));
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        Assert.Equal(0, reader.RowGroupCount);
        using var zip = new ZipArchive(new MemoryStream(await ExportAsync(name, ExportFormat.Npz, ExportContent.Embeddings)));
        Assert.Empty(zip.Entries);
    }

    [Fact]
    public async Task What_cannot_be_exported_is_said()
    {
        ShoalException failure = await Assert.ThrowsAsync<ShoalException>(() => ExportAsync("any", ExportFormat.Npz, ExportContent.Assignments));
        Assert.Equal(ShoalErrorKind.Invalid, failure.Kind);
        failure = await Assert.ThrowsAsync<ShoalException>(() => ExportAsync("no-such", ExportFormat.Csv, ExportContent.Assignments));
        Assert.Equal(ShoalErrorKind.NotFound, failure.Kind);
    }

    private static IEnumerable<string> Ids() => Enumerable.Range(0, 30).Select(i => i == 29 ? "=item/29" : $"item/{i}");

    // Thirty items, the last one pending and named like a formula.
    private async Task<string> DatasetAsync()
    {
        (string name, _) = await fixture.DatasetAsync();
        foreach ((int i, string id) in Ids().Index())
        {
            await fixture.Client.PutAsync(name, SiloFixture.Item(id, i == 29 ? (byte)255 : (byte)i));
        }

        await fixture.Client.NameClusterAsync(name, 2, "the, usual");
        return name;
    }

    private async Task<byte[]> ExportAsync(string name, ExportFormat format, ExportContent content)
    {
        // Like a response: written to only, and without a position.
        using var file = new MemoryStream();
        await using (var forward = new ForwardOnly(file))
        {
            await fixture.Client.ExportAsync(name, format, content, forward);
        }

        return file.ToArray();
    }

    private sealed class ForwardOnly(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => inner.WriteAsync(buffer, offset, count, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush() => throw new InvalidOperationException("A server refuses what is not asynchronous.");

        public override void Write(byte[] buffer, int offset, int count) => throw new InvalidOperationException("A server refuses what is not asynchronous.");

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
