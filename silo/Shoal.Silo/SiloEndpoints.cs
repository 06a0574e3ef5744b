using System.Text.Json;

namespace Shoal.Silo;

/// <summary>What a silo says of itself in its data folder, so that the command line and further silos of the host find it.</summary>
internal sealed record SiloEndpoints
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The process.</summary>
    public int Pid { get; init; }

    /// <summary>Where the HTTP API listens; null when this silo is no gateway.</summary>
    public string? Http { get; init; }

    /// <summary>Where .NET clients are served; null when this silo is no gateway.</summary>
    public string? Gateway { get; init; }

    /// <summary>The cluster's id.</summary>
    public string? Cluster { get; init; }

    /// <summary>The Redis server that keeps the list of silos.</summary>
    public string? Redis { get; init; }

    /// <summary>The PostgreSQL database that keeps the list of silos.</summary>
    public string? Postgres { get; init; }

    /// <summary>The folder of the cluster's certificates; null where there are none.</summary>
    public string? Tls { get; init; }

    /// <summary>The folder of the store; null when it is on blobs.</summary>
    public string? Store { get; init; }

    /// <summary>The blobs' account; null when the store is in a folder.</summary>
    public string? Blobs { get; init; }

    /// <summary>The blobs' container.</summary>
    public string? Container { get; init; }

    /// <summary>Reads what a silo wrote; null when there is nothing.</summary>
    /// <param name="folder">Its data folder.</param>
    public static SiloEndpoints? Read(string folder)
    {
        var path = Path.Combine(folder, SiloHost.EndpointsFile);
        return File.Exists(path) ? JsonSerializer.Deserialize<SiloEndpoints>(File.ReadAllText(path), Json) : null;
    }

    /// <summary>Writes it for this user's eyes only: connection strings may hold passwords.</summary>
    /// <param name="folder">The silo's data folder.</param>
    public void Write(string folder)
    {
        var path = Path.Combine(folder, SiloHost.EndpointsFile);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(path + ".new", options))
        {
            JsonSerializer.Serialize(file, this, Json);
        }

        File.Move(path + ".new", path, overwrite: true);
    }
}
