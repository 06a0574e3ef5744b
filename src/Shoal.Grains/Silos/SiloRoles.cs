namespace Shoal.Grains.Silos;

/// <summary>What a silo does in a cluster.</summary>
[Flags]
public enum SiloRoles
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Takes calls of clients: the HTTP API and the gateway of .NET clients.</summary>
    Gateway = 1,

    /// <summary>Owns datasets and shards.</summary>
    Data = 2,

    /// <summary>Runs libtorch: trains and embeds.</summary>
    Compute = 4,

    /// <summary>All of them: the default.</summary>
    All = Gateway | Data | Compute,
}

/// <summary>Roles as they are written on a command line and in a silo's metadata: words with commas.</summary>
public static class SiloRoleNames
{
    /// <summary>The key of the roles in a silo's metadata.</summary>
    internal const string Key = "shoal.roles";

    /// <summary>Writes roles, <c>gateway,data</c>.</summary>
    /// <param name="roles">The roles.</param>
#pragma warning disable CA1308 // Words of a command line, not of a comparison.
    public static string Format(SiloRoles roles) =>
        string.Join(',', Each().Where(role => roles.HasFlag(role)).Select(role => role.ToString().ToLowerInvariant()));
#pragma warning restore CA1308

    /// <summary>Reads roles.</summary>
    /// <param name="text">Words with commas; case and spaces do not matter.</param>
    /// <exception cref="FormatException">A word is no role, or there is none.</exception>
    public static SiloRoles Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var roles = SiloRoles.None;
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            SiloRoles role = Each().FirstOrDefault(r => string.Equals(r.ToString(), word, StringComparison.OrdinalIgnoreCase));
            roles |= role != SiloRoles.None ? role : throw new FormatException($"'{word}' is no role of a silo; there are: {Format(SiloRoles.All)}.");
        }

        return roles != SiloRoles.None ? roles : throw new FormatException($"A silo needs at least one role of: {Format(SiloRoles.All)}.");
    }

    private static SiloRoles[] Each() => [SiloRoles.Gateway, SiloRoles.Data, SiloRoles.Compute];
}
