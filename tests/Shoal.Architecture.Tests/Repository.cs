using System.Xml.Linq;

namespace Shoal.Architecture.Tests;

/// <summary>A project as its file declares it.</summary>
/// <param name="Name">Its name, without path and extension.</param>
/// <param name="Folder">Its folder, relative to the root, with '/'.</param>
/// <param name="Projects">Names of the projects it references.</param>
/// <param name="Packages">Names of the packages it references.</param>
internal sealed record ProjectFile(string Name, string Folder, IReadOnlyList<string> Projects, IReadOnlyList<string> Packages)
{
    public static ProjectFile Parse(string name, string folder, string xml)
    {
        var root = XElement.Parse(xml);
        return new(name, folder, Includes("ProjectReference", path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'))), Includes("PackageReference", id => id));

        string[] Includes(string element, Func<string, string> read) =>
            [.. root.Descendants(element).Select(e => (string?)e.Attribute("Include")).OfType<string>().Select(read)];
    }
}

/// <summary>A file and its text.</summary>
/// <param name="Path">Relative to the root, with '/'.</param>
/// <param name="Text">Its content.</param>
internal sealed record TextFile(string Path, string Text);

/// <summary>The tree that these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] NotOurs = ["artifacts", "node_modules", ".git", "bin", "obj"];

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<ProjectFile> Projects { get; } =
        [.. Files(".csproj").Select(f => ProjectFile.Parse(Path.GetFileNameWithoutExtension(f.Path), Path.GetDirectoryName(f.Path)!, f.Text))];

    public static IReadOnlyList<TextFile> Sources { get; } = Files(".cs");

    public static IReadOnlyList<TextFile> Files(string ending)
    {
        var found = new List<TextFile>();
        Visit(new DirectoryInfo(Root));
        return [.. found.OrderBy(f => f.Path, StringComparer.Ordinal)];

        void Visit(DirectoryInfo folder)
        {
            found.AddRange(folder.EnumerateFiles()
                .Where(file => file.Name.EndsWith(ending, StringComparison.Ordinal))
                .Select(file => new TextFile(Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'), File.ReadAllText(file.FullName))));
            foreach (var inner in folder.EnumerateDirectories().Where(d => !NotOurs.Contains(d.Name, StringComparer.Ordinal)))
            {
                Visit(inner);
            }
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Shoal.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Shoal.slnx; run the tests from their build output.");
    }
}
