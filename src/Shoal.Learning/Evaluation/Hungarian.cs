namespace Shoal.Learning;

/// <summary>Finds the one-to-one assignment of rows to columns with the least total cost.</summary>
/// <remarks>Kuhn 1955, in the O(n²m) form with potentials (Jonker and Volgenant 1987).</remarks>
public static class Hungarian
{
    /// <summary>Assigns every row its own column.</summary>
    /// <param name="cost">[rows, columns], finite, with at least as many columns as rows.</param>
    /// <returns>The column of each row.</returns>
    /// <exception cref="ArgumentException">There are fewer columns than rows.</exception>
    public static int[] Assign(double[,] cost)
    {
        ArgumentNullException.ThrowIfNull(cost);
        var (rows, columns) = (cost.GetLength(0), cost.GetLength(1));
        if (columns < rows)
        {
            throw new ArgumentException($"{rows} rows need at least as many columns, not {columns}.", nameof(cost));
        }

        // Index 0 is the virtual start; rows and columns count from 1.
        var (rowPotential, columnPotential) = (new double[rows + 1], new double[columns + 1]);
        var (owner, way) = (new int[columns + 1], new int[columns + 1]);
        for (var row = 1; row <= rows; row++)
        {
            owner[0] = row;
            Augment(cost, rowPotential, columnPotential, owner, way);
        }

        var assigned = new int[rows];
        for (var column = 1; column <= columns; column++)
        {
            if (owner[column] > 0)
            {
                assigned[owner[column] - 1] = column - 1;
            }
        }

        return assigned;
    }

    private static void Augment(double[,] cost, double[] rowPotential, double[] columnPotential, int[] owner, int[] way)
    {
        var slack = new double[owner.Length];
        var used = new bool[owner.Length];
        Array.Fill(slack, double.PositiveInfinity);
        var column = 0;
        while (owner[column] != 0)
        {
            used[column] = true;
            var (row, least, next) = (owner[column], double.PositiveInfinity, 0);
            for (var j = 1; j < owner.Length; j++)
            {
                if (used[j])
                {
                    continue;
                }

                var reduced = cost[row - 1, j - 1] - rowPotential[row] - columnPotential[j];
                if (reduced < slack[j])
                {
                    (slack[j], way[j]) = (reduced, column);
                }

                if (slack[j] < least)
                {
                    (least, next) = (slack[j], j);
                }
            }

            for (var j = 0; j < owner.Length; j++)
            {
                if (used[j])
                {
                    rowPotential[owner[j]] += least;
                    columnPotential[j] -= least;
                }
                else
                {
                    slack[j] -= least;
                }
            }

            column = next;
        }

        while (column != 0)
        {
            owner[column] = owner[way[column]];
            column = way[column];
        }
    }
}
