using System.Buffers.Binary;

namespace Shoal.Benchmarks;

/// <summary>Damages bytes the way that readers stumble over: bits, lengths, blocks, ends.</summary>
/// <param name="seed">Of all choices.</param>
internal sealed class Mutator(int seed)
{
    private const int MostChanges = 8;
    private static readonly long[] Numbers = [0, 1, -1, 127, 128, 255, 256, short.MaxValue, ushort.MaxValue, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue];

    private readonly Random _random = new(seed);

    /// <summary>A damaged copy.</summary>
    /// <param name="source">What is damaged.</param>
    /// <param name="other">What a piece may be taken from.</param>
    public byte[] Mutate(byte[] source, byte[] other)
    {
        List<byte> bytes = [.. source];
        for (var change = 1 + _random.Next(MostChanges); change > 0; change--)
        {
            Change(bytes, other);
        }

        return [.. bytes];
    }

    private void Change(List<byte> bytes, byte[] other)
    {
        if (bytes.Count == 0)
        {
            bytes.Add((byte)_random.Next(256));
            return;
        }

        var at = _random.Next(bytes.Count);
        var length = 1 + _random.Next(Math.Min(64, bytes.Count - at));
        switch (_random.Next(8))
        {
            case 0:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 2:
                Number(bytes, at);
                break;
            case 3:
                bytes.RemoveRange(at, length);
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 5:
                bytes.InsertRange(at, Enumerable.Range(0, length).Select(_ => (byte)_random.Next(256)));
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            default:
                var from = _random.Next(other.Length);
                bytes.InsertRange(at, other.AsSpan(from, Math.Min(length, other.Length - from)).ToArray());
                break;
        }
    }

    // A number that readers take for a length, in one of the widths and orders of bytes.
    private void Number(List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        var value = Numbers[_random.Next(Numbers.Length)];
        if (_random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(number, value);
        }

        var width = 1 << _random.Next(4);
        for (var i = 0; i < width && at + i < bytes.Count; i++)
        {
            bytes[at + i] = number[i];
        }
    }
}
