using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Shoal.Client;

/// <summary>
/// Looks at the headers of a tar archive on their way to the runtime's reader, and ends one whose long names or attributes are longer than
/// any honest ones: the reader would hold them whole, however long the archive says that they are.
/// </summary>
/// <param name="inner">The archive.</param>
internal sealed class TarGuard(Stream inner) : ReadThroughStream(inner)
{
    /// <summary>The most bytes of a long name or of an entry's attributes: names have at most 4,096 on Linux.</summary>
    public const int MostExtra = 64 * 1024;

    private const int BlockBytes = 512;

    // Offsets of POSIX.1-1988 (ustar): the size in octal digits, or in binary where its first bit is set; the type.
    private const int SizeAt = 124;
    private const int SizeBytes = 12;
    private const int TypeAt = 156;

    private readonly byte[] _block = new byte[BlockBytes];
    private readonly List<byte> _attributes = [];
    private int _filled;

    // Bytes that follow before the next header, with what fills up the last block.
    private long _data;
    private bool _isAttributes;

    /// <inheritdoc/>
    protected override void Passed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int part = (int)Math.Min(bytes.Length, _data > 0 ? _data : BlockBytes - _filled);
            if (_data > 0)
            {
                Pass(bytes[..part]);
            }
            else
            {
                bytes[..part].CopyTo(_block.AsSpan(_filled));
                _filled += part;
                if (_filled == BlockBytes)
                {
                    _filled = 0;
                    Begin();
                }
            }

            bytes = bytes[part..];
        }
    }

    private void Begin()
    {
        long size = Size(_block.AsSpan(SizeAt, SizeBytes));
        char type = (char)_block[TypeAt];
        if (type is 'x' or 'g' or 'L' or 'K' && size > MostExtra)
        {
            throw new InvalidDataException($"A name or the attributes of an entry have {size:N0} bytes.");
        }

        _isAttributes = type is 'x' or 'g';
        _attributes.Clear();
        _data = (size + BlockBytes - 1) / BlockBytes * BlockBytes;
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        _data -= bytes.Length;
        if (_isAttributes)
        {
            _attributes.AddRange(bytes);
            // It would say where the next header is, and only files of 8 GiB and more need it: none is an item.
            if (_data == 0 && Encoding.ASCII.GetString([.. _attributes]).Contains(" size=", StringComparison.Ordinal))
            {
                throw new InvalidDataException("An entry has its size among its attributes.");
            }
        }
    }

    private static long Size(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            long size = BinaryPrimitives.ReadInt64BigEndian(field[4..]);
            return size >= 0 ? Math.Min(size, long.MaxValue - BlockBytes) : throw new InvalidDataException("An entry has a negative size.");
        }

        string digits = Encoding.ASCII.GetString(field).Trim('\0', ' ');
        return digits.Length == 0 ? 0 : digits.All(char.IsAsciiDigit) && !digits.AsSpan().ContainsAny('8', '9')
            ? Convert.ToInt64(digits, 8)
            : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"An entry's size is no number: '{digits}'."));
    }
}
