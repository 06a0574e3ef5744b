using System.Security.Claims;

namespace Shoal.Pages.Data;

/// <summary>What somebody may see and do by pages.</summary>
public sealed record PageRights
{
    /// <summary>Nothing.</summary>
    public static readonly PageRights None = new() { Datasets = new HashSet<string>(StringComparer.Ordinal) };

    /// <summary>Everything.</summary>
    public static readonly PageRights All = new()
    {
        MayRead = true,
        MayStore = true,
        MayManage = true,
    };

    /// <summary>Whether they may look.</summary>
    public bool MayRead { get; init; }

    /// <summary>Whether they may send files.</summary>
    public bool MayStore { get; init; }

    /// <summary>Whether they may create datasets, and name and merge clusters.</summary>
    public bool MayManage { get; init; }

    /// <summary>The datasets that all this is about; null for every one, those that come later included.</summary>
    public IReadOnlySet<string>? Datasets { get; init; }

    /// <summary>Whether they know of a dataset, whether there is one or not.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public bool Knows(string dataset) => Datasets is null || Datasets.Contains(dataset);

    /// <summary>Whether they may look at a dataset.</summary>
    /// <param name="dataset">The dataset's name.</param>
    public bool Reads(string dataset) => MayRead && Knows(dataset);

    /// <summary>Whether they may look at what is of all datasets together.</summary>
    public bool ReadsAll => MayRead && Datasets is null;
}

/// <summary>Says what somebody may do. It is asked anew before each edit and after each reading, since a key may be revoked while a page is open.</summary>
public interface IPageGuard
{
    /// <summary>What somebody may do now.</summary>
    /// <param name="who">Whose connection the page lives by.</param>
    /// <exception cref="Contracts.ShoalException">Unavailable: that cannot be looked up now.</exception>
    ValueTask<PageRights> RightsAsync(ClaimsPrincipal who);
}
