using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class ClusteringTests
{
    [Fact]
    public void Mined_neighbours_are_those_of_a_plain_search()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var embeddings = nn.functional.normalize(randn(40, 6), 2, dim: 1);
        var mined = NeighbourMiner.Mine(embeddings, 3).data<long>().ToArray();
        var rows = Making.Floats(embeddings).Chunk(6).ToArray();
        for (var i = 0; i < 40; i++)
        {
            var expected = Enumerable.Range(0, 40).Where(j => j != i).OrderByDescending(j => rows[i].Zip(rows[j], (a, b) => a * b).Sum()).Take(3).Select(j => (long)j);
            Assert.Equal(expected, mined.Skip(i * 3).Take(3));
        }
    }

    [Fact]
    public void A_refit_finds_clusters_that_are_there()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var centres = nn.functional.normalize(randn(3, 8), 2, dim: 1);
        var embeddings = nn.functional.normalize(centres.repeat(60, 1) + (0.1 * randn(180, 8)), 2, dim: 1);
        using var generator = new Generator(7);
        var neighbours = NeighbourMiner.Mine(embeddings, 5);
        var heads = HeadRefitter.Fit(embeddings, neighbours, clusters: 3, restarts: 3, scale: 10, balance: 5, generator);
        var losses = HeadRefitter.Losses(embeddings, neighbours, heads, scale: 10, balance: 5);
        var best = heads[Array.IndexOf(losses, losses.Min())];
        var slots = ClusterHead.LogProbabilities(embeddings, best.unsqueeze(0), 10).argmax(2).flatten().data<long>().ToArray();
        var scores = ClusterScores.Of(Array.ConvertAll(slots, slot => (int)slot), [.. Enumerable.Range(0, 180).Select(i => i % 3)]);
        Assert.Equal(1, scores.Accuracy, 6);
    }
}
