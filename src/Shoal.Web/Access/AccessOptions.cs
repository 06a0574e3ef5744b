namespace Shoal.Web;

/// <summary>Who may call the HTTP API, and how often.</summary>
public sealed record AccessOptions
{
    /// <summary>Whether a caller must say who it is, by a key or a token. Default: no, which is for a server on loopback alone.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The OpenID Connect issuer whose tokens are taken beside keys, for example <c>https://login.example.org</c>; null for keys alone.</summary>
    public string? Authority { get; init; }

    /// <summary>What the issuer's tokens must be made for.</summary>
    public string? Audience { get; init; }

    /// <summary>The claim that names the datasets of a token, <c>*</c> for every one; a token without it has none. Null: tokens are for every dataset.</summary>
    public string? DatasetsClaim { get; init; }

    /// <summary>What scopes begin with in tokens, whose scopes are for other programs, too. Default <c>shoal.</c>.</summary>
    public string ScopePrefix { get; init; } = "shoal.";

    /// <summary>Requests a second that are taken of the bearer of a token, as the same of a key: 100.</summary>
    public int TokenRequestsPerSecond { get; init; } = 100;

    /// <summary>Requests a second that are looked at from an address of which nobody says who it is. Default 20: they get nothing but a refusal.</summary>
    public int StrangerRequestsPerSecond { get; init; } = 20;

    /// <summary>Requests of one caller that may be under way at once. Default 200: followers of changes hold one each.</summary>
    public int MostAtOnce { get; init; } = 200;

    /// <summary>Lists what does not fit together; empty when all is fine.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (!IsRequired && (Authority ?? Audience ?? DatasetsClaim) is not null)
        {
            problems.Add("An issuer of tokens is named, but nobody is asked for one; add --auth.");
        }

        if ((Authority is null) != (Audience is null))
        {
            problems.Add("Tokens need both, --jwt-authority and --jwt-audience: without an audience any token of the issuer would do, those for other programs included.");
        }

        if (Authority is not null && !(Uri.TryCreate(Authority, UriKind.Absolute, out Uri? address) && string.Equals(address.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal)))
        {
            problems.Add($"The issuer '{Authority}' must be an https address: its keys are fetched from there.");
        }

        if (DatasetsClaim is not null && Authority is null)
        {
            problems.Add("--jwt-datasets names a claim of tokens; name their issuer with --jwt-authority.");
        }

        return problems;
    }
}
