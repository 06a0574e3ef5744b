using System.Buffers.Binary;
using System.Text.Json;

namespace Shoal.Storage;

/// <summary>One tensor in a safetensors file.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="DType">Its element type as the format writes it: F32, F16, BF16, F64, I64, I32, I16, I8, U8, BOOL, ...</param>
/// <param name="Shape">Its shape; empty for a scalar.</param>
/// <param name="Data">Its elements, little-endian, row by row.</param>
public sealed record TensorEntry(string Name, string DType, long[] Shape, ReadOnlyMemory<byte> Data);

/// <summary>Reads and writes safetensors, the format that Python's tools open directly.</summary>
/// <remarks>
/// The format: 8 bytes of header length (little-endian), a JSON header padded with spaces to 8 bytes, then the data of all tensors
/// without gaps (https://github.com/huggingface/safetensors). Reading copies no data and allocates in proportion to the header.
/// </remarks>
public static class SafeTensors
{
    /// <summary>Longest header, in bytes: the limit of the reference implementation.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private const int LengthBytes = 8;
    private const int Alignment = 8;
    private const string MetadataKey = "__metadata__";

    private static readonly Dictionary<string, int> ElementBytes = new(StringComparer.Ordinal)
    {
        ["BOOL"] = 1,
        ["U8"] = 1,
        ["I8"] = 1,
        ["F8_E5M2"] = 1,
        ["F8_E4M3"] = 1,
        ["U16"] = 2,
        ["I16"] = 2,
        ["F16"] = 2,
        ["BF16"] = 2,
        ["U32"] = 4,
        ["I32"] = 4,
        ["F32"] = 4,
        ["U64"] = 8,
        ["I64"] = 8,
        ["F64"] = 8,
        ["C64"] = 8,
    };

    /// <summary>Writes tensors. Like the reference, it orders them by element size, largest first, and then by name, so that all stand aligned.</summary>
    /// <param name="tensors">The tensors.</param>
    /// <param name="metadata">Texts to go with them, if any.</param>
    /// <exception cref="ArgumentException">A tensor's name, type, shape and data do not agree.</exception>
    public static byte[] Write(IEnumerable<TensorEntry> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        List<TensorEntry> ordered = [.. tensors];
        HashSet<string> names = new(StringComparer.Ordinal);
        long dataBytes = 0;
        foreach (TensorEntry tensor in ordered)
        {
            string? problem = string.Equals(tensor.Name, MetadataKey, StringComparison.Ordinal) || !names.Add(tensor.Name)
                ? "the name is taken" : SizeProblem(tensor.DType, tensor.Shape, tensor.Data.Length);
            if (problem is not null)
            {
                throw new ArgumentException($"Tensor '{tensor.Name}': {problem}.", nameof(tensors));
            }

            dataBytes += tensor.Data.Length;
        }

        ordered.Sort((a, b) => ElementBytes[b.DType].CompareTo(ElementBytes[a.DType]) is var bySize and not 0
            ? bySize : string.CompareOrdinal(a.Name, b.Name));
        byte[] header = WriteHeader(ordered, metadata);
        int padded = (header.Length + Alignment - 1) / Alignment * Alignment;
        if (padded > MaxHeaderBytes || LengthBytes + padded + dataBytes > Array.MaxLength)
        {
            throw new ArgumentException(
                $"The file would take {LengthBytes + padded + dataBytes} bytes, its header {padded}; write several files.", nameof(tensors));
        }

        byte[] file = new byte[LengthBytes + padded + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, padded);
        header.CopyTo(file, LengthBytes);
        file.AsSpan(LengthBytes + header.Length, padded - header.Length).Fill((byte)' ');
        int at = LengthBytes + padded;
        foreach (TensorEntry tensor in ordered)
        {
            tensor.Data.CopyTo(file.AsMemory(at));
            at += tensor.Data.Length;
        }

        return file;
    }

