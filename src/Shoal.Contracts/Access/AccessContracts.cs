namespace Shoal.Contracts;

/// <summary>What a caller of the HTTP API may do. None holds another: who manages and reads has both.</summary>
public static class AccessScopes
{
    /// <summary>Store items and recordings.</summary>
    public const string Ingest = "ingest";

    /// <summary>Ask and list, and classify bytes that are not stored.</summary>
    public const string Read = "read";

    /// <summary>Create, change and delete datasets, items and versions; name, pin and merge clusters; back up.</summary>
    public const string Manage = "manage";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Ingest, Read, Manage];
}

/// <summary>A key to create. Its secret is made where it is asked for, and only its hash travels.</summary>
[GenerateSerializer, Immutable, Alias("shoal.new-access-key")]
public sealed record NewAccessKey
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxNameLength = 100;

    /// <summary>Whose it is, for people: 1 to 100 characters.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>What it may do: of <see cref="AccessScopes"/>, at least one.</summary>
    [Id(1)] public required string[] Scopes { get; init; }

    /// <summary>The datasets that it knows of; empty for every one, those that come later included.</summary>
    [Id(2)] public string[] Datasets { get; init; } = [];

    /// <summary>Days until it ends, at most 3,650; null for never.</summary>
    [Id(3)] public double? Days { get; init; }

    /// <summary>Requests a second that each gateway takes of it, 1 to 100,000. Default 100: a producer that sends many items in a request needs few.</summary>
    [Id(4)] public int RequestsPerSecond { get; init; } = 100;

    /// <summary>Requests in 24 hours that each gateway takes of it, at most 1,000,000,000; 0 for no limit.</summary>
    [Id(5)] public int RequestsPerDay { get; init; }

    /// <summary>Lists what is wrong; empty when all is fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > MaxNameLength || Name.Any(char.IsControl))
        {
            problems.Add($"The key's name must have 1 to {MaxNameLength} characters, none of them a control character.");
        }

        if (Scopes is not { Length: > 0 } || Scopes.Except(AccessScopes.All, StringComparer.Ordinal).Any())
        {
            problems.Add($"A key needs scopes, each of: {string.Join(", ", AccessScopes.All)}.");
        }

        problems.AddRange((Datasets ?? []).Select(Names.DatasetProblem).OfType<string>());
        if (Days is { } days && days is not (> 0 and <= 3_650))
        {
            problems.Add($"Days is {days}; must be above 0, and 3,650 at most.");
        }

        if (RequestsPerSecond is < 1 or > 100_000)
        {
            problems.Add($"RequestsPerSecond is {RequestsPerSecond:N0}; must be 1 to 100,000.");
        }

        if (RequestsPerDay is < 0 or > 1_000_000_000)
        {
            problems.Add($"RequestsPerDay is {RequestsPerDay:N0}; must be 0 to 1,000,000,000.");
        }

        return problems;
    }
}

/// <summary>A key, without what would let one use it.</summary>
[GenerateSerializer, Immutable, Alias("shoal.access-key")]
public sealed record AccessKey
{
    /// <summary>The part of the key that is no secret: 8 hexadecimal digits. It names the key in lists, logs and the audit log.</summary>
    [Id(0)] public required string Prefix { get; init; }

    /// <summary>Whose it is.</summary>
    [Id(1)] public required string Name { get; init; }

    /// <summary>What it may do: of <see cref="AccessScopes"/>.</summary>
    [Id(2)] public required string[] Scopes { get; init; }

    /// <summary>The datasets that it knows of; empty for every one.</summary>
    [Id(3)] public string[] Datasets { get; init; } = [];

    /// <summary>When it was created.</summary>
    [Id(4)] public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends; null for never.</summary>
    [Id(5)] public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Requests a second that each gateway takes of it.</summary>
    [Id(6)] public int RequestsPerSecond { get; init; }

    /// <summary>Requests in 24 hours that each gateway takes of it; 0 for no limit.</summary>
    [Id(7)] public int RequestsPerDay { get; init; }
}

/// <summary>A key with what a gateway compares.</summary>
/// <param name="Key">The key.</param>
/// <param name="Hash">SHA-256 of its secret, 32 bytes. The secret has 256 random bits, so that nobody finds it from this, and no salt is needed.</param>
[GenerateSerializer, Immutable, Alias("shoal.access-key-entry")]
public sealed record AccessKeyEntry([property: Id(0)] AccessKey Key, [property: Id(1)] byte[] Hash);

/// <summary>The keys of the HTTP API. Key: <see cref="GrainKeys.Access"/>.</summary>
[Alias("shoal.access")]
public interface IAccessGrain : IGrainWithStringKey
{
    /// <summary>Stores a key. Repeating it is a no-op that answers the same key.</summary>
    /// <param name="wanted">What it may do.</param>
    /// <param name="prefix">Its prefix: 8 of 0-9 and a-f.</param>
    /// <param name="hash">SHA-256 of its secret, 32 bytes.</param>
    /// <exception cref="ShoalException">Invalid, Conflict (another key has the prefix, or there are as many as are kept), Unavailable.</exception>
    [Alias("create")]
    Task<AccessKey> CreateAsync(NewAccessKey wanted, string prefix, byte[] hash);

    /// <summary>All keys, those that have ended included, in the order in which they were created.</summary>
    [Alias("list")]
    Task<AccessKeyEntry[]> ListAsync();

    /// <summary>Takes a key out of the list. Gateways refuse it within seconds.</summary>
    /// <param name="prefix">Its prefix.</param>
    /// <exception cref="ShoalException">NotFound, Unavailable.</exception>
    [Alias("revoke")]
    Task RevokeAsync(string prefix);
}
