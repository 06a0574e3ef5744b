using System.Text.Json.Nodes;
using Shoal.Grains.Datasets;
using Shoal.Grains.Training;
using Shoal.Storage;
using Shoal.Storage.Tests;

namespace Shoal.Grains.Tests;

/// <summary>Documents that earlier versions wrote stay readable for ever. Never change a file in Golden; add another.</summary>
public sealed class GoldenTests
{
    [Fact]
    public async Task A_manifest_of_format_4_is_read_and_nothing_of_it_is_lost_when_it_is_written_again()
    {
        Manifest manifest = await ReadAndWriteAsync("manifest-v4.json");
        Assert.Equal((26, 4, 4), (manifest.Round, manifest.State.Cursors.Length, manifest.Versions.Length));
        Assert.Equal(["model", "optimizer", "progress", "replay"], manifest.State.Parts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([0, 1, 2, 3], Assert.Single(manifest.State.EverySeat()).Shards);
        Assert.NotNull(manifest.State.Bank);
        Assert.True(manifest.State.Progress!.Steps > 0);
    }

    [Fact]
    public async Task So_is_one_of_format_5_which_two_seats_trained()
    {
        Manifest manifest = await ReadAndWriteAsync("manifest-v5.json");
        Assert.Equal(["clusters", "labels", "model"], manifest.State.Parts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(2, manifest.State.Seats.Length);
        Assert.Equal([0, 1, 2, 3], manifest.State.EverySeat().SelectMany(seat => seat.Shards).Order());
        Assert.All(manifest.State.Seats, seat => Assert.Equal(["optimizer", "progress", "replay"], seat.Parts.Keys.Order(StringComparer.Ordinal)));
        Assert.Subset(manifest.Objects().ToHashSet(StringComparer.Ordinal), manifest.State.Seats.SelectMany(seat => seat.Parts.Values).Select(claim => claim.Name).ToHashSet(StringComparer.Ordinal));
        Assert.All(manifest.Moved("datasets/items/", "datasets/other/").Objects(), name => Assert.StartsWith("datasets/other/", name, StringComparison.Ordinal));
    }

    private static async Task<Manifest> ReadAndWriteAsync(string file)
    {
        var golden = Path.Combine(AppContext.BaseDirectory, "Golden", file);
        using var folder = new TempFolder();
        File.Copy(golden, folder.Sub("manifest"));
        using var store = new FileObjectStore(folder.Path);
        var document = new StoredDocument<Manifest>(store, "manifest");
        await document.LoadAsync();
        Manifest manifest = document.Value!;
        Assert.Null(manifest.FormatProblem());
        await document.SaveAsync(manifest);
        Assert.Empty(Lost(JsonNode.Parse(await File.ReadAllTextAsync(golden))!, JsonNode.Parse(await File.ReadAllTextAsync(folder.Sub("manifest"))), "$"));
        return manifest;
    }

    [Fact]
    public void A_manifest_of_a_format_to_come_or_gone_says_so() =>
        Assert.All([3, 6], format => Assert.Contains($"format {format}", new Manifest { Format = format }.FormatProblem(), StringComparison.Ordinal));

    // What stands in the one and not, or otherwise, in the other.
    private static IEnumerable<string> Lost(JsonNode? was, JsonNode? now, string path) => (was, now) switch
    {
        (JsonObject a, JsonObject b) => a.SelectMany(p => Lost(p.Value, b[p.Key], $"{path}.{p.Key}")),
        (JsonArray a, JsonArray b) when a.Count == b.Count => a.Zip(b).SelectMany((p, i) => Lost(p.First, p.Second, $"{path}[{i}]")),
        _ => JsonNode.DeepEquals(was, now) ? [] : [path],
    };
}