    /// <summary>Reads tensors; their data are slices of <paramref name="file"/>.</summary>
    /// <param name="file">The whole file.</param>
    /// <returns>The tensors in the order of their data, and the metadata (empty when there are none).</returns>
    /// <exception cref="InvalidDataException">The file is malformed; the message says how.</exception>
    public static (IReadOnlyList<TensorEntry> Tensors, IReadOnlyDictionary<string, string> Metadata) Read(ReadOnlyMemory<byte> file)
    {
        if (file.Length < LengthBytes)
        {
            throw Malformed($"{file.Length} bytes hold no header length");
        }

        ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        if (headerBytes > MaxHeaderBytes || headerBytes > (ulong)(file.Length - LengthBytes))
        {
            throw Malformed($"the header claims {headerBytes} bytes; the file has {file.Length - LengthBytes} and {MaxHeaderBytes} are allowed");
        }

        ReadOnlyMemory<byte> data = file[(LengthBytes + (int)headerBytes)..];
        try
        {
            using JsonDocument header = JsonDocument.Parse(file.Slice(LengthBytes, (int)headerBytes), new JsonDocumentOptions { MaxDepth = 8 });
            return ReadHeader(header.RootElement, data);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw Malformed($"the header is not the JSON that the format asks for ({e.Message})", e);
        }
    }

    private static byte[] WriteHeader(List<TensorEntry> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            foreach (TensorEntry tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.DType);
                WriteNumbers(json, "shape", tensor.Shape);
                WriteNumbers(json, "data_offsets", [offset, offset + tensor.Data.Length]);
                json.WriteEndObject();
                offset += tensor.Data.Length;
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, long[] numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static (IReadOnlyList<TensorEntry> Tensors, IReadOnlyDictionary<string, string> Metadata) ReadHeader(
        JsonElement root, ReadOnlyMemory<byte> data)
    {
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        List<(long Begin, TensorEntry Tensor)> found = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!names.Add(property.Name))
            {
                throw Malformed($"'{property.Name}' occurs twice");
            }

            if (string.Equals(property.Name, MetadataKey, StringComparison.Ordinal))
            {
                foreach (JsonProperty text in property.Value.EnumerateObject())
                {
                    metadata[text.Name] = text.Value.GetString() ?? throw Malformed($"metadata '{text.Name}' is null");
                }
            }
            else
            {
                found.Add(ReadTensor(property, data));
            }
        }

        found.Sort((a, b) => (a.Begin, a.Tensor.Data.Length).CompareTo((b.Begin, b.Tensor.Data.Length)));
        long end = 0;
        foreach ((long begin, TensorEntry tensor) in found)
        {
            if (begin != end)
            {
                throw Malformed($"tensor '{tensor.Name}' starts at {begin} where the data before it end at {end}: they {(begin < end ? "overlap" : "leave a gap")}");
            }

            end += tensor.Data.Length;
        }

        return end == data.Length
            ? (found.ConvertAll(f => f.Tensor), metadata)
            : throw Malformed($"the tensors end at {end}, the data at {data.Length}");
    }

    private static (long Begin, TensorEntry Tensor) ReadTensor(JsonProperty property, ReadOnlyMemory<byte> data)
    {
        string dtype = Member(property, "dtype").GetString() ?? "";
        long[] shape = Numbers(Member(property, "shape"));
        long[] offsets = Numbers(Member(property, "data_offsets"));
        if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > data.Length)
        {
            throw Malformed($"tensor '{property.Name}' has the data offsets [{string.Join(", ", offsets)}]; the data have {data.Length} bytes");
        }

        if (SizeProblem(dtype, shape, offsets[1] - offsets[0]) is { } problem)
        {
            throw Malformed($"tensor '{property.Name}': {problem}");
        }

        return (offsets[0], new TensorEntry(property.Name, dtype, shape, data[(int)offsets[0]..(int)offsets[1]]));
    }

    private static JsonElement Member(JsonProperty tensor, string name) =>
        tensor.Value.TryGetProperty(name, out JsonElement value) ? value : throw Malformed($"tensor '{tensor.Name}' has no {name}");

    private static long[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetInt64())];

    private static string? SizeProblem(string dtype, long[] shape, long bytes)
    {
        if (!ElementBytes.TryGetValue(dtype, out int size))
        {
            return $"the element type '{dtype}' is unknown";
        }

        UInt128 expected = (UInt128)size;
        foreach (long dimension in shape)
        {
            if (dimension < 0)
            {
                return $"the shape [{string.Join(", ", shape)}] has a negative dimension";
            }

            // Past 2^64 it cannot match any more; stopping there keeps the product from overflowing.
            expected = expected > ulong.MaxValue ? expected : expected * (UInt128)dimension;
        }

        return expected == (UInt128)bytes ? null : $"{dtype} [{string.Join(", ", shape)}] takes {expected} bytes, not {bytes}";
    }

    private static InvalidDataException Malformed(string what, Exception? inner = null) => new($"Not a safetensors file: {what}.", inner);
}
