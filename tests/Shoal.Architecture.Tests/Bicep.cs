using System.Reflection;
using System.Text.Json.Nodes;

namespace Shoal.Architecture.Tests;

/// <summary>Azure's own compiler of templates, from its package.</summary>
internal static class Bicep
{
    // The restore that built this project has brought it.
    private static readonly string Program = Path.Combine(
        typeof(Bicep).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => string.Equals(a.Key, "Bicep", StringComparison.Ordinal)).Value!, "tools", "bicep");

    /// <summary>What was built of this tree's template with its parameters.</summary>
    public static Task<JsonNode> Template { get; } = TemplateAsync();

    /// <summary>Runs it.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>The exit code, and what it printed and complained about: a misspelt property is a warning, which leaves the exit code 0.</returns>
    public static Task<(int Code, string Output, string Complaints)> RunAsync(params string[] arguments) => Tool.RunAsync(Program, arguments);

    private static async Task<JsonNode> TemplateAsync()
    {
        (var code, var output, var complaints) = await RunAsync("build-params", Path.Combine(Repository.Root, "infra", "azure", "main.bicepparam"), "--stdout");
        Assert.Equal((0, ""), (code, complaints));
        return JsonNode.Parse((string)JsonNode.Parse(output)!["templateJson"]!)!;
    }
}
