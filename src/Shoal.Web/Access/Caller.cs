using System.Collections.Frozen;
using System.Security.Claims;
using System.Security.Principal;
using Microsoft.AspNetCore.Http;
using Shoal.Contracts;

namespace Shoal.Web;

/// <summary>Who sent a request, as far as that is known and of use.</summary>
internal sealed record Caller
{
    private ClaimsPrincipal? _user;

    /// <summary>Everyone, where nobody is asked.</summary>
    public static readonly Caller Everyone = new() { Id = "everyone", Scopes = Set(AccessScopes.All) };

    /// <summary>What logs and limits call it: <c>key:PREFIX</c>, <c>jwt:SUBJECT</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The prefix of its key; null where it came by none.</summary>
    public string? Key { get; init; }

    /// <summary>What it may do.</summary>
    public required FrozenSet<string> Scopes { get; init; }

    /// <summary>The datasets that it knows of; null for every one.</summary>
    public FrozenSet<string>? Datasets { get; init; }

    /// <summary>When it must show itself anew; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Requests a second that are taken of it.</summary>
    public int RequestsPerSecond { get; init; }

    /// <summary>Requests in 24 hours that are taken of it; 0 for no limit.</summary>
    public int RequestsPerDay { get; init; }

    /// <summary>The caller as ASP.NET Core knows users; its name is <see cref="Id"/>.</summary>
    public ClaimsPrincipal User => _user ??= new ClaimsPrincipal(new CallerIdentity(this));

    /// <summary>The caller of a request that has passed <see cref="AccessMiddleware"/>.</summary>
    /// <param name="context">The request.</param>
    public static Caller Of(HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("The request came past the access check; map routes with MapShoalApi.");

    /// <summary>A set that is compared letter by letter.</summary>
    /// <param name="words">The words.</param>
    public static FrozenSet<string> Set(IEnumerable<string> words) => words.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether it knows of a dataset, whether there is one or not.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public bool Sees(string dataset) => Datasets is null || Datasets.Contains(dataset);

    /// <summary>What it is told of a dataset that it does not know of: the same whether there is one or not.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public static string Unknown(string dataset) => $"There is no dataset '{dataset}' that this caller knows of.";
}

/// <summary>A caller as an identity: by it whoever got the user of a connection finds the caller again.</summary>
/// <param name="caller">The caller.</param>
internal sealed class CallerIdentity(Caller caller) : GenericIdentity(caller.Id, nameof(Shoal))
{
    /// <summary>The caller.</summary>
    public Caller Caller => caller;
}

/// <summary>Stands in the features of a request that came by the port for metrics, which serves nothing else and asks nobody.</summary>
internal sealed class MetricsPort
{
    public static readonly MetricsPort Instance = new();

    private MetricsPort()
    {
    }
}
