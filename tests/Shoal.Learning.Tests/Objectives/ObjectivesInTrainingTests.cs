using System.Runtime.InteropServices;
using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

/// <summary>Objectives in a learner: alone, and several with keys in one memory bank.</summary>
public sealed class ObjectivesInTrainingTests : IDisposable
{
    private readonly int _threads = get_num_threads();

    // One thread adds in one order.
    public ObjectivesInTrainingTests() => set_num_threads(1);

    public static TheoryData<string> Names => [.. ObjectiveCatalogue.Names.Where(name => !ObjectiveCatalogue.Find(name)!.Collapses)];

    public void Dispose() => set_num_threads(_threads);

    [Theory]
    [MemberData(nameof(Names))]
    public void Alone_each_trains_on_steps_of_any_size_and_goes_on_from_a_checkpoint(string name)
    {
        var options = Options(name);
        var declared = ObjectiveCatalogue.Find(name)!;
        var shape = declared.NeedsLatents ? Making.Waveform : declared.Misfit(Making.Grey) is null ? Making.Grey : Catalogued.Shape;
        options = options with { Kind = declared.NeedsLatents ? SampleKind.Waveform : SampleKind.Image };
        using var straight = new Learner(shape, options);
        Run(straight, 0, 3);
        using var first = new Learner(shape, options);
        Run(first, 0, 1);
        using var second = Learner.Restore(shape, options, first.Snapshot(), first.Bank());
        Run(second, 1, 3);
        var before = Data(second);
        Assert.Equal(Data(straight), before);
        second.Rehearse();
        Assert.NotEqual(before[0], Data(second)[0]);
    }

    [Fact]
    public void Each_objective_with_a_bank_has_columns_of_its_own_in_the_order_of_names()
    {
        using var both = new Learner(Making.Grey, Options("nnclr", "moco"));
        using var alone = new Learner(Making.Grey, Options("moco"));
        both.Observe(Making.Bars(16, 0));
        alone.Observe(Making.Bars(16, 0));
        BankState bank = both.Bank();
        Assert.Equal((128, alone.Bank().Samples.Length), (bank.Width, bank.Samples.Length));
        Assert.Equal(alone.Bank().Samples, bank.Samples);
        foreach (var row in bank.Keys.Chunk(128))
        {
            // A key of either, each of length 1.
            Assert.Equal(1, row[..64].Sum(value => value * value), 4);
            Assert.Equal(1, row[64..].Sum(value => value * value), 4);
        }
    }

    [Fact]
    public void An_objective_sees_its_own_keys_whoever_else_has_some()
    {
        // The same losses alone and beside one that weighs next to nothing, far less than AdamW's epsilon: with keys of the other's they would not be.
        float[] Losses(params string[] names)
        {
            var options = Options(names) with { Objectives = names.ToDictionary(name => name, name => name is "moco" ? 1 : 1e-15, StringComparer.Ordinal) };
            using var learner = new Learner(Making.Grey, options);
            return [.. Enumerable.Range(0, 3).Select(step => (float)learner.Observe(Making.Bars(16, step * 16)).Losses["moco.contrast"])];
        }

        Assert.All(Losses("moco").Zip(Losses("moco", "nnclr")), losses => Assert.Equal(losses.First, losses.Second, 0.001f));
    }

    [Fact]
    public void Learning_with_two_banks_goes_on_bit_exactly_and_leaks_no_tensor()
    {
        var options = Options("moco", "nnclr", "swav", "dino", "byol");
        using var straight = new Learner(Making.Grey, options);
        Run(straight, 0, 8);
        using var first = new Learner(Making.Grey, options);
        Run(first, 0, 4);
        using var second = Learner.Restore(Making.Grey, options, first.Snapshot(), first.Bank());
        Run(second, 4, 8);
        Assert.Equal(Data(straight), Data(second));
        var before = Making.LiveTensors();
        Run(second, 8, 12);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Small_crops_are_learned_from_by_those_that_take_them_and_refused_without_one()
    {
        // Two views of each sample, or those and four crops.
        Assert.Equal(3 * Passes(ViewRecipes.Auto), Passes(ViewRecipes.MultiCrop));
        var refused = Assert.Single((Options("moco", "scan") with { Views = ViewRecipes.MultiCrop }).Problems(Catalogued.Shape));
        Assert.Contains("none of these objectives learns; add one of dino, swav, or use", refused, StringComparison.Ordinal);

        static long Passes(string views)
        {
            using var learner = new Learner(Catalogued.Shape, Options("dino", "swav") with { Views = views });
            Run(learner, 4, 6);
            Assert.True(learner.BackwardPasses > 0);
            return learner.BackwardPasses;
        }
    }

    [Theory]
    [InlineData(false, "simclr")]
    [InlineData(true, "simclr", "pseudolabel")]
    [InlineData(true, "scan")]
    public void Within_a_round_neighbours_are_mined_for_those_that_look_at_them(bool mines, params string[] names)
    {
        using var learner = new Learner(Making.Grey, Options(names) with { MineEvery = 1 });
        Run(learner, 0, 12);
        var pieces = 0;
        learner.Between = () => pieces++;
        Run(learner, 12, 13);
        Assert.Equal(mines, pieces > 0);
        learner.Refit();
        Assert.True(pieces > 0);
    }

    [Fact]
    public void A_bank_of_other_objectives_is_refused_with_both_widths()
    {
        var options = Options("moco", "nnclr");
        using var learner = new Learner(Making.Grey, options);
        Run(learner, 0, 2);
        using var other = new Learner(Making.Grey, Options("moco"));
        Run(other, 0, 2);
        var error = Assert.Throws<InvalidDataException>(() => Learner.Restore(Making.Grey, options, learner.Snapshot(), other.Bank()));
        Assert.Contains("The bank's keys are 64 wide, expected 128.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Objectives_that_learn_from_labels_have_communities_found_beside_heads_that_are_trained()
    {
        using var learner = new Learner(Making.Grey, Options("moco", "scan", "deepcluster"));
        Run(learner, 0, 12);
        Assert.Contains("deepcluster.recognition", learner.Rehearse().Losses.Keys);
        Assert.Contains(learner.Snapshot()["replay"].Named("train.labels").Values<int>(), label => label >= 0);
    }

    private static LearnerOptions Options(params string[] names)
        => Making.Small() with { Objectives = names.ToDictionary(name => name, _ => 1.0, StringComparer.Ordinal) };

    // Of all sizes, beginning with a step of one sample.
    private static void Run(Learner learner, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            StepReport report = learner.Observe(Making.Bars((step % 16) + 1, step * 16, learner.Shape));
            Assert.All(report.Losses, loss => Assert.True(double.IsFinite(loss.Value), $"step {step}: {loss.Key} is {loss.Value}"));
        }
    }

    // Of the parameters, of the optimizer's moments, and of the bank's keys. A part of some is half a gigabyte.
    private static string[] Data(Learner learner)
    {
        var taken = learner.Snapshot();
        return [Hash(taken["model"]), Hash(taken["optimizer"]), Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(learner.Bank().Keys)))];
    }

    private static string Hash(IEnumerable<NamedTensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (NamedTensor tensor in tensors)
        {
            hash.AppendData(tensor.Data);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
