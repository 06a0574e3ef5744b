namespace Shoal.Learning;

/// <summary>Orders of pieces that are as unlike as can be.</summary>
internal static class Permutations
{
    /// <summary>The most that are chosen.</summary>
    public const int Most = 100;

    private static readonly Lazy<byte[][]> Chosen = new(() => Choose(All(Pieces.Count), Most));

    /// <summary>Orders of nine pieces, the first of a longer list that is always the same.</summary>
    /// <param name="count">How many, 2 to <see cref="Most"/>.</param>
    /// <returns>[count][9]: which piece stands at each place.</returns>
    public static byte[][] Of(int count) => Chosen.Value[..count];

    /// <summary>Noroozi and Favaro 2016, algorithm 1: each next one is that whose Hamming distances to those before have the largest sum; of equal ones the first.</summary>
    /// <param name="all">What is chosen from, without repetitions.</param>
    /// <param name="count">How many.</param>
    public static byte[][] Choose(byte[][] all, int count)
    {
        var distances = new int[all.Length];
        var chosen = new byte[count][];
        var next = 0;
        for (var i = 0; i < count; i++)
        {
            chosen[i] = all[next];

            // Never again.
            distances[next] = int.MinValue;
            var farthest = -1;
            for (var j = 0; j < all.Length; j++)
            {
                if (distances[j] == int.MinValue)
                {
                    continue;
                }

                distances[j] += Distance(all[j], chosen[i]);
                if (farthest < 0 || distances[j] > distances[farthest])
                {
                    farthest = j;
                }
            }

            next = farthest;
        }

        return chosen;
    }

    /// <summary>All orders of so many pieces, in lexicographic order.</summary>
    public static byte[][] All(int pieces)
    {
        if (pieces == 0)
        {
            return [[]];
        }

        byte[][] shorter = All(pieces - 1);
        return [.. from first in Enumerable.Range(0, pieces) from rest in shorter select (byte[])[(byte)first, .. rest.Select(piece => piece < first ? piece : (byte)(piece + 1))]];
    }

    private static int Distance(byte[] a, byte[] b)
    {
        var differing = 0;
        for (var i = 0; i < a.Length; i++)
        {
            differing += a[i] == b[i] ? 0 : 1;
        }

        return differing;
    }
}
