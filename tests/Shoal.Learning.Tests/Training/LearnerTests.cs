using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class LearnerTests
{
    public static TheoryData<string> Clusterings => ["pseudolabel", "scan"];

    [Theory]
    [MemberData(nameof(Clusterings))]
    public void A_restored_learner_goes_on_bit_exactly(string clustering)
    {
        var options = Options(clustering);
        var threads = get_num_threads();
        set_num_threads(1);
        try
        {
            using var straight = new Learner(Making.Grey, options);
            Run(straight, 0, 30);
            using var first = new Learner(Making.Grey, options);
            Run(first, 0, 15);
            using var second = Learner.Restore(Making.Grey, options, first.Snapshot(), first.Bank());
            Run(second, 15, 30);
            Assert.Equal(Hashes(straight), Hashes(second));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void What_was_forgotten_is_in_nothing_that_is_written_down_and_learning_goes_on()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Run(learner, 0, 20);
        learner.Refit();
        learner.Publish([1, 2, 3, 4]);
        HashSet<long> doomed = [.. learner.HeldSamples().Where(key => key % 2 == 0)];
        Assert.InRange(learner.Forget(doomed), 50, doomed.Count);
        Assert.DoesNotContain(learner.HeldSamples(), doomed.Contains);
        Assert.DoesNotContain(learner.Bank().Samples, doomed.Contains);
        foreach (var (part, tensors) in learner.Snapshot())
        {
            foreach (NamedTensor tensor in tensors.Where(t => t.DType is "I64"))
            {
                Assert.True(!tensor.Values<long>().Any(doomed.Contains), $"{part}: {tensor.Name}");
            }
        }

        Assert.NotEmpty(learner.Rehearse().Losses);
        Run(learner, 20, 25);
        Assert.True(learner.Refit().Clusters > 0);
        learner.Forget(learner.HeldSamples().ToHashSet());
        Assert.Equal(0, learner.ReplayCount);
        learner.Refit();
        Run(learner, 25, 30);
    }

    [Fact]
    public void One_that_learns_without_gradients_goes_on_bit_exactly_too()
    {
        var shape = new SampleShape(3, 16, 16);
        var options = Making.Small() with { FreshPerStep = 48 };
        var threads = get_num_threads();
        set_num_threads(1);
        try
        {
            using var straight = new Learner(shape, options);
            Watch(straight, 0, 14);
            using var first = new Learner(shape, options);
            Watch(first, 0, 9);
            using var second = Learner.Restore(shape, options, first.Snapshot(), first.Bank());
            Watch(second, 9, 14);
            Assert.Equal(Hashes(straight), Hashes(second));

            // What it goes on learning from stays behind.
            Assert.DoesNotContain(second.Export(), tensor => tensor.Name.Contains("square", StringComparison.Ordinal));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void Another_seed_gives_other_weights()
    {
        using var one = new Learner(Making.Grey, Making.Small(seed: 1));
        using var two = new Learner(Making.Grey, Making.Small(seed: 2));
        Assert.NotEqual(Hashes(one)["model"], Hashes(two)["model"], StringComparer.Ordinal);
    }

    [Fact]
    public void Restoring_without_a_part_names_it()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        var parts = learner.Snapshot().Where(part => !part.Key.Equals("optimizer", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
        var error = Assert.Throws<InvalidDataException>(() => Learner.Restore(Making.Grey, Making.Small(), parts, learner.Bank()));
        Assert.Contains("'optimizer'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_leaks_no_tensor()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Run(learner, 0, 20);
        Assert.Equal(0, Growth(() => Run(learner, 20, 220)));
    }

    [Fact]
    public void Learning_without_gradients_leaks_no_tensor()
    {
        using var learner = new Learner(new SampleShape(3, 16, 16), Making.Small() with { FreshPerStep = 48 });
        Watch(learner, 0, 8);

        // The map is fitted once more in between.
        Assert.Equal(0, Growth(() =>
        {
            Watch(learner, 8, 20);
            learner.Rehearse();
        }));
    }

    [Fact]
    public void The_count_of_live_tensors_sees_a_leak()
    {
        var leaked = new List<Tensor>();
        Assert.Equal(1, Growth(() => leaked.Add(ones(1))));
        leaked.ForEach(tensor => tensor.Dispose());
    }

    [Fact]
    public void Refits_judgements_and_snapshots_leak_no_tensor()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Run(learner, 0, 20);
        using var published = new Embedder(learner.Export());
        learner.Refit();

        // Judge builds a network; TorchSharp counts the tensor that a Parameter was made from although nothing is left of it.
        var built = Growth(() => new Embedder(learner.Export()).Dispose());
        Assert.Equal(built, Growth(() =>
        {
            learner.Refit();
            learner.Judge(published);
            learner.Snapshot();
            learner.Rehearse();
        }));
    }

    [Theory]
    [InlineData("pseudolabel", 5)]
    [InlineData("scan", 20)]
    public void Embedding_between_the_pieces_of_a_refit_changes_neither(string clustering, int pieces)
    {
        using var alone = new Learner(Making.Grey, Options(clustering));
        using var disturbed = new Learner(Making.Grey, Options(clustering));
        Run(alone, 0, 5);
        Run(disturbed, 0, 5);
        var batch = Making.Bars(8, 0);
        var model = disturbed.Export();
        Half[] Embed(Embedder embedder)
        {
            var embeddings = new Half[8 * embedder.Width];
            embedder.Embed(batch.Pixels, 8, embeddings);
            return embeddings;
        }

        using var before = new Embedder(model);
        var expected = Embed(before);
        var loaded = new List<Embedder>();
        disturbed.Between = () =>
        {
            loaded.Add(new Embedder(model));
            Assert.Equal(expected, Embed(loaded[^1]));
        };
        alone.Refit();
        disturbed.Refit();
        Assert.True(loaded.Count > pieces, $"{loaded.Count} pieces");
        Assert.Equal(Hashes(alone), Hashes(disturbed));

        // A model that was loaded inside the refit outlives it.
        Assert.Equal(expected, Embed(loaded[0]));
        loaded.ForEach(embedder => embedder.Dispose());
    }

    [Fact]
    public void Embedding_leaks_no_tensor()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Run(learner, 0, 3);
        using var embedder = new Embedder(learner.Export());
        var batch = Making.Bars(8, 0);
        var embeddings = new Half[8 * embedder.Width];
        Assert.Equal(0, Growth(() =>
        {
            for (var i = 0; i < 200; i++)
            {
                embedder.Embed(batch.Pixels, 8, embeddings);
            }
        }));
    }

    [Fact]
    public void Rehearsing_an_empty_replay_says_why_it_cannot()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Assert.Contains("nothing to rehearse", Assert.Throws<InvalidOperationException>(learner.Rehearse).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_number_of_fresh_samples_makes_a_step()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        for (var count = 1; count <= 16; count++)
        {
            Assert.All(learner.Observe(Making.Bars(count, count * 100)).Losses, loss => Assert.True(double.IsFinite(loss.Value), loss.Key));
        }

        Assert.Throws<ArgumentException>(() => learner.Observe(Making.Bars(17, 0)));
        Assert.Throws<ArgumentException>(() => learner.Observe(Making.Bars(4, 0, new SampleShape(1, 13, 12))));
    }

    [Fact]
    public void Held_out_samples_are_never_rehearsed_and_counts_add_up()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Run(learner, 0, 10);
        var replay = learner.Snapshot()["replay"];
        var trained = replay.Single(t => t.Name.Equals("train.keys", StringComparison.Ordinal)).Values<long>();
        var held = replay.Single(t => t.Name.Equals("heldout.keys", StringComparison.Ordinal)).Values<long>();
        Assert.NotEmpty(held);
        Assert.Empty(trained.Intersect(held));
        Assert.Equal(160, trained.Length + held.Length);
        Assert.Equal(160, learner.SamplesSeen);
        Assert.Equal(trained.Length, learner.ReplayCount);
    }

    [Fact]
    public void The_bank_hands_out_only_what_was_not_seen_before()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Run(learner, 0, 2);
        var seen = learner.Bank();
        Run(learner, 2, 3);
        var since = learner.BankSince(seen.Count);
        Assert.Equal(since.Count, seen.Count + since.Samples.Length);
        Assert.Equal(learner.Bank().Keys[^since.Keys.Length..], since.Keys);
        Assert.All(since.Steps, step => Assert.Equal(2, step));
        Run(learner, 3, 12);
        Assert.Equal(128, learner.BankSince(0).Samples.Length);
        Assert.Empty(learner.BankSince(learner.Bank().Count).Samples);
    }

    [Fact]
    public void Stored_embeddings_are_assigned_as_the_learners_own_head_assigns()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Run(learner, 0, 30);
        var model = learner.Export();
        using var embedder = new Embedder(model);
        var batch = Making.Bars(64, 5000);
        var embeddings = new Half[64 * embedder.Width];
        embedder.Embed(batch.Pixels, 64, embeddings);

        using var scope = NewDisposeScope();
        var prototypes = model.Single(t => t.Name.Equals("prototypes", StringComparison.Ordinal));
        var scale = model.Single(t => t.Name.Equals("scale", StringComparison.Ordinal)).Values<float>()[0];
        var z = tensor(Array.ConvertAll(embeddings, h => (float)h), [64, embedder.Width]);

        // A prototype of zeros is not in use; a cluster has the probabilities of its prototypes together.
        var rows = tensor(prototypes.Values<float>(), prototypes.Shape);
        var used = rows.abs().sum(1).gt(0).nonzero().squeeze(1);
        var clusters = tensor(model.Single(t => t.Name.Equals("prototypes.clusters", StringComparison.Ordinal)).Values<long>()).index_select(0, used);
        var pieces = ClusterHead.LogProbabilities(nn.functional.normalize(z, 2, dim: 1), rows.index_select(0, used).unsqueeze(0), scale).exp().squeeze(0);
        var own = Making.Floats(zeros(64, 4).index_add_(1, clusters, pieces, 1));
        for (var i = 0; i < 64; i++)
        {
            var placed = embedder.Prototypes.Assign(embeddings.AsSpan(i * embedder.Width, embedder.Width));
            var row = own.AsSpan(i * 4, 4);
            Assert.Equal(row.IndexOf(row.ToArray().Max()), placed.Slot);
            Assert.Equal(row[placed.Slot], placed.Confidence, 1e-5f);
        }
    }

    [Theory]
    [MemberData(nameof(Clusterings))]
    public void Bars_of_four_places_become_four_clusters(string clustering)
    {
        using var learner = new Learner(Making.Grey, Options(clustering));
        Run(learner, 0, 150);
        learner.Refit();
        using var embedder = new Embedder(learner.Export());
        var batch = Making.Bars(200, 90_000);
        var embeddings = new Half[200 * embedder.Width];
        embedder.Embed(batch.Pixels, 200, embeddings);
        var clusters = Enumerable.Range(0, 200).Select(i => embedder.Prototypes.Assign(embeddings.AsSpan(i * embedder.Width, embedder.Width)).Slot).ToArray();
        var scores = ClusterScores.Of(clusters, [.. Enumerable.Range(0, 200).Select(i => i % 4)]);
        Assert.True(scores.Purity > 0.7, scores.ToString());
    }

    [Fact]
    public void A_version_has_not_drifted_from_itself()
    {
        using var learner = new Learner(Making.Grey, Making.Small());
        Run(learner, 0, 20);
        using var published = new Embedder(learner.Export());
        var same = learner.Judge(published);
        Assert.Equal(0, same.Drift, 4);
        Assert.Equal(same.HeldOutLoss, same.PublishedLoss, 6);
        Assert.True(same.Finite);
        Run(learner, 20, 60);
        var later = learner.Judge(published);
        Assert.True(later.Drift > same.Drift + 0.0003, later.ToString());
        Assert.True(double.IsNaN(learner.Judge(null).PublishedLoss));
    }

    [Fact]
    public void All_problems_of_options_are_told_at_once()
    {
        var options = Making.Small() with { Clusters = 1, Encoder = "nonesuch", Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["moco"] = -1 } };
        var error = Assert.Throws<ArgumentException>(() => new Learner(Making.Grey, options));
        Assert.Contains("Clusters is 1; must be 2 to 1000.", error.Message, StringComparison.Ordinal);
        Assert.Contains("Encoder 'nonesuch' is unknown; there are: auto, logmel, patches, resnet18, strided, vit, waveform.", error.Message, StringComparison.Ordinal);
        Assert.Contains("Objective 'moco': Weight is -1; must be 0 to 1000.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 8, 8)]
    [InlineData(3, 32, 32)]
    [InlineData(1, 64, 128)]
    [InlineData(3, 33, 9)]
    public void Other_shapes_learn_too(int channels, int height, int width)
    {
        var shape = new SampleShape(channels, height, width);
        using var learner = new Learner(shape, Making.Small());
        for (var step = 0; step < 3; step++)
        {
            Assert.All(learner.Observe(Making.Bars(16, step * 16, shape)).Losses, loss => Assert.True(double.IsFinite(loss.Value), loss.Key));
        }

        using var embedder = new Embedder(learner.Export());
        Assert.Equal(shape, embedder.Shape);
    }

    private static LearnerOptions Options(string clustering)
        => Making.Small() with { Objectives = new Dictionary<string, double>(StringComparer.Ordinal) { ["moco"] = 1, [clustering] = 1 } };

    private static void Run(Learner learner, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            learner.Observe(Making.Bars(16, step * 16));
            if (step % 10 == 9)
            {
                learner.Refit();
            }
        }
    }

    private static void Watch(Learner learner, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            learner.Observe(Making.Bars(48, step * 48, learner.Shape));
        }
    }

    private static long Growth(Action action)
    {
        // What other tests left to the finalizer must not be counted as freed here.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Making.LiveTensors();
        action();
        return Tensor.TotalCount - before;
    }

    private static Dictionary<string, string> Hashes(Learner learner)
    {
        var bank = learner.Bank();
        var parts = learner.Snapshot().ToDictionary(part => part.Key, part => part.Value, StringComparer.Ordinal);
        parts["bank"] = [NamedTensor.Of<float>("keys", bank.Keys), NamedTensor.Of<long>("samples", bank.Samples), NamedTensor.Of<long>("steps", [.. bank.Steps, bank.Count])];
        return parts.ToDictionary(
            part => part.Key,
            part => Convert.ToHexString(SHA256.HashData([.. part.Value.SelectMany(tensor => tensor.Data)])),
            StringComparer.Ordinal);
    }
}
