using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Runtime.Versioning;
using Shoal.Cli;
using Shoal.Contracts;
using Shoal.TestKit;
using Spectre.Console.Testing;

namespace Shoal.Client.Tests;

/// <summary>What the README prints. infra/newcomer.sh runs it in a bare system, which takes long; here is what can be told of it in a second.</summary>
[SupportedOSPlatform("linux")]
public sealed class ReadmeTests : IDisposable
{
    // What ./shoal does with any other word is said by the command line.
    private static readonly string[] Programs = ["demo", "serve", "test"];

    /// <summary>A README, with a command that is left out and one that is output.</summary>
    private const string Small = """
        ## Try it

            ./shoal demo

        ```
            ./shoal output
        ```

            ./shoal test

        ## On your own images

            ./shoal serve --data there    # leave it running
            ./shoal watch photos
            ./shoal name photos 3 "the cat"   # any

        ## Else

            ./shoal other
        """;

    /// <summary>Stands for ./shoal: writes down how it is called, refuses what it does not know, and shows a name once one was given. What goes on is the program itself, as of the real one: a shell whose program ended just before Ctrl-C would go on.</summary>
    private const string Stub = """
        #!/usr/bin/env bash
        # In one piece: two of these run side by side.
        call=$(printf '%s|' "$@")
        echo "$call" >> calls
        case $1 in
          demo) ;;
          status) grep -q '^serve' calls ;;
          name) echo "$4" > name ;;
          clusters) if [ -e name ]; then echo "[{\"id\":3,\"name\":\"$(cat name)\",\"count\":2}]"; elif grep -q '^watch' calls; then echo '[{"id":3,"count":2}]'; fi ;;
          serve | watch) exec sleep 60 ;;
          *) exit 2 ;;
        esac
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-readme-").FullName;

    [Fact]
    public async Task Every_command_of_the_README_is_one_that_the_command_line_takes()
    {
        File.Copy(Path.Combine(Tree.Root, "README.md"), Path.Combine(_folder, "README.md"));
        string[][] commands = [.. (await FollowAsync(string.Empty, "--list")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Words)];

        Assert.All(commands, words => Assert.Equal("./shoal", words[0]));
        // From a start without anything to a cluster with a name.
        string[] verbs = [.. commands.Select(words => words[1])];
        Assert.Subset(verbs.ToHashSet(), new HashSet<string> { "demo", "test", "serve", "dataset", "ingest", "watch", "clusters", "query", "name-by-examples", "delete", "changes", "backup" });
        foreach (string[] words in commands.Where(words => !Programs.Contains(words[1], StringComparer.Ordinal)))
        {
            Assert.Equal((ExitCodes.ServerError, "error: No silo here.\n"), await ParseAsync(words[1..]));
        }
    }

    [Theory]
    [InlineData("./shoal ingest photos ~/Pictures --folow")]
    [InlineData("./shoal dataset crate photos")]
    [InlineData("./shoal name photos three \"the cat\"")]
    public async Task A_slip_in_a_command_is_found(string command)
    {
        (int code, string error) = await ParseAsync(Words(command)[1..]);

        Assert.Equal(ExitCodes.UserError, code);
        Assert.EndsWith("Try --help.\n", error, StringComparison.Ordinal);
    }

    // What a shell without job control starts in the background ignores Ctrl-C, and so would all that it starts.
    [Theory]
    [InlineData("")]
    [InlineData("trap '' INT; ")]
    public async Task Commands_are_run_as_printed_one_after_another(string before)
    {
        File.WriteAllText(Path.Combine(_folder, "README.md"), Small);

        var clock = Stopwatch.StartNew();
        (int code, string text, string error) = await FollowAsync(before);

        Assert.True(code == 0, error);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(40), "what is ended by Ctrl-C went on for a minute");
        Assert.Contains("== left out: ./shoal test", text, StringComparison.Ordinal);
        // Without how it asks whether the silo answers, and whether there are clusters.
        string[] calls = [.. File.ReadAllLines(Path.Combine(_folder, "calls")).Where(call => call is not ("status|" or "clusters|photos|--json|"))];
        Assert.Equal(["demo|", "serve|--data|there|", "watch|photos|", "name|photos|3|the cat|"], calls);
    }

    [Theory]
    [InlineData("./shoal name photos", "./shoal nmae photos", "FAILED: ./shoal nmae photos 3 \"the cat\"   # any (exit code 2)")]
    [InlineData("    ./shoal name photos 3 \"the cat\"   # any\n", "", "FAILED: no cluster of photos has items and a name")]
    [InlineData("./shoal serve --data", "./shoal srve --data", "FAILED: ./shoal srve --data there    # leave it running (exit code 2)")]
    [InlineData("## On your own images", "## With your own images", "FAILED: README.md has no commands under '## On your own images'")]
    public async Task A_README_that_does_not_do_what_it_says_is_found(string right, string wrong, string said)
    {
        Assert.Contains(right, Small, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "README.md"), Small.Replace(right, wrong, StringComparison.Ordinal));

        (int code, _, string error) = await FollowAsync(string.Empty);

        Assert.Equal(1, code);
        Assert.Contains(said, error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // As a shell reads it, as far as the README goes: words, double quotes, a comment.
    private static string[] Words(string command) => [.. CommandLineParser.SplitCommandLine(command.Split(" #")[0])];

    private static async Task<(int Code, string Error)> ParseAsync(string[] arguments)
    {
        using var text = new StringWriter();
        using var error = new StringWriter();
        using var terminal = new TestConsole();
        int code = await ShoalCli.RunAsync(arguments, new CliSurroundings
        {
            Out = text,
            Error = error,
            Terminal = terminal,
            Connect = static (_, _) => throw new ShoalException(ShoalErrorKind.Unavailable, "No silo here."),
        });
        return (code, error.ToString());
    }

    private async Task<(int Code, string Text, string Error)> FollowAsync(string before, params string[] arguments)
    {
        string stub = Path.Combine(_folder, "shoal");
        File.WriteAllText(stub, Stub);
        File.SetUnixFileMode(stub, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var start = new ProcessStartInfo("bash", ["-c", $"{before}exec \"$0\" \"$@\"", Path.Combine(Tree.Root, "infra/follow-readme.sh"), .. arguments])
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Nothing listens there, whatever runs on this machine.
        start.Environment["SHOAL_SILO"] = "127.0.0.1:1";
        using var process = Process.Start(start)!;
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await text, error);
    }
}
