using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Logging;
using Shoal.Contracts;

namespace Shoal.Pages.Data;

/// <summary>What people at pages change, each change in the audit log as the HTTP API's are: who did what, and how it ended.</summary>
/// <param name="source">Shoal.</param>
/// <param name="people">Who uses this page.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The process's log.</param>
public sealed partial class PageEdits(IShoalSource source, AuthenticationStateProvider people, TimeProvider time, ILogger<PageEdits> logger)
{
    /// <summary>Who it is where nobody is asked, as the HTTP API calls them.</summary>
    private const string Everyone = "everyone";

    /// <summary>Creates a dataset.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="settings">Its settings.</param>
    /// <returns>False when it existed with these settings.</returns>
    /// <exception cref="ShoalException">Invalid, Conflict, Unavailable.</exception>
    public Task<bool> CreateDatasetAsync(string name, DatasetSettings settings) =>
        EditAsync("page: create dataset", name, target: null, () => source.CreateDatasetAsync(name, settings, CancellationToken.None));

    /// <summary>Names a cluster.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cluster">Its id.</param>
    /// <param name="name">The name; empty takes it away.</param>
    /// <exception cref="ShoalException">Invalid, NotFound, Conflict, Unavailable.</exception>
    public Task NameClusterAsync(string dataset, long cluster, string name) => EditAsync("page: name cluster", dataset, $"{cluster}", async () =>
    {
        await source.NameClusterAsync(dataset, cluster, name, CancellationToken.None);
        return cluster;
    });

    /// <summary>Makes one of two clusters.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="first">One cluster's id.</param>
    /// <param name="second">The other's.</param>
    /// <returns>The id that stays.</returns>
    /// <exception cref="ShoalException">Invalid, NotFound, Unavailable.</exception>
    public Task<long> MergeClustersAsync(string dataset, long first, long second) =>
        EditAsync("page: merge clusters", dataset, $"{first} {second}", () => source.MergeClustersAsync(dataset, first, second, CancellationToken.None));

    private async Task<T> EditAsync<T>(string what, string dataset, string? target, Func<Task<T>> edit)
    {
        string outcome = "failed";
        try
        {
            T done = await edit();
            outcome = "done";
            return done;
        }
        catch (ShoalException failure)
        {
            outcome = $"{failure.Kind}";
            throw;
        }
        finally
        {
            await RecordAsync(what, dataset, target, outcome);
        }
    }

    private async Task RecordAsync(string what, string dataset, string? target, string outcome)
    {
        AuthenticationState state = await people.GetAuthenticationStateAsync();
        var entry = new AuditEntry
        {
            At = time.GetUtcNow(),
            Who = state.User.Identity?.Name ?? Everyone,
            What = what,
            Dataset = dataset,
            Target = target,
            Outcome = outcome,
        };
        LogEdited(entry.Who, what, dataset, target, outcome);
        try
        {
            await source.RecordAuditAsync(entry, CancellationToken.None);
        }
        catch (ShoalException away)
        {
            LogNotStored(entry.Who, what, dataset, away.Message);
        }
    }

    [LoggerMessage(EventId = 8000, EventName = "PageEdited", Level = LogLevel.Information, Message = "{Who}: {What}, dataset {Dataset}, {Target}: {Outcome}")]
    private partial void LogEdited(string who, string what, string dataset, string? target, string outcome);

    [LoggerMessage(EventId = 8001, EventName = "PageAuditIncomplete", Level = LogLevel.Error, Message = "The audit log in the store lacks an entry: {Who}: {What}, dataset {Dataset}: {Why}")]
    private partial void LogNotStored(string who, string what, string dataset, string why);
}
