using System.Buffers.Binary;
using System.Text;
using CsCheck;

namespace Shoal.Storage.Tests;

public sealed class SafeTensorsTests
{
    private static byte[] File(string header, int dataBytes)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        return file;
    }

    [Fact]
    public void Tensors_and_metadata_are_read_back()
    {
        TensorEntry[] tensors =
        [
            new("bias", "F32", [3], new byte[12]),
            new("mask \"1\"", "BOOL", [3, 1], new byte[] { 1, 0, 1 }),
            new("weight", "F16", [2, 3], Enumerable.Range(0, 12).Select(i => (byte)i).ToArray()),
            new("step", "I64", [], new byte[8]),
            new("none", "F32", [0, 7], ReadOnlyMemory<byte>.Empty),
        ];
        Dictionary<string, string> metadata = new(StringComparer.Ordinal) { ["version"] = "3", ["größe"] = "42" };
        byte[] file = SafeTensors.Write(tensors, metadata);
        Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(file) % 8);
        (IReadOnlyList<TensorEntry> read, IReadOnlyDictionary<string, string> texts) = SafeTensors.Read(file);
        Assert.Equal(metadata, texts);
        Assert.Equal(tensors.Select(t => t.Name).Order(StringComparer.Ordinal), read.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (TensorEntry tensor in tensors)
        {
            TensorEntry same = read.Single(r => r.Name == tensor.Name);
            Assert.Equal(tensor.DType, same.DType);
            Assert.Equal(tensor.Shape, same.Shape);
            Assert.Equal(tensor.Data.ToArray(), same.Data.ToArray());
        }
    }

    [Theory]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "takes 8 bytes, not 4")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "the tensors end at 4, the data at 8")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9]}}", 4, "data offsets [0, 9]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "data offsets [4, 0]")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6, "overlap")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[4,6]}}", 6, "leave a gap")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "negative dimension")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4611686018427387904,4],\"data_offsets\":[0,0]}}", 0, "not 0")]
    [InlineData("{\"a\":{\"dtype\":\"Q7\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "'Q7' is unknown")]
    [InlineData("{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "has no dtype")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,1]}}", 1, "not the JSON")]
    [InlineData("{\"a\":7}", 0, "not the JSON")]
    [InlineData("[]", 0, "not the JSON")]
    [InlineData("{\"a\":", 0, "not the JSON")]
    [InlineData("{\"__metadata__\":{\"a\":1}}", 0, "not the JSON")]
    public void A_malformed_header_is_refused_with_the_reason(string header, int dataBytes, string reason)
    {
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => SafeTensors.Read(File(header, dataBytes)));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(100_000_001)]
    [InlineData(long.MaxValue)]
    public void A_header_length_that_cannot_be_is_refused(long length)
    {
        byte[] file = new byte[10];
        BinaryPrimitives.WriteInt64LittleEndian(file, length);
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(file));
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(new byte[7]));
    }

    [Fact]
    public void Any_changed_byte_is_read_or_refused_but_never_crashes()
    {
        byte[] file = SafeTensors.Write([new("a", "F32", [2], new byte[8]), new("b", "U8", [3], new byte[3])]);
        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte).Sample(
            (at, value) =>
            {
                byte[] changed = [.. file];
                changed[at] = value;
                Exception? e = Record.Exception(() => SafeTensors.Read(changed));
                return e is null or InvalidDataException;
            },
            seed: "0000KOIPe982", iter: 2000);
    }

    [Fact]
    public void A_tensor_whose_parts_disagree_is_not_written()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => SafeTensors.Write([new("a", "F32", [2], new byte[4])]));
        Assert.StartsWith("Tensor 'a': F32 [2] takes 8 bytes, not 4.", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SafeTensors.Write([new("a", "U8", [], new byte[1]), new("a", "U8", [], new byte[1])]));
    }
}
