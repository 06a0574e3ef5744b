using System.Runtime.InteropServices;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Datasets;
using Shoal.Grains.Training;
using Shoal.Learning;
using Shoal.Storage;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>Datasets that begin with an encoder that was learned elsewhere.</summary>
[Collection(SiloCollections.Second)]
public sealed class FirstWeightsTests
{
    private static readonly DatasetSettings Settings = SiloTests.Settings with
    {
        Encoder = "strided",
        RoundSteps = 1,
    };

    [Fact]
    public async Task A_dataset_begins_with_given_weights_or_with_those_of_another()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        byte[] weights = Weights(Settings, seed: 77);
        await client.CreateDatasetAsync("given", Settings);
        await RefusedAsync(() => client.SetFirstWeightsAsync("given", [1, 2, 3]), ShoalErrorKind.Invalid, "no safetensors file");
        await RefusedAsync(() => client.SetFirstWeightsAsync("given", Weights(Settings with { Height = 24, Width = 24 }, seed: 77)), ShoalErrorKind.Invalid, "do not fit encoder 'strided'");
        await RefusedAsync(() => client.SetFirstWeightsAsync("given", Weights(Settings with { Encoder = "vit" }, seed: 77)), ShoalErrorKind.Invalid, "create it with encoder 'vit'");
        await client.SetFirstWeightsAsync("given", weights);
        await SiloTests.StoreAsync(client, SiloTests.Blobs(300, 1), IngestOutcome.Accepted, "given");
        await Waiting.UntilAsync(client, silo, "a version", status => status.Training.Version is not null, "given");
        await RefusedAsync(() => client.SetFirstWeightsAsync("given", weights), ShoalErrorKind.Conflict, "has learned already");

        // Another begins with what is published then, and it is still near what it began with itself.
        await client.CreateDatasetAsync("another", Settings with { StartFrom = "given" });
        byte[] taken = await File.ReadAllBytesAsync(Path.Combine(folder.Path, "store", StoreNames.FirstWeights("another")));
        Assert.True(Apart(taken, weights) < Apart(taken, Weights(Settings, Settings.Seed)) / 3, $"{Apart(taken, weights)} from what it began with, {Apart(taken, Weights(Settings, Settings.Seed))} from fresh weights");
        await RefusedAsync(() => client.CreateDatasetAsync("third", Settings with { StartFrom = "nobody" }), ShoalErrorKind.Invalid, "no published version of a dataset 'nobody'");
        Assert.DoesNotContain("third", await client.ListDatasetsAsync());
    }

    private static async Task RefusedAsync(Func<Task> call, ShoalErrorKind kind, string words)
    {
        var refused = await Assert.ThrowsAsync<ShoalException>(call);
        Assert.Equal(kind, refused.Kind);
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    private static byte[] Weights(DatasetSettings settings, int seed)
    {
        using var learner = new Learner(LearnerSettings.Shape(settings), LearnerSettings.Options(settings) with { Seed = seed });
        return SafeTensors.Write(learner.Export().Select(tensor => new TensorEntry(tensor.Name, tensor.DType, tensor.Shape, tensor.Data)));
    }

    // Between the weights of layers, all in one vector.
    private static double Apart(byte[] one, byte[] other) => Math.Sqrt(Layers(one).Zip(Layers(other), (a, b) => (double)(a - b) * (a - b)).Sum());

    private static IEnumerable<float> Layers(byte[] model) => TensorFiles.Read(model)
        .Where(tensor => tensor.Name.StartsWith("encoder.", StringComparison.Ordinal) && tensor.Shape.Length > 1)
        .SelectMany(tensor => MemoryMarshal.Cast<byte, float>(tensor.Data).ToArray());
}
