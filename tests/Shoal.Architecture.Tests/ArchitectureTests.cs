namespace Shoal.Architecture.Tests;

/// <summary>Holds the tree to its rules, and each rule to a made-up tree that breaks it.</summary>
public sealed class ArchitectureTests
{
    private static readonly string[] Layers = [.. Rules.MayKnow.Keys.Where(name => name is not "Shoal.Demo")];

    [Fact]
    public void Every_project_of_the_design_exists() =>
        Assert.Empty(Layers.Except(Repository.Projects.Select(p => p.Name), StringComparer.Ordinal));

    [Fact]
    public void Dependencies_point_downwards() => Assert.Empty(Rules.References(Repository.Projects));

    [Theory]
    [InlineData("Shoal.Contracts", "../Shoal.Learning/Shoal.Learning.csproj", "Shoal.Contracts references Shoal.Learning; it may know no one.")]
    [InlineData("Shoal.Media", "../Shoal.Contracts/Shoal.Contracts.csproj", "Shoal.Media references Shoal.Contracts; it may know no one.")]
    [InlineData("Shoal.Cli", @"..\..\src\Shoal.Contracts\Shoal.Contracts.csproj", "Shoal.Cli references Shoal.Contracts; it may know Shoal.Client, Shoal.Console.")]
    [InlineData("Shoal.Web", "../Shoal.Grains/Shoal.Grains.csproj", "Shoal.Web references Shoal.Grains; it may know Shoal.Contracts, Shoal.Client, Shoal.Images.")]
    [InlineData("Shoal.Grains", "../../tests/Shoal.TestKit/Shoal.TestKit.csproj", "Shoal.Grains references Shoal.TestKit; it may know Shoal.Contracts, Shoal.Images, Shoal.Learning, Shoal.Media, Shoal.Storage.")]
    public void A_reference_upwards_is_reported(string project, string reference, string violation) =>
        Assert.Equal([violation], Rules.References([Made(project, $"<ProjectReference Include='{reference}' />")]));

    [Fact]
    public void A_project_that_the_table_does_not_know_is_reported() =>
        Assert.StartsWith("Shoal.Extra is not in the table", Assert.Single(Rules.References([Made("Shoal.Extra", "")])), StringComparison.Ordinal);

    [Fact]
    public void Packages_stay_in_their_layers() => Assert.Empty(Rules.Packages(Repository.Projects));

    [Theory]
    [InlineData("Shoal.Learning", "Microsoft.Orleans.Sdk")]
    [InlineData("Shoal.Storage", "Microsoft.Orleans.Server")]
    [InlineData("Shoal.Media", "microsoft.orleans.client")]
    [InlineData("Shoal.Media", "TorchSharp")]
    [InlineData("Shoal.Grains", "TorchSharp")]
    [InlineData("Shoal.Silo", "libtorch-cpu-linux-x64")]
    public void A_package_out_of_its_layer_is_reported(string project, string package) =>
        Assert.StartsWith($"{project} references {package};", Assert.Single(Rules.Packages([Made(project, $"<PackageReference Include='{package}' />")])), StringComparison.Ordinal);

    [Fact]
    public void Every_project_with_code_is_in_the_solution() =>
        Assert.Empty(Rules.Solution(Repository.Projects, Assert.Single(Repository.Files("Shoal.slnx")).Text, Repository.Sources));

    [Fact]
    public void A_project_outside_of_the_solution_is_reported()
    {
        var projects = new[] { Made("Shoal.In", ""), Made("Shoal.Out", ""), Made("Shoal.Empty", "") };
        var sources = new[] { new TextFile("src/Shoal.In/A.cs", ""), new TextFile("src/Shoal.Out/B.cs", "") };
        Assert.Equal(
            ["src/Shoal.Out/Shoal.Out.csproj is not in Shoal.slnx; nothing would build or test it."],
            Rules.Solution(projects, "<Project Path=\"src/Shoal.In/Shoal.In.csproj\" />", sources));
    }

    [Fact]
    public void Lock_files_are_there_and_hold_no_addresses()
    {
        var withCode = Repository.Projects.Where(p => Repository.Sources.Any(s => s.Path.StartsWith(p.Folder + "/", StringComparison.Ordinal)));
        Assert.Empty(Rules.LockFiles(withCode, [.. Repository.Files("packages.lock.json"), .. Repository.Files("package-lock.json")]));
    }

    [Fact]
    public void A_lock_file_with_an_address_and_a_missing_one_are_reported()
    {
        var violations = Rules.LockFiles([Made("Shoal.Media", "")], [new TextFile("tests/package-lock.json", "{ \"resolved\": \"https://mirror.example/a.tgz\" }")]);
        Assert.Equal(
            [
                "tests/package-lock.json holds the address https://mirror.example/a.tgz; a lock file names packages and hashes only.",
                "src/Shoal.Media has no packages.lock.json; run dotnet restore and commit it.",
            ],
            violations);
    }

    [Fact]
    public void Files_are_short_enough_to_read() => Assert.Empty(Rules.Length(Repository.Sources));

    [Fact]
    public void A_long_file_is_reported() =>
        Assert.Equal(
            ["src/Long.cs has 451 lines; at most 450."],
            Rules.Length([new("src/Long.cs", new string('\n', 451)), new("src/Fine.cs", new string('\n', 450))]));

    [Fact]
    public void Nothing_is_left_unfinished_and_nothing_sleeps() => Assert.Empty(Rules.Words(Repository.Sources));

    [Fact]
    public void An_unfinished_line_and_a_sleep_are_reported()
    {
        var code = $"class A\n{{\n    // {"TO" + "DO"}: later\n    int B() => throw new {"NotImplemented" + "Exception"}();\n    void C() => Thread{".Sleep"}(1);\n}}\n";
        Assert.Equal(["src/A.cs:3 says TO" + "DO.", "src/A.cs:4 says NotImplemented" + "Exception.", "src/A.cs:5 says Thread" + ".Sleep."], Rules.Words([new("src/A.cs", code)]));
    }

    [Fact]
    public void The_tree_that_is_judged_is_there()
    {
        // Guards the rules above against an empty list, which breaks none of them.
        Assert.True(Repository.Projects.Count >= Layers.Length);
        Assert.Contains(Repository.Sources, s => s.Path.Equals("src/Shoal.Contracts/Names.cs", StringComparison.Ordinal));
    }

    private static ProjectFile Made(string name, string items) =>
        ProjectFile.Parse(name, $"src/{name}", $"<Project><ItemGroup>{items}</ItemGroup></Project>");
}
