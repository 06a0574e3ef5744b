using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace Shoal.Storage.Tests;

/// <summary>Makes entries whose content follows from their id.</summary>
internal static class Entries
{
    public static LogEntry Of(string id, int bytes = 100, int version = 0)
    {
        byte[] content = new byte[bytes];
        new Random(HashCode(id) + version).NextBytes(content);
        Dictionary<string, string> metadata = new(StringComparer.Ordinal) { ["source"] = "test", ["größe"] = "42" };
        return new LogEntry(id, "image/png", content, metadata, ContentHash(content), IdHash(id));
    }

    public static LogEntry[] Many(int from, int count, int bytes = 100) =>
        [.. Enumerable.Range(from, count).Select(i => Of($"item-{i}", bytes))];

    public static UInt128 IdHash(string id) => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(id));

    public static UInt128 ContentHash(byte[] content) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(content));

    private static int HashCode(string id) => (int)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(id));
}
