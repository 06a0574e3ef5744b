namespace Shoal.Learning.Tests;

public sealed class ClusterScoresTests
{
    [Fact]
    public void Renamed_classes_are_perfect()
    {
        var scores = ClusterScores.Of([2, 2, 0, 0, 1], [0, 0, 1, 1, 2]);
        Assert.Equal(1, scores.Accuracy, 12);
        Assert.Equal(1, scores.Purity, 12);
        Assert.Equal(1, scores.NormalizedMutualInformation, 12);
        Assert.Equal(1, scores.AdjustedRandIndex, 12);
    }

    [Fact]
    public void A_hand_computed_case_comes_out()
    {
        // Cluster 0 holds classes 0 0 1, cluster 1 holds 0 1 1: table [[2, 1], [1, 2]].
        var scores = ClusterScores.Of([0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1]);
        Assert.Equal(4.0 / 6, scores.Accuracy, 12);
        Assert.Equal(4.0 / 6, scores.Purity, 12);

        // I = 2·(2/6)·ln(4/3) + 2·(1/6)·ln(2/3); both entropies are ln 2.
        Assert.Equal(((2.0 / 3 * Math.Log(4.0 / 3)) + (1.0 / 3 * Math.Log(2.0 / 3))) / Math.Log(2), scores.NormalizedMutualInformation, 12);

        // Pairs: in both 1 + 1, in rows 6, in columns 6, of 15: (2 - 2.4) / (6 - 2.4).
        Assert.Equal(-0.4 / 3.6, scores.AdjustedRandIndex, 12);
    }

    [Fact]
    public void More_clusters_than_classes_cost_accuracy_but_not_purity()
    {
        var scores = ClusterScores.Of([0, 1, 2, 3], [0, 0, 1, 1]);
        Assert.Equal(0.5, scores.Accuracy, 12);
        Assert.Equal(1, scores.Purity, 12);
    }

    [Fact]
    public void An_item_in_no_cluster_is_never_right()
    {
        var scores = ClusterScores.Of([0, 0, -1, 1], [0, 0, 0, 1]);
        Assert.Equal(0.75, scores.Accuracy, 12);
        Assert.Equal(0.75, scores.Purity, 12);
        Assert.Equal(((2.0 / 3) + 1) / 2, scores.BalancedAccuracy, 12);
        Assert.Equal([2.0 / 3, 1], ClusterScores.Recalls([0, 0, -1, 1], [0, 0, 0, 1], 2));

        // A class of its own is no match for none.
        Assert.Equal(0.5, ClusterScores.Of([0, -1], [0, 1]).Accuracy, 12);
        Assert.Equal(0, ClusterScores.Of([-1, -1], [0, 1]).Accuracy, 12);
        Assert.True(scores.AdjustedRandIndex < 1 && scores.NormalizedMutualInformation < 1);
    }

    [Fact]
    public void A_rare_class_counts_as_much_as_a_frequent_one_when_balanced()
    {
        // Class 0 four of four, class 1 none of one: it is in the other's cluster. Empty cluster 2 is given to nobody.
        var scores = ClusterScores.Of([0, 0, 0, 0, 0], [0, 0, 0, 0, 1]);
        Assert.Equal(0.8, scores.Accuracy, 12);
        Assert.Equal(0.5, scores.BalancedAccuracy, 12);

        // More clusters than classes, of which one class has none of its own: 2/2 and 1/3.
        Assert.Equal(((2.0 / 2) + (1.0 / 3)) / 2, ClusterScores.Of([0, 0, 1, 2, 3], [0, 0, 1, 1, 1]).BalancedAccuracy, 12);
    }

    [Fact]
    public void One_cluster_for_all_knows_nothing()
    {
        var scores = ClusterScores.Of([0, 0, 0, 0], [0, 0, 1, 1]);
        Assert.Equal(0.5, scores.Accuracy, 12);
        Assert.Equal(0, scores.NormalizedMutualInformation, 12);
        Assert.Equal(0, scores.AdjustedRandIndex, 12);
    }

    [Fact]
    public void The_matching_that_is_returned_is_the_one_that_accuracy_counts()
    {
        // Cluster 1 is class 0's, cluster 3 class 1's; class 2 has no cluster left that is not better used.
        int[] clusters = [1, 1, 3, 3, 3, 1];
        int[] classes = [0, 0, 1, 1, 1, 2];
        int[] matched = ClusterScores.Match(clusters, classes);
        Assert.Equal([1, 3], matched[..2]);
        Assert.DoesNotContain(matched[2], new[] { 1, 3 });
        Assert.Equal(ClusterScores.Of(clusters, classes).Accuracy, clusters.Zip(classes).Count(i => matched[i.Second] == i.First) / 6.0, 12);
        Assert.Equal([0, -1], ClusterScores.Match([0, 0, 0], [0, 0, 1]));
    }

    [Fact]
    public void A_class_is_recalled_in_every_cluster_that_is_called_after_it()
    {
        // Clusters 0 and 1 are class 0's, cluster 2 is class 2's by three to two; class 1 has no items, class 3 neither.
        double[] recalls = ClusterScores.Recalls([0, 0, 1, 2, 2, 2, 2, 2], [0, 0, 0, 0, 0, 2, 2, 2], kinds: 4);
        Assert.Equal(3.0 / 5, recalls[0], 12);
        Assert.Equal(double.NaN, recalls[1]);
        Assert.Equal(1, recalls[2], 12);
        Assert.Equal(double.NaN, recalls[3]);
    }

    [Fact]
    public void Purity_is_the_mean_of_recalls_when_classes_are_equally_frequent()
    {
        var random = new Random(11);
        int[] classes = [.. Enumerable.Range(0, 400).Select(i => i % 4)];
        int[] clusters = [.. classes.Select(kind => random.Next(3) == 0 ? random.Next(6) : kind)];
        Assert.Equal(ClusterScores.Of(clusters, classes).Purity, ClusterScores.Recalls(clusters, classes, 4).Average(), 12);
    }

    [Fact]
    public void Unequal_lengths_are_refused()
        => Assert.Contains("1 clusters and 2 classes", Assert.Throws<ArgumentException>(() => ClusterScores.Of([0], [0, 1])).Message, StringComparison.Ordinal);

    [Fact]
    public void The_Hungarian_assignment_is_the_best_of_all_permutations()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var cost = new double[5, 6];
            for (var i = 0; i < 5; i++)
            {
                for (var j = 0; j < 6; j++)
                {
                    cost[i, j] = random.Next(20) - 10;
                }
            }

            var assigned = Hungarian.Assign(cost);
            Assert.Equal(5, assigned.Distinct().Count());
            Assert.Equal(Least(cost, 0, new bool[6]), assigned.Select((column, row) => cost[row, column]).Sum(), 9);
        }
    }

    [Fact]
    public void More_rows_than_columns_cannot_be_assigned()
        => Assert.Throws<ArgumentException>(() => Hungarian.Assign(new double[3, 2]));

    private static double Least(double[,] cost, int row, bool[] used)
    {
        if (row == cost.GetLength(0))
        {
            return 0;
        }

        var least = double.PositiveInfinity;
        for (var column = 0; column < used.Length; column++)
        {
            if (!used[column])
            {
                used[column] = true;
                least = Math.Min(least, cost[row, column] + Least(cost, row + 1, used));
                used[column] = false;
            }
        }

        return least;
    }
}
