using System.Text.Json;
using Shoal.Cli;

namespace Shoal.Client.Tests;

/// <summary>Commands that read files which are not stored, or write an item's.</summary>
public sealed class CliFileTests(SiloFixture fixture) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-cli-").FullName;

    [Fact]
    public async Task Items_similar_to_a_file_are_found()
    {
        (string name, _) = await fixture.DatasetAsync(maxItemBytes: 3);
        await fixture.Client.PutAsync(name, SiloFixture.Item("near", 12));
        await fixture.Client.PutAsync(name, SiloFixture.Item("far", 200));
        File.WriteAllBytes(Path.Combine(_folder, "a.png"), [10]);
        File.WriteAllBytes(Path.Combine(_folder, "large.png"), [1, 2, 3, 4]);

        (int code, string text, _) = await fixture.RunAsync("similar", name, "--file", Path.Combine(_folder, "a.png"));
        Assert.Equal(ExitCodes.Success, code);
        Assert.Matches("(?s)near.*far", text);
        (code, _, string error) = await fixture.RunAsync("similar", name, "--file", Path.Combine(_folder, "large.png"));
        Assert.Equal((ExitCodes.UserError, "error: The item is larger than the dataset's limit of 3 bytes.\n"), (code, error));
        (code, _, error) = await fixture.RunAsync("similar", name, "--file", Path.Combine(_folder, "nowhere.png"));
        Assert.Equal(ExitCodes.UserError, code);
        Assert.Contains("cannot be read", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_classified_and_not_stored()
    {
        (string name, _) = await fixture.DatasetAsync(maxItemBytes: 3);
        File.WriteAllBytes(Path.Combine(_folder, "a.png"), [1]);
        File.WriteAllBytes(Path.Combine(_folder, "large.png"), [1, 2, 3, 4]);

        (int code, string text, _) = await fixture.RunAsync("classify", name, _folder);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Matches(@"a\.png\W+assigned\W+2\W+80\.0%\W+0\.250", text);
        Assert.Contains("larger than", text, StringComparison.Ordinal);
        (_, text, _) = await fixture.RunAsync("classify", name, _folder, "--json", "--embeddings", "--limit", "1");
        JsonElement line = JsonDocument.Parse(text).RootElement;
        Assert.Equal(("a.png", 2, "AQ=="), (line.GetProperty("id").GetString(), line.GetProperty("cluster").GetInt32(), line.GetProperty("embedding").GetString()));
        (code, _, _) = await fixture.RunAsync("classify", name, Path.Combine(_folder, "large.png"));
        Assert.Equal(ExitCodes.UserError, code);
        Assert.Empty(fixture.Silo.Store.Dataset(name).Items);
    }

    [Fact]
    public async Task An_items_bytes_are_written_as_they_were_sent()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a", 12));
        string path = Path.Combine(_folder, "a.raw");

        (int code, string text, _) = await fixture.RunAsync("content", name, "a", "-o", path);
        Assert.Equal((ExitCodes.Success, 12), (code, Assert.Single(await File.ReadAllBytesAsync(path))));
        Assert.Contains("written", text, StringComparison.Ordinal);
        (code, _, string error) = await fixture.RunAsync("content", name, "b", "-o", Path.Combine(_folder, "b.raw"));
        Assert.Equal((ExitCodes.UserError, $"error: There is no item 'b' in the dataset '{name}'.\n"), (code, error));
        Assert.Single(Directory.GetFiles(_folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
