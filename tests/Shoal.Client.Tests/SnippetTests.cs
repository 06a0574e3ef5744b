using System.Text.RegularExpressions;
using Shoal.Client.Tests.Snippets;
using Shoal.Fakes;
using Shoal.TestKit;

namespace Shoal.Client.Tests;

public sealed partial class SnippetTests(SiloFixture fixture)
{
    [Theory]
    [InlineData("ingest-from-csharp.md", "IngestSnippets.cs", 3)]
    [InlineData("query-from-csharp.md", "QuerySnippets.cs", 5)]
    [InlineData("produce-a-stream.md", "StreamSnippets.cs", 2)]
    public void Code_in_the_documents_is_code_that_is_compiled(string document, string source, int count)
    {
        string root = Tree.Root;
        Dictionary<string, string> compiled = Region().Matches(File.ReadAllText(Path.Combine(root, "tests/Shoal.Client.Tests/Snippets", source)))
            .ToDictionary(match => match.Groups["name"].Value, match => Dedent(match.Groups["code"].Value), StringComparer.Ordinal);
        MatchCollection shown = Fence().Matches(File.ReadAllText(Path.Combine(root, "docs/how-to", document)));

        Assert.Equal(count, shown.Count);
        Assert.All(shown, fence => Assert.Equal(compiled[fence.Groups["name"].Value], fence.Groups["code"].Value));
    }

    [Fact]
    public async Task The_ingest_and_query_snippets_run()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();
        string folder = Directory.CreateTempSubdirectory("shoal-snippets-").FullName;
        File.WriteAllBytes(Path.Combine(folder, "a.png"), [0]);

        Assert.True(await IngestSnippets.CreateAsync(fixture.Client, name + "-new"));
        Assert.Equal((1, 0), await IngestSnippets.IngestAsync(fixture.Client, name, folder));
        Assert.True((await IngestSnippets.PutAsync(fixture.Client, name, [0])).IsStored);
        Assert.Single(await QuerySnippets.ClustersAsync(fixture.Client, name));
        Assert.StartsWith("the usual, 90", await QuerySnippets.QueryAsync(fixture.Client, name, "a.png"), StringComparison.Ordinal);
        Assert.Single((await QuerySnippets.SimilarAsync(fixture.Client, name, "a.png")).Items);
        Assert.Single(await QuerySnippets.ClassifyAsync(fixture.Client, name, dataset.Items.Values.Select(item => item.Upload).Take(1).ToAsyncEnumerable()));
        Directory.Delete(folder, recursive: true);
    }

    [GeneratedRegex(@"^ *// <(?<name>[a-z-]+)>\n(?<code>.*?)^ *// </\k<name>>$", RegexOptions.Multiline | RegexOptions.Singleline, 1_000)]
    private static partial Regex Region();

    [GeneratedRegex(@"<!-- snippet: (?<name>[a-z-]+) -->\n```csharp\n(?<code>.*?)```", RegexOptions.Singleline, 1_000)]
    private static partial Regex Fence();

    private static string Dedent(string code)
    {
        string[] lines = code.TrimEnd('\n').Split('\n');
        int indent = lines.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Concat(lines.Select(line => (line.Length > indent ? line[indent..] : string.Empty) + "\n"));
    }
}
