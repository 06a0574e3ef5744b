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
        var golden = Path.Combine(AppContext.BaseDirectory, "Golden", "manifest-v4.json");
        using var folder = new TempFolder();
        File.Copy(golden, folder.Sub("manifest"));
        using var store = new FileObjectStore(folder.Path);
        var document = new StoredDocument<Manifest>(store, "manifest");
        await document.LoadAsync();
        Manifest manifest = document.Value!;
        Assert.Null(manifest.FormatProblem());
        Assert.Equal((26, 4, 4), (manifest.Round, manifest.State.Cursors.Length, manifest.Versions.Length));
        Assert.Equal(["model", "optimizer", "progress", "replay"], manifest.State.Parts.Keys.Order(StringComparer.Ordinal));
        Assert.NotNull(manifest.State.Bank);
        Assert.True(manifest.State.Progress!.Steps > 0);

        await document.SaveAsync(manifest);
        Assert.Empty(Lost(JsonNode.Parse(await File.ReadAllTextAsync(golden))!, JsonNode.Parse(await File.ReadAllTextAsync(folder.Sub("manifest"))), "$"));
    }

    [Fact]
    public void A_manifest_of_a_format_to_come_or_gone_says_so() =>
        Assert.All([3, 5], format => Assert.Contains($"format {format}", new Manifest { Format = format }.FormatProblem(), StringComparison.Ordinal));

    // What stands in the one and not, or otherwise, in the other.
    private static IEnumerable<string> Lost(JsonNode? was, JsonNode? now, string path) => (was, now) switch
    {
        (JsonObject a, JsonObject b) => a.SelectMany(p => Lost(p.Value, b[p.Key], $"{path}.{p.Key}")),
        (JsonArray a, JsonArray b) when a.Count == b.Count => a.Zip(b).SelectMany((p, i) => Lost(p.First, p.Second, $"{path}[{i}]")),
        _ => JsonNode.DeepEquals(was, now) ? [] : [path],
    };
}
