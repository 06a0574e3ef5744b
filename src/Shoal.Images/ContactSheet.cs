namespace Shoal.Media;

/// <summary>Draws many spectrograms as one picture: a row for each group, its number at the left.</summary>
public static class ContactSheet
{
    private const int Gap = 4;
    private const byte Ground = 24;
    private const byte Ink = 220;

    // A digit is 3 x 5 dots, each of so many pixels.
    private const int Dot = 4;
    private const int DigitWidth = 4 * Dot;

    // Five rows of three bits, the left dot first.
    private static readonly int[][] Digits =
    [
        [7, 5, 5, 5, 7], [2, 6, 2, 2, 7], [7, 1, 7, 4, 7], [7, 1, 7, 1, 7], [5, 5, 7, 1, 1],
        [7, 4, 7, 1, 7], [7, 4, 7, 5, 7], [7, 1, 2, 2, 2], [7, 5, 7, 5, 7], [7, 5, 7, 1, 7],
    ];

    /// <summary>Draws a sheet as PNG.</summary>
    /// <param name="rows">Of each row its number, 0 and up, and its pictures: uint8 [side, side] each, 255 the loudest.</param>
    /// <param name="side">Width and height of each picture in pixels, 20 and more: a digit is as high.</param>
    /// <exception cref="ArgumentException">There is no row, or a picture has another size.</exception>
    public static byte[] Draw(IReadOnlyList<(long Number, IReadOnlyList<byte[]> Pictures)> rows, int side)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 5 * Dot);
        if (rows.Count == 0)
        {
            throw new ArgumentException("There is no row to draw.", nameof(rows));
        }

        var margin = (rows.Max(row => Text(row.Number).Length) * DigitWidth) + (2 * Gap);
        var sheet = new Sheet(margin + (rows.Max(row => row.Pictures.Count) * (side + Gap)), Gap + (rows.Count * (side + Gap)));
        for (var row = 0; row < rows.Count; row++)
        {
            var top = Gap + (row * (side + Gap));
            sheet.Write(Text(rows[row].Number), Gap, top + ((side - (5 * Dot)) / 2));
            for (var i = 0; i < rows[row].Pictures.Count; i++)
            {
                if (rows[row].Pictures[i].Length != side * side)
                {
                    throw new ArgumentException($"Picture {i} of row {row} has {rows[row].Pictures[i].Length} cells; must be {side * side} ({side} x {side}).", nameof(rows));
                }

                sheet.Paint(rows[row].Pictures[i], margin + (i * (side + Gap)), top, side);
            }
        }

        return sheet.Encode();
    }

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    // uint8 [3, height, width].
    private sealed class Sheet
    {
        private readonly int _width;
        private readonly int _height;
        private readonly byte[] _pixels;

        public Sheet(int width, int height)
        {
            (_width, _height, _pixels) = (width, height, new byte[3 * width * height]);
            Array.Fill(_pixels, Ground);
        }

        public void Paint(byte[] levels, int left, int top, int side)
        {
            for (var i = 0; i < levels.Length; i++)
            {
                Set(left + (i % side), top + (i / side), LoudnessColours.Of(levels[i]));
            }
        }

        public void Write(string digits, int left, int top)
        {
            for (var i = 0; i < digits.Length; i++)
            {
                int[] shape = Digits[digits[i] - '0'];
                for (var pixel = 0; pixel < 15 * Dot * Dot; pixel++)
                {
                    var (x, y) = (pixel % (3 * Dot), pixel / (3 * Dot));
                    if ((shape[y / Dot] & (4 >> (x / Dot))) != 0)
                    {
                        Set(left + (i * DigitWidth) + x, top + y, (Ink, Ink, Ink));
                    }
                }
            }
        }

        public byte[] Encode() => Png.Encode(_pixels, _width, _height, channels: 3);

        private void Set(int x, int y, (byte Red, byte Green, byte Blue) colour)
        {
            var (plane, i) = (_width * _height, (y * _width) + x);
            (_pixels[i], _pixels[plane + i], _pixels[(2 * plane) + i]) = colour;
        }
    }
}
