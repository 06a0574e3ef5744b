using Microsoft.Extensions.Logging;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Pages.Data;

/// <summary>
/// What people at pages change. Whether they may is asked here, whatever the page has shown them; what they manage stands in the audit log as the HTTP API's does: who did what, and how it ended.
/// </summary>
/// <param name="source">Shoal.</param>
/// <param name="access">Who uses this page.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The process's log.</param>
public sealed partial class PageEdits(IShoalSource source, PageAccess access, TimeProvider time, ILogger<PageEdits> logger)
{
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

    /// <summary>The settings of a dataset that files are sent to.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid: they may not send any. NotFound, Unavailable.</exception>
    public async Task<DatasetSettings> SettingsAsync(string dataset, CancellationToken cancellationToken)
    {
        await DemandAsync(dataset, AccessScopes.Ingest);
        return (await source.StatusAsync(dataset, cancellationToken)).Settings;
    }

    /// <summary>Stores a file.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One result an item.</returns>
    /// <exception cref="ShoalException">Invalid: they may not, or it cannot be. NotFound, Overloaded, Unavailable.</exception>
    public async Task<IReadOnlyList<IngestResult>> StoreAsync(string dataset, ItemUpload file, CancellationToken cancellationToken)
    {
        await DemandAsync(dataset, AccessScopes.Ingest);
        return await source.StoreAsync(dataset, file, cancellationToken);
    }

    // The same words whether there is such a dataset or not.
    private async Task DemandAsync(string dataset, string scope)
    {
        PageRights rights = await access.RightsAsync();
        if (!rights.Knows(dataset))
        {
            throw new ShoalException(ShoalErrorKind.NotFound, $"There is no dataset '{dataset}' that your key knows of.");
        }

        if (!(scope is AccessScopes.Manage ? rights.MayManage : rights.MayStore))
        {
            throw new ShoalException(ShoalErrorKind.Invalid, $"This needs a key with the scope '{scope}'.");
        }
    }

    private async Task<T> EditAsync<T>(string what, string dataset, string? target, Func<Task<T>> edit)
    {
        string outcome = "refused";
        try
        {
            await DemandAsync(dataset, AccessScopes.Manage);
            outcome = "failed";
            T done = await edit();
            outcome = "done";
            return done;
        }
        catch (ShoalException failure) when (outcome is "failed")
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
        var entry = new AuditEntry
        {
            At = time.GetUtcNow(),
            Who = await access.WhoAsync(),
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
