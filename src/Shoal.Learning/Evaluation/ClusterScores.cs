namespace Shoal.Learning;

/// <summary>Compares clusters with classes that somebody knows; only for measuring, nothing learns from it.</summary>
/// <remarks>Entropies use natural logarithms. Scores are 0 to 1 (ARI may be below 0); all are 1 when clusters are the classes.</remarks>
/// <param name="Accuracy">The share that is right when every class is given at most one cluster, as well as possible (Hungarian).</param>
/// <param name="BalancedAccuracy">The mean over classes of each one's share that is right, under that same matching.</param>
/// <param name="Purity">The share that is right when every cluster is called after its most frequent class (many-to-one).</param>
/// <param name="NormalizedMutualInformation">2 I(class; cluster) / (H(class) + H(cluster)).</param>
/// <param name="AdjustedRandIndex">Hubert and Arabie 1985.</param>
public sealed record ClusterScores(double Accuracy, double BalancedAccuracy, double Purity, double NormalizedMutualInformation, double AdjustedRandIndex)
{
    /// <summary>Computes all scores.</summary>
    /// <param name="clusters">The cluster of each item, 0 and up; below 0 for an item in none, which no score takes for right.</param>
    /// <param name="classes">The class of each item, 0 and up.</param>
    /// <exception cref="ArgumentException">The lengths differ or are 0.</exception>
    public static ClusterScores Of(ReadOnlySpan<int> clusters, ReadOnlySpan<int> classes)
    {
        var table = Contingency(clusters, classes);
        var whole = WithNone(table, clusters, classes);
        var (rows, columns, total) = (Sums(whole, 0), Sums(whole, 1), (double)clusters.Length);
        double[] matched = [.. Assigned(table).Select((cluster, kind) => cluster < 0 ? 0 : table[cluster, kind])];
        return new ClusterScores(
            matched.Sum() / total,
            matched.Zip(columns, (right, all) => all > 0 ? right / all : double.NaN).Where(double.IsFinite).Average(),
            Enumerable.Range(0, table.GetLength(0)).Sum(row => Enumerable.Range(0, columns.Length).Max(column => table[row, column])) / total,
            MutualInformation(whole, rows, columns, total),
            Rand(whole, rows, columns, total));
    }

    /// <summary>The normalized mutual information alone, which any number of classes has.</summary>
    /// <param name="clusters">The cluster of each item, 0 and up; below 0 for an item in none.</param>
    /// <param name="classes">The class of each item, 0 and up.</param>
    /// <exception cref="ArgumentException">The lengths differ or are 0.</exception>
    public static double Shared(ReadOnlySpan<int> clusters, ReadOnlySpan<int> classes)
    {
        var whole = WithNone(Contingency(clusters, classes), clusters, classes);
        return MutualInformation(whole, Sums(whole, 0), Sums(whole, 1), clusters.Length);
    }

    /// <summary>The cluster that each class is given when each is given at most one, as well as possible (Hungarian).</summary>
    /// <param name="clusters">The cluster of each item, 0 and up; below 0 for an item in none, which no score takes for right.</param>
    /// <param name="classes">The class of each item, 0 and up.</param>
    /// <returns>One a class; -1 for a class that is given none.</returns>
    /// <exception cref="ArgumentException">The lengths differ or are 0.</exception>
    public static int[] Match(ReadOnlySpan<int> clusters, ReadOnlySpan<int> classes) => Assigned(Contingency(clusters, classes));

    /// <summary>The share of each class's items that is right when every cluster is called after its most frequent class (many-to-one).</summary>
    /// <param name="clusters">The cluster of each item, 0 and up; below 0 for an item in none, which no score takes for right.</param>
    /// <param name="classes">The class of each item, 0 and up.</param>
    /// <param name="kinds">How many classes there are, with and without items.</param>
    /// <returns>One a class; NaN for a class without items.</returns>
    /// <exception cref="ArgumentException">The lengths differ or are 0.</exception>
    public static double[] Recalls(ReadOnlySpan<int> clusters, ReadOnlySpan<int> classes, int kinds)
    {
        var table = Contingency(clusters, classes);
        double[] all = Sums(WithNone(table, clusters, classes), 1);
        var right = new double[all.Length];
        for (var row = 0; row < table.GetLength(0); row++)
        {
            // Of equally frequent classes the lower one names the cluster.
            var name = Enumerable.Range(0, all.Length).MaxBy(column => table[row, column]);
            right[name] += table[row, name];
        }

        return [.. Enumerable.Range(0, kinds).Select(kind => kind < all.Length && all[kind] > 0 ? right[kind] / all[kind] : double.NaN)];
    }

