using System.Net.Http.Json;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Grains.Items;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>What a representation ignores, and what its clusters go with, as a silo reports it.</summary>
[Collection(SiloCollections.Second)]
public sealed class ReportsTests
{
    [Fact]
    public async Task Reports_say_what_matters_to_clusters_and_what_they_go_with()
    {
        using var folder = new TempFolder();
        await using SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning");
        await using ShoalClient client = await silo.ConnectAsync();
        await client.CreateDatasetAsync("blobs", SiloTests.Settings);
        var early = await Assert.ThrowsAsync<ShoalException>(() => client.InvarianceAsync("blobs", 50));
        Assert.Equal(ShoalErrorKind.Conflict, early.Kind);
        Assert.Contains("has no published version yet", early.Message, StringComparison.Ordinal);

        // Which corner is bright tells the cluster; the camera is drawn at random, and only half of the items have one.
        var random = new Random(3);
        ItemUpload[] items = [.. Enumerable.Range(0, 4).SelectMany(corner => SiloTests.Blobs(400, corner + 1, corner, 1).Select(item => item with
        {
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["corner"] = $"{corner}", [random.Next(2) == 0 ? "camera" : "unused"] = $"{random.Next(3)}" },
        }))];
        random.Shuffle(items);
        await SiloTests.StoreAsync(client, items, IngestOutcome.Accepted);
        await Waiting.UntilAsync(client, silo, "clusters of the four corners", s => s.Training.Version?.Clusters.Length == 4 && s.Training.Activity is "idle" && s.Shards.Sum(x => x.Pending) == 0, "blobs");

        InvarianceReport invariance = await client.InvarianceAsync("blobs", 100);
        Movement Of(string transformation, double strength) => invariance.Movements.Single(m => m.Transformation.Equals(transformation, StringComparison.Ordinal) && m.Strength.Equals(strength));
        Assert.Equal(100, invariance.Items);
        Assert.InRange(invariance.Apart, 0.1, 2);
        Assert.True(Of("mirror", 1).Moved > 0.8, $"{Of("mirror", 1)}");
        Assert.True(Of("rotation", 180).Moved > 0.8, $"{Of("rotation", 180)}");
        Assert.True(Of("brightness", 0.75).Moved < 0.2 && Of("brightness", 0.75).Distance < Of("mirror", 1).Distance / 2, $"{Of("brightness", 0.75)}");
        Assert.True(Of("shift across", 0.05).Distance < Of("shift across", 0.2).Distance);
        Assert.DoesNotContain(invariance.Movements, movement => movement.Transformation is "hue");

        BiasReport bias = await client.BiasAsync("blobs", 800);
        Assert.Equal("corner", bias.Fields[0].Field);
        FieldBias Field(string field) => bias.Fields.Single(f => f.Field.Equals(field, StringComparison.Ordinal));
        Assert.True(Field("corner") is { NormalizedMutualInformation: > 0.8, Values: 4, ByChance: < 0.1 }, $"{Field("corner")}");
        Assert.True(Field("camera") is { NormalizedMutualInformation: < 0.1, Values: 3 }, $"{Field("camera")}");
        Assert.InRange(Field("camera").Items, 300, 500);

        // The same over HTTP, and what is wrong is said.
        using var http = new HttpClient { BaseAddress = silo.Http };
        BiasReport? over = await http.GetFromJsonAsync<BiasReport>("/datasets/blobs/reports/bias?items=800", ShoalJson.Options);
        Assert.Equal(bias.Fields, over!.Fields);
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, (await http.GetAsync("/datasets/blobs/reports/invariance?items=5")).StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync("/datasets/none/reports/bias")).StatusCode);
    }

    [Fact]
    public void A_field_that_names_each_item_comes_to_as_much_by_chance()
    {
        (long, IReadOnlyDictionary<string, string>)[] items =
        [
            .. Enumerable.Range(0, 200).Select(i => ((long)(i % 4), (IReadOnlyDictionary<string, string>)new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = $"{i}", ["kind"] = $"{i % 4}" })),
        ];
        FieldBias[] biases = Bias.Of(items);
        Assert.Equal(["kind", "name"], biases.Select(bias => bias.Field));
        Assert.Equal(1, biases[0].NormalizedMutualInformation, 6);
        Assert.Equal(biases[1].ByChance, biases[1].NormalizedMutualInformation, 6);
        Assert.True(biases[1].ByChance > 0.3);
        Assert.Empty(Bias.Of([]));
    }
}
