using System.Text.RegularExpressions;

namespace Shoal.Architecture.Tests;

/// <summary>The rules, as functions of what they judge, so that each can be shown to catch what it forbids. They return one sentence a violation.</summary>
internal static partial class Rules
{
    /// <summary>A page of code that is longer is two things.</summary>
    public const int MostLines = 450;

    /// <summary>Who may know whom: dependencies point downwards. Tests and benchmarks may know everyone, and nobody knows them.</summary>
    public static IReadOnlyDictionary<string, string[]> MayKnow { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Shoal.Contracts"] = [],
        ["Shoal.Learning"] = [],
        ["Shoal.Storage"] = [],
        ["Shoal.Media"] = [],

        // What needs Skia's native library, which clients do without.
        ["Shoal.Images"] = ["Shoal.Media"],
        ["Shoal.Grains"] = ["Shoal.Contracts", "Shoal.Images", "Shoal.Learning", "Shoal.Media", "Shoal.Storage"],

        // It cuts recordings into windows.
        ["Shoal.Client"] = ["Shoal.Contracts", "Shoal.Media"],

        // It draws items.
        ["Shoal.Web"] = ["Shoal.Contracts", "Shoal.Client", "Shoal.Images"],
        // They ask what every client asks, and know nothing of grains or tensors.
        ["Shoal.Pages"] = ["Shoal.Contracts", "Shoal.Client"],
        ["Shoal.Silo"] = ["Shoal.Grains", "Shoal.Pages", "Shoal.Web"],
        ["Shoal.Console"] = ["Shoal.Contracts"],
        ["Shoal.Cli"] = ["Shoal.Client", "Shoal.Console"],

        // The demo is a producer and a silo in one process.
        ["Shoal.Demo"] = ["Shoal.Client", "Shoal.Console", "Shoal.Images", "Shoal.Learning", "Shoal.Silo"],
    };

    public static IEnumerable<string> References(IEnumerable<ProjectFile> projects)
    {
        foreach (var project in projects.Where(IsProduct))
        {
            if (!MayKnow.TryGetValue(project.Name, out var allowed))
            {
                yield return $"{project.Name} is not in the table of who may know whom; add it to {nameof(Rules)}.{nameof(MayKnow)} and to the design.";
                continue;
            }

            foreach (var other in project.Projects.Except(allowed, StringComparer.Ordinal))
            {
                yield return $"{project.Name} references {other}; it may know {(allowed.Length == 0 ? "no one" : string.Join(", ", allowed))}.";
            }
        }
    }

    public static IEnumerable<string> Packages(IEnumerable<ProjectFile> projects)
    {
        foreach (var project in projects.Where(IsProduct))
        {
            foreach (var package in project.Packages)
            {
                if (package.StartsWith("Microsoft.Orleans.", StringComparison.OrdinalIgnoreCase) && project.Name is "Shoal.Learning" or "Shoal.Storage" or "Shoal.Media" or "Shoal.Images")
                {
                    yield return $"{project.Name} references {package}; learning, storage and media work without Orleans.";
                }

                if (package.StartsWith("TorchSharp", StringComparison.OrdinalIgnoreCase) && project.Name is not "Shoal.Learning")
                {
                    yield return $"{project.Name} references {package}; only Shoal.Learning does, others get it through it.";
                }

                if (package.StartsWith("libtorch", StringComparison.OrdinalIgnoreCase))
                {
                    yield return $"{project.Name} references {package}; say <UsesTorchRuntime>true</UsesTorchRuntime>, so that the build picks it.";
                }
            }
        }
    }

    public static IEnumerable<string> Solution(IEnumerable<ProjectFile> projects, string solution, IEnumerable<TextFile> sources) =>
        projects.Where(p => sources.Any(s => s.Path.StartsWith(p.Folder + "/", StringComparison.Ordinal)))
            .Where(p => !solution.Contains($"\"{p.Folder}/{p.Name}.csproj\"", StringComparison.Ordinal))
            .Select(p => $"{p.Folder}/{p.Name}.csproj is not in Shoal.slnx; nothing would build or test it.");

    public static IEnumerable<string> LockFiles(IEnumerable<ProjectFile> projects, IReadOnlyList<TextFile> locks)
    {
        foreach (var file in locks)
        {
            var address = Address().Match(file.Text);
            if (address.Success)
            {
                yield return $"{file.Path} holds the address {address.Value}; a lock file names packages and hashes only.";
            }
        }

        foreach (var project in projects.Where(p => !locks.Any(l => l.Path.Equals($"{p.Folder}/packages.lock.json", StringComparison.Ordinal))))
        {
            yield return $"{project.Folder} has no packages.lock.json; run dotnet restore and commit it.";
        }
    }

    public static IEnumerable<string> Length(IEnumerable<TextFile> sources) =>
        sources.Select(s => (s.Path, Lines: s.Text.Count(c => c == '\n')))
            .Where(s => s.Lines > MostLines)
            .Select(s => $"{s.Path} has {s.Lines} lines; at most {MostLines}.");

    public static IEnumerable<string> Words(IEnumerable<TextFile> sources) =>
        sources.SelectMany(s => Forbidden().Matches(s.Text).Select(m =>
            $"{s.Path}:{s.Text.AsSpan(0, m.Index).Count('\n') + 1} says {m.Value}."));

    private static bool IsProduct(ProjectFile project) => !project.Folder.StartsWith("tests/", StringComparison.Ordinal);

    [GeneratedRegex(@"[a-z]+://[^""\s]*", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Address();

    // The brackets keep this file from breaking its own rule.
    [GeneratedRegex(@"\bNotImplemente[d]Exception\b|\bTOD[O]\b|\bFIXM[E]\b|\bThread\.Slee[p]\b", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Forbidden();
}
