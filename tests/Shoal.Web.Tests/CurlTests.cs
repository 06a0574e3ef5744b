using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

/// <summary>Every line of docs/reference/http.md that calls curl, run by a shell as it is printed, against a real server over a fake silo.</summary>
public sealed partial class CurlTests(WebFixture fixture, ITestOutputHelper output) : IDisposable
{
    // Curl's exit code for a time that was up, which one that says --max-time waits for.
    private const int TimeIsUp = 28;

    // A grey pixel as PNG: of one item a picture is asked for.
    private static readonly byte[] Seven = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgBwAACQAIICPDjAAAAABJRU5ErkJggg==");
    private static readonly byte[] Owl = Recordings.Tones(16_000, (440, 1.2));

    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-curl-").FullName;

    [Fact]
    public async Task Every_command_of_the_page_succeeds_as_it_is_printed()
    {
        string[] commands = [.. Commands(await File.ReadAllTextAsync(Page()))];
        Assert.True(commands.Length >= 45, $"only {commands.Length} commands were found");
        var failed = new List<string>();
        foreach (string command in commands)
        {
            await PrepareAsync();
            (int code, string said) = await RunAsync(command);
            if (code != (command.Contains("--max-time", StringComparison.Ordinal) ? TimeIsUp : 0))
            {
                failed.Add($"{command}\n    exit code {code}: {said}");
            }
        }

        Assert.True(failed.Count == 0, string.Join("\n", failed));
    }

    [Fact]
    public async Task A_command_that_is_wrong_is_told_from_one_that_is_right()
    {
        await PrepareAsync();
        Assert.NotEqual(0, (await RunAsync("curl $S/datasets/digits/no-such-thing")).Code);
        Assert.NotEqual(0, (await RunAsync("curl -X PUT $S/datasets/digits/clusters/9/name -d '{\"name\":\"x\"}'")).Code);
        Assert.Equal(["curl $S/a | b", "tar -c . | curl $S/c"], Commands("| `GET` | `x` | `curl $S/a \\| b` |\n\n    tar -c . | curl $S/c\n    plain\n"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // In code of tables, where a pipe is escaped, and in indented lines.
    private static IEnumerable<string> Commands(string page) => Inline().Matches(page).Concat(Block().Matches(page)).OrderBy(match => match.Index)
        .Select(match => match.Groups["command"].Value.Replace("\\|", "|", StringComparison.Ordinal));

    /// <summary>What the page takes for granted: a dataset with two items in a merged cluster, a recording, and files to send.</summary>
    private async Task PrepareAsync()
    {
        var digits = new FakeDataset(new DatasetSettings { Height = 28, Width = 28, Channels = 1 });
        fixture.Store.Datasets["digits"] = digits;
        fixture.Store.Datasets.TryRemove("digits-monday", out _);
        fixture.Store.Datasets["night"] = new FakeDataset(new DatasetSettings { Modality = DatasetSettings.Sound, Channels = 1, SampleRate = 16_000 });
        const string hook = "0123456789abcdef";
        fixture.Store.Webhooks[hook] = new WebhookWork(new Webhook { Id = hook, Dataset = "digits", Url = "https://hooks.example.org/shoal", Topics = [WebhookTopics.Items], Progress = new WebhookProgress() }, []);
        digits.Redirects[3] = 1;
        digits.Names[1] = "zeros";
        await PutAsync("items/a/7", Seven);
        // The fake tells clusters by the first byte: both are in one.
        await PutAsync("items/a/8", [Seven[0], 8]);
        using var owl = new ByteArrayContent(Owl);
        owl.Headers.ContentType = new("audio/wav");
        (await fixture.Http.PutAsync("/datasets/night/recordings/owl.wav", owl)).EnsureSuccessStatusCode();

        await File.WriteAllBytesAsync(In("seven.png"), Seven);
        await File.WriteAllBytesAsync(In("eight.png"), [Seven[0], 8]);
        await File.WriteAllBytesAsync(In("owl.wav"), Owl);
        await File.WriteAllBytesAsync(In("weights.safetensors"), [1]);
        await File.WriteAllTextAsync(In("items.ndjson"), """{"id":"b/1","mediaType":"image/png","bytes":"AQ=="}""" + "\n");
        Directory.CreateDirectory(In("photos"));
        await File.WriteAllBytesAsync(In("photos/1.png"), [1]);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private async Task PutAsync(string route, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        (await fixture.Http.PutAsync($"/datasets/digits/{route}", content)).EnsureSuccessStatusCode();
    }

    private async Task<(int Code, string Said)> RunAsync(string command)
    {
        // The page prints no flags for scripts: here an answer of 400 and more must be a failure.
        var start = new ProcessStartInfo("bash", ["-c", $"set -o pipefail; curl() {{ command curl -sS --fail-with-body \"$@\"; }}; {command}"])
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["S"] = fixture.Address.ToString().TrimEnd('/');
        try
        {
            using var process = Process.Start(start)!;
            Task<string> text = process.StandardOutput.ReadToEndAsync();
            Task<string> error = process.StandardError.ReadToEndAsync();
            // Some commands wait for a change.
            for (int i = 0; !process.WaitForExit(TimeSpan.FromMilliseconds(1)); i++)
            {
                if (command.Contains("wait=", StringComparison.Ordinal))
                {
                    await PutAsync(string.Create(CultureInfo.InvariantCulture, $"items/late/{i}"), [1]);
                }

                await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(200));
            }

            return (process.ExitCode, await text + await error);
        }
        catch (Win32Exception e)
        {
            output.WriteLine($"skipped: there is no bash here: {e.Message}");
            Assert.Skip("There is no bash here.");
            throw;
        }
    }

    private static string Page()
    {
        string? folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder!, "Shoal.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return Path.Combine(folder!, "docs/reference/http.md");
    }

    [GeneratedRegex("`(?<command>curl [^`]+)`", RegexOptions.None, 1_000)]
    private static partial Regex Inline();

    [GeneratedRegex("^    (?<command>[^\\n]*\\bcurl [^\\n]*)$", RegexOptions.Multiline, 1_000)]
    private static partial Regex Block();
}
