using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>Objectives of several families together, and encoders by name, inside datasets of a silo that is killed on the way; what does not fit together is refused.</summary>
[Collection(SiloCollections.Second)]
public sealed class ObjectivesOnSiloTests
{
    private const int Side = 12;

    private static readonly DatasetSettings Settings = new()
    {
        Height = Side,
        Width = Side,
        Channels = 3,
        Clusters = 4,
        Shards = 2,
        ReplaySize = 256,
        RoundSeconds = 1,
        IdleRehearsalSteps = 1_000_000,
    };

    private static readonly Dictionary<string, DatasetSettings> Datasets = new(StringComparer.Ordinal)
    {
        ["pictures"] = Settings with { Objectives = Weights("moco", "rotation", "scan") },
        ["patches"] = Settings with { Objectives = Weights("mae") },
    };

    [Fact]
    public async Task They_train_together_and_go_on_after_sigkill()
    {
        using var folder = new TempFolder();
        Dictionary<string, long> reached = new(StringComparer.Ordinal);
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            foreach (var (name, settings) in Datasets)
            {
                await client.CreateDatasetAsync(name, settings);
                await SiloTests.StoreAsync(client, Pictures(), IngestOutcome.Accepted, name);
            }

            foreach (var name in Datasets.Keys)
            {
                DatasetStatus status = await Waiting.UntilAsync(client, silo, $"steps of {name}", s => s.Training.Progress?.Steps > 1, name);
                reached[name] = status.Training.Progress!.Steps;
                Assert.Equal(
                    Datasets[name].Objectives!.Keys.Order(StringComparer.Ordinal),
                    status.Training.Progress.Losses.Keys.Where(term => term is not "total").Select(term => term.Split('.')[0]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
            }

            await silo.KillAsync();
        }

        await using SiloProcess again = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient later = await again.ConnectAsync();
        foreach (var name in Datasets.Keys)
        {
            await Waiting.UntilAsync(later, again, $"further steps of {name}", s => s.Training.Progress?.Steps > reached[name] && s.Training.Problem is null, name);
        }

        foreach (var (settings, reason) in new[]
        {
            (Settings with { Channels = 1, Objectives = Weights("moco", "colorization") }, "'colorization' learns from colours; samples have 1 channel(s)"),
            (Settings with { Width = 40, Objectives = Weights("rotation") }, "must be as high as wide, and are 12x40"),
            (Settings with { Encoder = "strided", Objectives = Weights("mae") }, "which 'strided' cannot see; use encoder 'vit' or 'auto'"),
            (Settings with { Encoder = "transformer" }, "Encoder 'transformer' is unknown; there are: auto, logmel, patches, resnet18, strided, vit, waveform."),
        })
        {
            var refused = await Assert.ThrowsAsync<ShoalException>(() => later.CreateDatasetAsync("refused", settings));
            Assert.Equal(ShoalErrorKind.Invalid, refused.Kind);
            Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        }
    }

    private static Dictionary<string, double> Weights(params string[] names) => names.ToDictionary(name => name, _ => 1.0, StringComparer.Ordinal);

    // A bright quarter in its own colour, with seeded noise.
    private static ItemUpload[] Pictures()
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, 300).Select(i =>
        {
            var pixels = new byte[Side * Side * 3];
            random.NextBytes(pixels);
            var quarter = random.Next(4);
            for (var at = 0; at < pixels.Length; at++)
            {
                var (y, x, channel) = (at / 3 / Side, at / 3 % Side, at % 3);
                var inside = (y < Side / 2) == (quarter < 2) && (x < Side / 2) == (quarter % 2 == 0);
                pixels[at] = (byte)((pixels[at] / 4) + (inside && (quarter == 3 || channel == quarter) ? 180 : 0));
            }

            return new ItemUpload { Id = $"picture/{i}", MediaType = MediaTypes.RawImage, Bytes = pixels };
        })];
    }
}