    /// <summary>Counts the items of every pair of cluster and class; those in no cluster are not counted.</summary>
    /// <param name="clusters">The cluster of each item, 0 and up; below 0 for an item in none, which no score takes for right.</param>
    /// <param name="classes">The class of each item, 0 and up.</param>
    /// <returns>[clusters, classes].</returns>
    /// <exception cref="ArgumentException">The lengths differ or are 0.</exception>
    public static double[,] Contingency(ReadOnlySpan<int> clusters, ReadOnlySpan<int> classes)
    {
        if (clusters.Length != classes.Length || clusters.IsEmpty)
        {
            throw new ArgumentException($"{clusters.Length} clusters and {classes.Length} classes must be as many, and not none.", nameof(clusters));
        }

        var (rows, columns) = (0, 0);
        for (var i = 0; i < clusters.Length; i++)
        {
            (rows, columns) = (Math.Max(rows, clusters[i] + 1), Math.Max(columns, classes[i] + 1));
        }

        var table = new double[rows, columns];
        for (var i = 0; i < clusters.Length; i++)
        {
            if (clusters[i] >= 0)
            {
                table[clusters[i], classes[i]]++;
            }
        }

        return table;
    }

    // With one more row, of the items in no cluster.
    private static double[,] WithNone(double[,] table, ReadOnlySpan<int> clusters, ReadOnlySpan<int> classes)
    {
        var (rows, columns) = (table.GetLength(0), table.GetLength(1));
        var whole = new double[rows + 1, columns];
        Array.Copy(table, whole, table.Length);
        for (var i = 0; i < clusters.Length; i++)
        {
            if (clusters[i] < 0)
            {
                whole[rows, classes[i]]++;
            }
        }

        return whole;
    }

    // The cluster of each class, -1 for none.
    private static int[] Assigned(double[,] table)
    {
        var (rows, columns) = (table.GetLength(0), table.GetLength(1));

        // The smaller side is assigned, so that every one of it has a partner.
        var flip = rows > columns;
        var cost = new double[Math.Min(rows, columns), Math.Max(rows, columns)];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                cost[flip ? column : row, flip ? row : column] = -table[row, column];
            }
        }

        var clusters = new int[columns];
        Array.Fill(clusters, -1);
        foreach (var (i, assigned) in Hungarian.Assign(cost).Index())
        {
            clusters[flip ? i : assigned] = flip ? assigned : i;
        }

        return clusters;
    }

    private static double MutualInformation(double[,] table, double[] rows, double[] columns, double total)
    {
        var information = 0.0;
        for (var row = 0; row < rows.Length; row++)
        {
            for (var column = 0; column < columns.Length; column++)
            {
                if (table[row, column] > 0)
                {
                    information += table[row, column] / total * Math.Log(table[row, column] * total / (rows[row] * columns[column]));
                }
            }
        }

        var entropies = Entropy(rows, total) + Entropy(columns, total);

        // One cluster and one class: nothing to know, all of it known.
        return entropies > 0 ? 2 * information / entropies : 1;
    }

    private static double Rand(double[,] table, double[] rows, double[] columns, double total)
    {
        var (inRows, inColumns, inBoth, all) = (rows.Sum(Pairs), columns.Sum(Pairs), table.Cast<double>().Sum(Pairs), Pairs(total));
        var expected = all > 0 ? inRows * inColumns / all : 0;
        var most = (inRows + inColumns) / 2;
        return most > expected ? (inBoth - expected) / (most - expected) : 1;
    }

    private static double Entropy(double[] counts, double total)
        => -counts.Where(count => count > 0).Sum(count => count / total * Math.Log(count / total));

    private static double Pairs(double count) => count * (count - 1) / 2;

    private static double[] Sums(double[,] table, int axis)
    {
        var sums = new double[table.GetLength(axis)];
        for (var row = 0; row < table.GetLength(0); row++)
        {
            for (var column = 0; column < table.GetLength(1); column++)
            {
                sums[axis == 0 ? row : column] += table[row, column];
            }
        }

        return sums;
    }
}
