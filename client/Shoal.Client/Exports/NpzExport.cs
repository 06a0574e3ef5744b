using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Writes embeddings as a zip of numpy arrays, which <c>numpy.load</c> opens.</summary>
/// <remarks>
/// The header of an array says how many rows follow, and nobody knows that before all shards are read. So the arrays come in parts of some
/// thousand rows, each written when it is whole: <c>ids_0000</c>, <c>versions_0000</c>, <c>embeddings_0000</c>, and so on. The format is that
/// of https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0.
/// </remarks>
internal static class NpzExport
{
    // The header is filled up with spaces to a multiple of this.
    private const int Alignment = 64;

    /// <summary>Writes embeddings, a part of each array for each part that comes.</summary>
    /// <param name="embeddings">The embeddings, some thousand at a time.</param>
    /// <param name="output">Where to; it stays open.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task EmbeddingsAsync(IAsyncEnumerable<EmbeddingSlice> embeddings, Stream output, CancellationToken cancellationToken)
    {
        // A zip writes the end of an entry at once and not asynchronously, which a server's response refuses.
        await using var drained = new DrainedStream(output);
        await using (ZipArchive zip = await ZipArchive.CreateAsync(drained, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellationToken))
        {
            int number = 0;
            await foreach (EmbeddingSlice part in embeddings.WithCancellation(cancellationToken))
            {
                (int width, byte[] ids) = Ids(part.Ids);
                await AddAsync(zip, $"ids_{number:D4}", $"<U{width}", $"{part.Ids.Length},", ids);
                await AddAsync(zip, $"versions_{number:D4}", "<i4", $"{part.Versions.Length},", MemoryMarshal.AsBytes(part.Versions.AsSpan()).ToArray());
                await AddAsync(zip, $"embeddings_{number:D4}", "<f2", $"{part.Ids.Length}, {part.Width}", part.Embeddings);
                await drained.DrainAsync(cancellationToken);
                number++;
            }
        }

        await drained.DrainAsync(cancellationToken);

        async Task AddAsync(ZipArchive zip, string name, string type, string shape, byte[] values)
        {
            // Embeddings look like noise: packing them costs time and saves nothing.
            ZipArchiveEntry entry = zip.CreateEntry(name + ".npy", CompressionLevel.NoCompression);
            await using Stream array = await entry.OpenAsync(cancellationToken);
            await array.WriteAsync(Header(type, shape), cancellationToken);
            await array.WriteAsync(values, cancellationToken);
        }
    }

    // Text of one width, filled up with zeros, four bytes a character: numpy's only text that is not bytes.
    private static (int Width, byte[] Values) Ids(string[] ids)
    {
        byte[][] encoded = Array.ConvertAll(ids, Encoding.UTF32.GetBytes);
        int bytes = encoded.Max(id => id.Length);
        byte[] values = new byte[ids.Length * bytes];
        for (int row = 0; row < ids.Length; row++)
        {
            encoded[row].CopyTo(values, row * bytes);
        }

        return (bytes / sizeof(int), values);
    }

    private static byte[] Header(string type, string shape)
    {
        string text = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({shape}), }}";
        ReadOnlySpan<byte> magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];
        int before = magic.Length + sizeof(ushort);
        int whole = (before + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        byte[] header = new byte[whole];
        header.AsSpan().Fill((byte)' ');
        magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(magic.Length), checked((ushort)(whole - before)));
        Encoding.ASCII.GetBytes(text, header.AsSpan(before));
        header[^1] = (byte)'\n';
        return header;
    }
}
