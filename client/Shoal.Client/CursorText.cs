using System.Buffers.Text;

namespace Shoal.Client;

/// <summary>Cursors as text that a URL may hold: a format, and what a kind of cursor writes behind it.</summary>
internal static class CursorText
{
    /// <summary>Writes a cursor.</summary>
    /// <param name="format">Tells kinds of cursors apart.</param>
    /// <param name="write">Writes what follows.</param>
    public static string Write(byte format, Action<BinaryWriter> write)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(format);
        write(writer);
        return Base64Url.EncodeToString(bytes.ToArray());
    }

    /// <summary>Reads a cursor; null where the text is none of that format.</summary>
    /// <typeparam name="T">The kind of cursor.</typeparam>
    /// <param name="text">Any text.</param>
    /// <param name="format">As it was written with.</param>
    /// <param name="read">Reads what follows; null where its values make no cursor.</param>
    public static T? Read<T>(string text, byte format, Func<BinaryReader, T?> read)
        where T : class
    {
        if (!Base64Url.IsValid(text))
        {
            return null;
        }

        using var bytes = new MemoryStream(Base64Url.DecodeFromChars(text));
        using var reader = new BinaryReader(bytes);
        try
        {
            return reader.ReadByte() == format && read(reader) is { } cursor && bytes.Position == bytes.Length ? cursor : null;
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException)
        {
            return null;
        }
    }
}
