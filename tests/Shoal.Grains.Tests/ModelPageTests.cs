using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Learning;
using Shoal.Storage;
using Shoal.Storage.Tests;

namespace Shoal.Grains.Tests;

/// <summary>The program of docs/how-to/read-a-model.md, as it stands there, assigns as this code does.</summary>
public sealed partial class ModelPageTests(ITestOutputHelper output)
{
    private const int Width = 8;

    // The system's, where somebody's own comes first and has no numpy.
    private static readonly string[] Pythons = ["python3", "/usr/bin/python3"];

    [Fact]
    public async Task The_program_of_the_page_assigns_as_shoal_does()
    {
        string? python = null;
        foreach (var candidate in Pythons)
        {
            (var imported, _, var problem) = await RunAsync(candidate, "-c", "import numpy");
            if (imported == 0)
            {
                python = candidate;
                break;
            }

            output.WriteLine($"{candidate}: {problem.Trim()}");
        }

        Assert.SkipWhen(python is null, "Python with numpy is not here: as root, apt-get install python3-numpy (infra/prerequisites.sh tools does it).");

        using var folder = new TempFolder();
        var random = new Random(7);
        // Six prototypes of three slots, one of them not in use; slot 1 has no id, as that of a cluster that nobody sees.
        var rows = Enumerable.Range(0, 6 * Width).Select(i => i / Width == 4 ? 0f : (float)(random.NextDouble() - 0.5)).ToArray();
        Half[] landmarks = [.. Enumerable.Range(0, 20).SelectMany(_ => Unit(random))];
        NamedTensor[] model =
        [
            NamedTensor.Of<float>("prototypes", rows, 6, Width),
            NamedTensor.Of<long>("prototypes.clusters", [0, 1, 2, 0, 2, 2], 6),
            NamedTensor.Of<float>("scale", [12f], 1),
            NamedTensor.Of<float>("reach", [0.35f], 1),
            NamedTensor.Of<Half>("landmarks", landmarks, 20, Width),
        ];
        long[] clusters = [11, 5, 23];
        Half[][] embeddings = [.. Enumerable.Range(0, 300).Select(_ => Unit(random))];
        var path = (string name) => Path.Combine(folder.Path, name);
        await File.WriteAllBytesAsync(path("model.safetensors"), SafeTensors.Write(model.Select(t => new TensorEntry(t.Name, t.DType, t.Shape, t.Data)), metadata: null));
        await File.WriteAllTextAsync(path("model.json"), JsonSerializer.Serialize(new { version = 7, clusters }));
        await File.WriteAllTextAsync(path("read.py"), Program());
        await using (FileStream npz = File.Create(path("embeddings.npz")))
        {
            await NpzExport.EmbeddingsAsync(embeddings.Chunk(130).Index().Select(part => Slice(part.Index * 130, part.Item)).ToAsyncEnumerable(), npz, CancellationToken.None);
        }

        (var code, var text, var error) = await RunAsync(python, path("read.py"), path("model.json"), path("model.safetensors"), path("embeddings.npz"));

        Assert.True(code == 0, error);
        Prototypes prototypes = Prototypes.Read(model);
        string[][] lines = [.. text.TrimEnd('\n').Split('\n').Select(line => line.Split('\t'))];
        Assert.Equal(300, lines.Length);
        foreach ((var i, Half[] embedding) in embeddings.Index())
        {
            Placement placed = prototypes.Assign(embedding);
            Assert.Equal(($"été/{i:D3}", "7", placed.IsOutlier ? 0 : clusters[placed.Slot]), (lines[i][0], lines[i][1], long.Parse(lines[i][2], CultureInfo.InvariantCulture)));
            Assert.Equal(placed.Confidence, float.Parse(lines[i][3], CultureInfo.InvariantCulture), 1e-3f);
        }

        // All of it was put to the test.
        Assert.Equal(["0", "11", "23", "5"], lines.Select(line => line[2]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    private static EmbeddingSlice Slice(int first, Half[][] embeddings) => new()
    {
        Ids = [.. Enumerable.Range(first, embeddings.Length).Select(i => $"été/{i:D3}")],
        Versions = [.. embeddings.Select(_ => 7)],
        Embeddings = [.. embeddings.SelectMany(embedding => MemoryMarshal.AsBytes(embedding.AsSpan()).ToArray())],
        Width = Width,
    };

    private static Half[] Unit(Random random)
    {
        double[] values = [.. Enumerable.Range(0, Width).Select(_ => random.NextDouble() - 0.5)];
        var length = Math.Sqrt(values.Sum(value => value * value));
        return Array.ConvertAll(values, value => (Half)(value / length));
    }

    private static string Program()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder!, "Shoal.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return Assert.Single(Code().Matches(File.ReadAllText(Path.Combine(folder!, "docs/how-to/read-a-model.md")))).Groups["code"].Value;
    }

    private static async Task<(int Code, string Text, string Error)> RunAsync(string python, params string[] arguments)
    {
        var start = new ProcessStartInfo(python, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        try
        {
            using var process = Process.Start(start)!;
            Task<string> text = process.StandardOutput.ReadToEndAsync();
            var error = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, await text, error);
        }
        catch (Win32Exception e)
        {
            return (-1, string.Empty, e.Message);
        }
    }

    [GeneratedRegex("```python\n(?<code>.*?)```", RegexOptions.Singleline, 1_000)]
    private static partial Regex Code();
}
