namespace Shoal.Benchmarks.Simulation;

/// <summary>Follows the queries of one shard one by one: they come at random, and its turn answers one after the other.</summary>
internal static class QueryProbe
{
    /// <summary>How long queries take from coming to being answered by the turn.</summary>
    /// <param name="Utilisation">The share of the turn that was asked for.</param>
    /// <param name="MeanWait">The mean time that a query waits before its answer is worked on, in seconds.</param>
    /// <param name="P50">Half of them take no longer, in seconds.</param>
    /// <param name="P99">All but one in a hundred take no longer, in seconds.</param>
    internal readonly record struct Times(double Utilisation, double MeanWait, double P50, double P99);

    /// <summary>Follows some.</summary>
    /// <param name="count">How many.</param>
    /// <param name="rate">Queries that come in a second, at times that know nothing of each other.</param>
    /// <param name="service">The mean time of an answer; exponential.</param>
    /// <param name="background">The share of the turn that other things take.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="servers">Answers worked on at once; a turn has one.</param>
    public static Times Follow(int count, double rate, double service, double background, int seed, int servers = 1)
    {
        var loop = new EventLoop();
        var turn = new Station(loop, servers) { Background = background };
        var random = new Random(seed);
        var took = new List<double>(count);
        loop.Start(async () =>
        {
            for (var i = 0; i < count; i++)
            {
                await loop.Delay(Exponential(random, 1 / rate));
                loop.Start(async () =>
                {
                    var came = loop.Now;
                    await turn.Use(Exponential(random, service));
                    took.Add(loop.Now - came);
                });
            }
        });
        // Twice the time that they come in: where the turn cannot follow, those that are left say nothing new.
        loop.Run(2 * count / rate);
        took.Sort();
        return new Times(background + (rate * service / servers), turn.Waited / Math.Max(1, took.Count), At(took, 0.5), At(took, 0.99));
    }

    private static double Exponential(Random random, double mean) => -mean * Math.Log(1 - random.NextDouble());

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? double.NaN : sorted[(int)(share * (sorted.Count - 1))];
}
