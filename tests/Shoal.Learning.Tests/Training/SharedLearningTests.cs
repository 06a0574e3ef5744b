namespace Shoal.Learning.Tests;

/// <summary>Replicas that learn one stream together, from shards of their own.</summary>
public sealed class SharedLearningTests
{
    private const int Rounds = 6;
    private const int StepsOfARound = 8;

    private static readonly LearnerOptions Options = Making.Small() with { Replicas = 2 };

    [Fact]
    public void Replicas_begin_alike_and_draw_differently()
    {
        using var one = new Learner(Making.Grey, Options);
        using var two = new Learner(Making.Grey, Options with { Replica = 1 });
        Assert.Equal(Data(one.Snapshot()["model"]), Data(two.Snapshot()["model"]));
        one.Observe(Making.Bars(16, 0));
        two.Observe(Making.Bars(16, 0));
        Assert.NotEqual(Data(one.Snapshot()["model"]), Data(two.Snapshot()["model"]));
    }

    [Fact]
    public void What_replicas_did_is_merged_settled_and_gone_on_from()
    {
        using var one = new Learner(Making.Grey, Options);
        using var two = new Learner(Making.Grey, Options with { Replica = 1 });
        Learner[] replicas = [one, two];
        for (var round = 0; round < Rounds; round++)
        {
            Learn(replicas, round);
            using Learner settling = Settle(replicas);
            RefitReport refit = settling.Refit();
            Settlement settled = settling.Settled();
            Assert.All(replicas, replica => replica.Adopt(settled, replica.Bank()));
            Assert.Equal(Data(one.Snapshot()["model"]), Data(two.Snapshot()["model"]));
            if (round == Rounds - 1)
            {
                // Four kinds of bars, which either alone has seen.
                Assert.Equal(4, refit.Clusters);
                Assert.True(Purity(settling) > 0.95, $"purity {Purity(settling):F2}");
                Assert.All(replicas, replica => Assert.True(replica.Snapshot()["replay"].Named("train.labels").Values<int>().All(label => label >= 0)));
                Assert.Equal(one.ReplayCount + two.ReplayCount, settled.Keys.Length);
            }
        }
    }

    [Fact]
    public void A_replica_that_trains_on_meanwhile_keeps_what_it_learned_since()
    {
        using var one = new Learner(Making.Grey, Options);
        using var two = new Learner(Making.Grey, Options with { Replica = 1 });
        Learn([one, two], 0);
        using Learner settling = Settle([one, two]);
        settling.Refit();
        // It comes out of a file, which is ordered by names.
        Settlement settled = settling.Settled() with { Model = [.. settling.Settled().Model.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)] };
        IReadOnlyList<NamedTensor> handedOver = one.Snapshot()["model"];
        one.Adopt(settled, one.Bank(), handedOver);
        Assert.All(one.Snapshot()["model"], tensor => AssertClose(tensor, settled.Model.Named(tensor.Name)));

        handedOver = two.Snapshot()["model"];
        two.Observe(Sharded(Making.Bars(16, 900), 1));
        IReadOnlyList<NamedTensor> now = two.Snapshot()["model"];
        two.Adopt(settled, two.Bank(), handedOver);
        IReadOnlyList<NamedTensor> adopted = two.Snapshot()["model"];
        var moved = 0;
        for (var i = 0; i < adopted.Count; i++)
        {
            var isHead = adopted[i].Name.StartsWith("head.", StringComparison.Ordinal) || adopted[i].Name.StartsWith("keyhead.", StringComparison.Ordinal);
            if (!string.Equals(adopted[i].DType, "F32", StringComparison.Ordinal) || isHead)
            {
                Assert.Equal(settled.Model.Named(adopted[i].Name).Data, adopted[i].Data);
                continue;
            }

            var (merged, before, after, result) = (settled.Model.Named(adopted[i].Name).Values<float>(), handedOver[i].Values<float>(), now[i].Values<float>(), adopted[i].Values<float>());
            for (var j = 0; j < result.Length; j++)
            {
                Assert.Equal(merged[j] + ((double)after[j] - before[j]), result[j], 1e-5);
                moved += after[j] == before[j] ? 0 : 1;
            }
        }

        Assert.True(moved > 1_000, $"{moved} moved");
    }

    [Fact]
    public void Alone_no_replica_settles_clusters()
    {
        using var one = new Learner(Making.Grey, Options);
        using var two = new Learner(Making.Grey, Options with { Replica = 1 });
        Learn([one, two], 0);
        Assert.All(one.Snapshot()["replay"].Named("train.labels").Values<int>(), label => Assert.Equal(-1, label));
    }

    private static void Learn(Learner[] replicas, int round)
    {
        for (var step = 0; step < StepsOfARound; step++)
        {
            for (var replica = 0; replica < replicas.Length; replica++)
            {
                replicas[replica].Observe(Sharded(Making.Bars(16, (((round * StepsOfARound) + step) * 16 * replicas.Length) + (16 * replica)), replica));
            }
        }
    }

    private static SampleBatch Sharded(SampleBatch batch, int shard)
    {
        var pixels = new byte[batch.Count * Making.Grey.Size];
        for (var i = 0; i < batch.Count; i++)
        {
            batch[i].CopyTo(pixels.AsSpan(i * Making.Grey.Size));
        }

        return new SampleBatch(Making.Grey, pixels, [.. batch.Keys.Select(key => new SampleKey(shard, key.Sequence))]);
    }

    private static Learner Settle(Learner[] replicas)
    {
        var parts = Array.ConvertAll(replicas, replica => replica.Snapshot());
        IReadOnlyList<NamedTensor> shared = [.. Learner.Input([.. parts.Select(part => (part["progress"], 1.0))]), .. Learner.Clusters(parts[0]["progress"])];
        return Learner.ForSettling(
            Making.Grey, Options,
            ModelAverage.Of([.. parts.Select(part => (part["model"], 1.0))]),
            Learner.Progress(parts[0]["progress"], shared),
            SharedReplay.Join([.. parts.Select(part => part["replay"])], Options with { Replicas = 1 }, _ => true));
    }

    // Of the rehearsed samples, by the kind that their number tells.
    private static double Purity(Learner settling)
    {
        Settlement settled = settling.Settled();
        return settled.Keys.Select((key, i) => (Kind: SampleKey.Unpack(key).Sequence % 4, Cluster: settled.Shown[i]))
            .GroupBy(sample => sample.Cluster)
            .Sum(cluster => cluster.CountBy(sample => sample.Kind).Max(kind => kind.Value)) / (double)settled.Keys.Length;
    }

    private static void AssertClose(NamedTensor actual, NamedTensor expected)
    {
        if (string.Equals(expected.DType, "F32", StringComparison.Ordinal))
        {
            Assert.All(actual.Values<float>().Zip(expected.Values<float>()), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        }
    }

    private static byte[][] Data(IReadOnlyList<NamedTensor> tensors) => [.. tensors.Select(tensor => tensor.Data)];
}
