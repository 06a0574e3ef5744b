using TorchSharp;

namespace Shoal.Learning.Tests;

public sealed class NeighbourMapTests
{
    private const int Width = 8;

    [Fact]
    public void Neighbours_in_the_plane_are_of_one_kind_when_kinds_lie_apart()
    {
        var (rows, kinds) = Blobs();
        (double X, double Y)[] places = NeighbourMap.Project(rows, Width);
        for (var i = 0; i < places.Length; i++)
        {
            var nearest = Enumerable.Range(0, places.Length).Where(j => j != i)
                .MinBy(j => Math.Pow(places[j].X - places[i].X, 2) + Math.Pow(places[j].Y - places[i].Y, 2));
            Assert.Equal(kinds[i], kinds[nearest]);
        }
    }

    [Fact]
    public void The_same_rows_give_the_same_plane_and_leave_no_tensor()
    {
        var (rows, _) = Blobs();
        (double X, double Y)[] places = NeighbourMap.Project(rows, Width);
        var live = Making.LiveTensors();
        Assert.Equal(places, NeighbourMap.Project(rows, Width));
        Assert.Equal(live, torch.Tensor.TotalCount);
    }

    [Fact]
    public void Too_few_rows_for_the_perplexity_are_refused()
        => Assert.Contains("more than 90 rows of 8", Assert.Throws<ArgumentException>(() => NeighbourMap.Project(new float[90 * Width], Width)).Message, StringComparison.Ordinal);

    // Three kinds around three corners, 40 rows each.
    private static (float[] Rows, int[] Kinds) Blobs()
    {
        var random = new Random(7);
        int[] kinds = [.. Enumerable.Range(0, 120).Select(i => i % 3)];
        return ([.. kinds.SelectMany(kind => Enumerable.Range(0, Width).Select(d => (d == kind ? 1f : 0f) + (0.2f * random.NextSingle())))], kinds);
    }
}
