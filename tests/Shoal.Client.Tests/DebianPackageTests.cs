using System.Diagnostics;
using System.Runtime.Versioning;
using Shoal.Contracts;

namespace Shoal.Client.Tests;

/// <summary>A package that is made here, fetched by what stands in for apt, and unpacked by Debian's own program.</summary>
[SupportedOSPlatform("linux")]
public sealed class DebianPackageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-deb-").FullName;

    private string Cache => Path.Combine(_folder, "cache");

    private string Calls => Path.Combine(_folder, "calls");

    [Fact]
    public async Task A_package_is_fetched_and_unpacked_once_and_nothing_else_is_left()
    {
        var packages = new DebianPackages(Apt($"cp {MakePackage()} ."));
        List<string> told = [];

        string files = await packages.FetchIntoAsync("hits", Cache, told.Add, CancellationToken.None);
        Assert.Equal("boom", await File.ReadAllTextAsync(Path.Combine(files, "usr/share/hits/kick.wav")));
        Assert.Equal(files, await packages.FetchIntoAsync("hits", Cache, told.Add, CancellationToken.None));

        Assert.Equal($"fetching once: apt-get download hits into {Cache}", Assert.Single(told));
        Assert.Single(await File.ReadAllLinesAsync(Calls));
        Assert.Equal([files], Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public async Task A_machine_whose_lists_of_packages_are_empty_gets_lists_that_need_no_rights()
    {
        // Knows the package only by the lists that were updated before, in the folder that it is told.
        string apt = Apt($$"""
            for a in "$@"; do case $a in Dir::State::Lists=*) lists=${a#*=};; esac; done
            case "$*" in
              *update) test -d "$lists/partial" && touch "$lists/known" ;;
              *) if [ -e "$lists/known" ]; then cp {{MakePackage()}} .; else echo "E: Unable to locate package" >&2; exit 100; fi ;;
            esac
            """);

        string files = await new DebianPackages(apt).FetchIntoAsync("hits", Cache, static _ => { }, CancellationToken.None);

        Assert.True(File.Exists(Path.Combine(files, "usr/share/hits/kick.wav")));
        string[] calls = [.. (await File.ReadAllLinesAsync(Calls)).Select(call => call.Split(' ')[^1])];
        Assert.Equal(["hits", "update", "hits"], calls);
        Assert.Equal([files], Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public async Task What_fails_says_why_and_leaves_nothing_that_looks_whole()
    {
        Assert.Contains("exit code 100", await FailAsync(Apt("echo 'E: no network' >&2; exit 100")), StringComparison.Ordinal);
        Assert.Contains("E: no network", await FailAsync(Apt("echo 'E: no network' >&2; exit 100")), StringComparison.Ordinal);
        Assert.Contains("dpkg-deb could not unpack hits", await FailAsync(Apt("echo torn > hits.deb")), StringComparison.Ordinal);
        Assert.Contains("downloaded no hits", await FailAsync(Apt("true")), StringComparison.Ordinal);
        Assert.StartsWith("no-such-apt is missing", await FailAsync(Path.Combine(_folder, "no-such-apt")), StringComparison.Ordinal);

        async Task<string> FailAsync(string apt)
        {
            var failure = await Assert.ThrowsAsync<ShoalException>(() => new DebianPackages(apt).FetchIntoAsync("hits", Cache, static _ => { }, CancellationToken.None));
            Assert.Equal(ShoalErrorKind.Unavailable, failure.Kind);
            Assert.Empty(Directory.GetFileSystemEntries(Cache));
            return failure.Message;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // A script that notes how it is called.
    private string Apt(string does)
    {
        string script = Path.Combine(_folder, "apt");
        File.WriteAllText(script, $"#!/bin/sh\necho \"$*\" >> {Calls}\n{does}\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return script;
    }

    private string MakePackage()
    {
        string root = Path.Combine(_folder, "package");
        Directory.CreateDirectory(Path.Combine(root, "DEBIAN"));
        Directory.CreateDirectory(Path.Combine(root, "usr/share/hits"));
        File.WriteAllText(Path.Combine(root, "DEBIAN/control"), "Package: hits\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: hits\n");
        File.WriteAllText(Path.Combine(root, "usr/share/hits/kick.wav"), "boom");
        string deb = Path.Combine(_folder, "hits_1_all.deb");
        using Process build = Process.Start(new ProcessStartInfo("dpkg-deb", ["--build", "--root-owner-group", root, deb]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        build.WaitForExit();
        Assert.Equal(0, build.ExitCode);
        return deb;
    }
}
