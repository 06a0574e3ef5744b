using System.IO.Compression;
using Shoal.Grains.Training;
using Shoal.Learning;

namespace Shoal.Grains.Tests;

/// <summary>A learner's snapshot that an earlier version wrote is gone on from for ever. Never change the file in Golden; add another.</summary>
/// <remarks>Its weights and moments are a pattern, so that it packs small; counts, keys, pixels, labels and clusters are those of a learner of 60 steps.</remarks>
public sealed class SnapshotGoldenTests
{
    private static readonly SampleShape Shape = new(1, 12, 12);

    private static readonly LearnerOptions Options = new()
    {
        Clusters = 4,
        Seed = 5,
        ReplaySize = 256,
        FreshPerStep = 16,
        BankSize = 64,
        MineEvery = 5,
        NeighbourCount = 5,
        HoldOutOneIn = 8,
        HeldOutSize = 32,
    };

    [Fact]
    public void A_learner_goes_on_from_it_and_nothing_of_it_is_lost_when_it_is_written_again()
    {
        Dictionary<string, IReadOnlyList<NamedTensor>> parts = Read(Path.Combine(AppContext.BaseDirectory, "Golden", "snapshot-v1.zip"));
        var bank = new BankState(
            Named(parts["bank"], "count").Values<long>()[0], (int)Named(parts["bank"], "keys").Shape[1], Named(parts["bank"], "keys").Values<float>(),
            Named(parts["bank"], "samples").Values<long>(), Named(parts["bank"], "steps").Values<long>());
        Assert.True(parts.Remove("bank"));
        using Learner learner = Learner.Restore(Shape, Options, parts, bank);
        Assert.Equal((60, 848, 256), (learner.Steps, learner.SamplesSeen, learner.ReplayCount));

        IReadOnlyDictionary<string, IReadOnlyList<NamedTensor>> again = learner.Snapshot();
        foreach (var (part, tensors) in parts)
        {
            Assert.All(tensors, tensor => Assert.Equal(tensor.Data, Named(again[part], tensor.Name).Data));
        }

        Assert.Equal(bank.Keys, learner.Bank().Keys);
        learner.Rehearse();
        Assert.Equal(61, learner.Steps);
    }

    [Fact]
    public void One_that_lacks_a_part_or_a_tensor_says_which()
    {
        Dictionary<string, IReadOnlyList<NamedTensor>> parts = Read(Path.Combine(AppContext.BaseDirectory, "Golden", "snapshot-v1.zip"));
        Assert.Contains("optimizer", Refusal("optimizer", []), StringComparison.Ordinal);
        Assert.Contains("counts", Refusal("progress", [.. parts["progress"].Where(tensor => !string.Equals(tensor.Name, "counts", StringComparison.Ordinal))]), StringComparison.Ordinal);

        string Refusal(string part, IReadOnlyList<NamedTensor> instead)
        {
            var changed = new Dictionary<string, IReadOnlyList<NamedTensor>>(parts, StringComparer.Ordinal) { [part] = instead };
            if (instead.Count == 0)
            {
                changed.Remove(part);
            }

            return Assert.Throws<InvalidDataException>(() => Learner.Restore(Shape, Options, changed, new BankState(0, 64, [], [], []))).Message;
        }
    }

    private static NamedTensor Named(IReadOnlyList<NamedTensor> tensors, string name) => tensors.Single(tensor => string.Equals(tensor.Name, name, StringComparison.Ordinal));

    private static Dictionary<string, IReadOnlyList<NamedTensor>> Read(string path)
    {
        using ZipArchive archive = ZipFile.OpenRead(path);
        return archive.Entries.ToDictionary(entry => Path.GetFileNameWithoutExtension(entry.Name), Tensors, StringComparer.Ordinal);

        static IReadOnlyList<NamedTensor> Tensors(ZipArchiveEntry entry)
        {
            using Stream stream = entry.Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return TensorFiles.Read(bytes.ToArray());
        }
    }
}
