using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;

namespace Shoal.Architecture.Tests;

/// <summary>The template for Azure, built by Azure's compiler, which knows every resource's properties; nothing is deployed.</summary>
public sealed partial class BicepTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "infra", "azure");

    [Fact]
    public async Task The_template_and_its_parameters_build_without_a_word() => Assert.NotNull(await Bicep.Template);

    [Fact]
    public async Task The_linter_has_nothing_to_say() =>
        Assert.Equal((0, "", ""), await Bicep.RunAsync("lint", Path.Combine(Folder, "main.bicep")));

    [Theory]
    [InlineData("blobs.bicep", "minimumTlsVersion:", "minimumTlsVersoin:", "BCP089")]
    [InlineData("endpoint.bicep", "privateDnsZoneId: dns.id", "privateDnsZoneId: dns.ids", "BCP053")]
    public async Task A_slip_in_a_template_is_found(string file, string right, string wrong, string complaint)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Folder, file), TestContext.Current.CancellationToken);
        Assert.Contains(right, text, StringComparison.Ordinal);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("shoal-bicep-");
        var slipped = Path.Combine(folder.FullName, file);
        await File.WriteAllTextAsync(slipped, text.Replace(right, wrong, StringComparison.Ordinal), TestContext.Current.CancellationToken);

        (_, _, var complaints) = await Bicep.RunAsync("build", slipped, "--stdout");

        Assert.Contains(complaint, complaints, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Blobs_are_for_identities_inside_of_the_network_alone()
    {
        JsonObject account = Resources(await Bicep.Template).Single(r => string.Equals((string?)r["type"], "Microsoft.Storage/storageAccounts", StringComparison.Ordinal));
        JsonNode properties = account["properties"]!;
        Assert.Equal("TLS1_2", (string?)properties["minimumTlsVersion"]);
        Assert.Equal("Disabled", (string?)properties["publicNetworkAccess"]);
        Assert.All(["allowBlobPublicAccess", "allowSharedKeyAccess"], name => Assert.False((bool)properties[name]!));
        JsonObject container = Resources(await Bicep.Template).Single(r => ((string?)r["type"])!.EndsWith("/containers", StringComparison.Ordinal));
        Assert.Equal("None", (string?)container["properties"]!["publicAccess"]);
    }

    [Fact]
    public async Task The_identity_of_the_template_is_that_of_the_pods()
    {
        JsonObject credential = Resources(await Bicep.Template).Single(r => ((string?)r["type"])!.EndsWith("/federatedIdentityCredentials", StringComparison.Ordinal));
        var account = KubernetesYaml.LoadAllFromString(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "infra/kubernetes/shoal.yaml"), TestContext.Current.CancellationToken))
            .OfType<V1ServiceAccount>().Single().Metadata.Name;
        Assert.Equal($"[format('system:serviceaccount:{{0}}:{account}', parameters('namespace'))]", (string?)credential["properties"]!["subject"]);
    }

    [Fact]
    public async Task The_document_uses_the_outputs_that_there_are()
    {
        var document = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/how-to/run-on-azure.md"), TestContext.Current.CancellationToken);
        Assert.Equal(
            (await Bicep.Template)["outputs"]!.AsObject().Select(output => output.Key).Order(StringComparer.Ordinal),
            Output().Matches(document).Select(match => match.Groups["name"].Value).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    // Modules are templates inside of resources.
    private static IEnumerable<JsonObject> Resources(JsonNode template)
    {
        IEnumerable<JsonNode?> here = template["resources"] is JsonArray array ? array : template["resources"]!.AsObject().Select(resource => resource.Value);
        return here.Select(resource => resource!.AsObject()).SelectMany(resource =>
            resource["properties"]?["template"] is { } inner ? Resources(inner).Prepend(resource) : [resource]);
    }

    [GeneratedRegex(@"\$\(output (?<name>[a-zA-Z]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Output();
}
