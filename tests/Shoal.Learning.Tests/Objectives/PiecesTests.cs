using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class PiecesTests
{
    private const int Side = 24;

    public static Tensor AllCells(int samples) => arange(Pieces.Count, ScalarType.Int64).unsqueeze(0).expand(samples, Pieces.Count);

    [Fact]
    public void A_whole_cell_is_enlarged_as_plain_loops_interpolate_it()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var pixels = rand(2, 1, Side, Side);
        var (whole, pieces) = (Making.Floats(pixels), Making.Floats(Pieces.Cut(pixels, AllCells(2), 1, generator)));
        for (var piece = 0; piece < 18; piece++)
        {
            for (var (y, x) = (0, 0); y < Side; (y, x) = x < Side - 1 ? (y, x + 1) : (y + 1, 0))
            {
                var expected = At((y + 0.5) / 3 + (piece % 9 / 3 * 8) - 0.5, (x + 0.5) / 3 + (piece % 3 * 8) - 0.5);
                Assert.Equal(expected, pieces[(piece * Side * Side) + (y * Side) + x], 1e-4);

                double At(double row, double column)
                {
                    var (top, left) = ((int)Math.Floor(row), (int)Math.Floor(column));
                    var (down, right) = (row - top, column - left);
                    return ((1 - down) * (((1 - right) * Pixel(top, left)) + (right * Pixel(top, left + 1)))) + (down * (((1 - right) * Pixel(top + 1, left)) + (right * Pixel(top + 1, left + 1))));
                }

                double Pixel(int row, int column) => whole[(piece / 9 * Side * Side) + (Math.Clamp(row, 0, Side - 1) * Side) + Math.Clamp(column, 0, Side - 1)];
            }
        }
    }

    [Fact]
    public void A_smaller_piece_lies_anywhere_in_its_cell_and_not_outside()
    {
        // Each pixel tells where it is: what a piece shows is where it was.
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var across = arange(Side, ScalarType.Float32).view(1, 1, 1, Side).expand(40, 1, Side, Side);
        float[][] pieces = [.. Making.Floats(Pieces.Cut(across, AllCells(40), 0.5, generator)).Chunk(Side * Side)];
        Assert.All(pieces.Index(), piece => Assert.All(piece.Item, place => Assert.InRange(place, (piece.Index % 3 * 8) - 0.5, (piece.Index % 3 * 8) + 7.5)));
        float[] beginnings = [.. pieces.Index().Where(piece => piece.Index % 3 == 1).Select(piece => piece.Item[0])];
        Assert.True(beginnings.Min() < 8.5 && beginnings.Max() > 10.5, $"{beginnings.Min()} to {beginnings.Max()}");
    }

    [Fact]
    public void Light_and_contrast_of_a_piece_are_taken_away_and_flat_ones_stay_flat()
    {
        using var scope = NewDisposeScope();
        var piece = rand(1, 3, 6, 6);
        var both = Making.Floats(Pieces.Standardised(cat([piece, (piece * 0.3) + 0.6, full_like(piece, 0.7f)])));
        Assert.All(both[..108].Zip(both[108..216]), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.Equal((0.5, 0.25), (Math.Round(both[..108].Average(), 4), Math.Round(Math.Sqrt(both[..108].Average(value => (value - 0.5) * (value - 0.5))), 4)));
        Assert.All(both[216..], value => Assert.Equal(0.5, value, 1e-5));
    }

    [Fact]
    public void Only_the_cells_that_are_asked_for_are_cut_in_the_order_in_which_they_are()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var pixels = rand(2, 1, Side, Side);
        var all = Pieces.Cut(pixels, AllCells(2), 1, generator);
        var some = Pieces.Cut(pixels, tensor(new long[,] { { 8, 0 }, { 3, 5 } }), 1, generator);
        Assert.Equal(Making.Floats(all.index_select(0, tensor(new long[] { 8, 0, 12, 14 }))), Making.Floats(some));
    }
}
