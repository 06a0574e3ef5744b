using System.Numerics;
using System.Runtime.InteropServices;

namespace Shoal.Storage;

/// <summary>CRC-32C (Castagnoli) by the processor's instruction; System.IO.Hashing has only the other polynomial.</summary>
internal static class Crc32C
{
    internal const uint Start = 0xFFFF_FFFF;

    internal static uint Add(uint crc, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte b in data[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return crc;
    }

    internal static uint Of(ReadOnlySpan<byte> data) => ~Add(Start, data);
}
