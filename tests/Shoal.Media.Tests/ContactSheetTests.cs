using SkiaSharp;

namespace Shoal.Media.Tests;

public sealed class ContactSheetTests
{
    private const int Side = 24;

    [Fact]
    public void Each_row_has_its_number_and_its_pictures_where_they_belong()
    {
        byte[] dark = new byte[Side * Side];
        byte[] light = [.. Enumerable.Repeat((byte)255, Side * Side)];
        byte[] corner = new byte[Side * Side];
        corner[0] = 255;

        using SKBitmap sheet = SKBitmap.Decode(ContactSheet.Draw([(7, [dark, light]), (12, [corner])], Side));

        // Two digits of 16 pixels and a gap of 4 at each side, then the pictures with 4 between them.
        Assert.Equal((40 + (2 * 28), 4 + (2 * 28)), (sheet.Width, sheet.Height));
        SKColor ground = sheet.GetPixel(0, 0);
        SKColor loud = Colour(255);
        Assert.Equal(Colour(0), sheet.GetPixel(40, 4));
        Assert.Equal(ground, sheet.GetPixel(64, 4));
        Assert.Equal(loud, sheet.GetPixel(68, 4));
        Assert.Equal(loud, sheet.GetPixel(91, 27));
        Assert.Equal((loud, Colour(0)), (sheet.GetPixel(40, 32), sheet.GetPixel(41, 32)));
        Assert.Equal(ground, sheet.GetPixel(80, 40));

        // A seven is a bar above and nothing at the left of the middle; a one is nothing at the upper left.
        Assert.NotEqual(ground, sheet.GetPixel(4, 6));
        Assert.Equal(ground, sheet.GetPixel(4, 14));
        Assert.Equal(ground, sheet.GetPixel(4, 34));
        Assert.NotEqual(ground, sheet.GetPixel(8, 34));
    }

    [Fact]
    public void What_cannot_be_drawn_says_what_is_wrong()
    {
        Assert.Contains("no row", Assert.Throws<ArgumentException>(() => ContactSheet.Draw([], Side)).Message, StringComparison.Ordinal);
        Assert.Contains("has 9 cells; must be 576 (24 x 24)", Assert.Throws<ArgumentException>(() => ContactSheet.Draw([(1, [new byte[9]])], Side)).Message, StringComparison.Ordinal);
    }

    private static SKColor Colour(byte level)
    {
        (byte red, byte green, byte blue) = Spectrograms.ColourOf(level);
        return new SKColor(red, green, blue);
    }
}
