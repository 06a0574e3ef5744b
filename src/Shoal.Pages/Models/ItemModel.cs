using Shoal.Contracts;
using Shoal.Pages.Data;

namespace Shoal.Pages.Models;

/// <summary>One item.</summary>
public sealed record ItemModel
{
    /// <summary>The dataset's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>Whether it is a window of a recording, to be played.</summary>
    public required bool IsSound { get; init; }

    /// <summary>What is known of it now.</summary>
    public required ItemAnswer Answer { get; init; }

    /// <summary>Its neighbours; null while it has no embedding.</summary>
    public SimilarAnswer? Neighbours { get; init; }

    /// <summary>What is known of its past, newest first.</summary>
    public required IReadOnlyList<PastState> Past { get; init; }

    /// <summary>Whether that reaches back to when its bytes were stored.</summary>
    public required bool IsWhole { get; init; }
}

/// <summary>What was the case from a moment on.</summary>
/// <param name="Time">The moment; null where only the order is known.</param>
/// <param name="Version">The model version; 0 where none had to do with it.</param>
/// <param name="Text">What, in a sentence.</param>
public sealed record PastState(DateTimeOffset? Time, int Version, string Text);

/// <summary>Reads an item and its changes; keeps which versions left it where it was, for that is no change.</summary>
/// <param name="source">Where from.</param>
/// <param name="dataset">The dataset's name.</param>
/// <param name="id">The item's id.</param>
/// <param name="time">The clock.</param>
internal sealed class ItemReader(IShoalSource source, string dataset, string id, TimeProvider time)
{
    private const int Neighbours = 12;
    private const int Events = 1_000;
    private const int MostSeen = 100;

    private readonly List<(DateTimeOffset Time, ItemAnswer Answer)> _seen = [];
    private ItemHistory? _history;

    /// <summary>Reads.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ShoalException">It cannot be read.</exception>
    public async Task<ItemModel> ReadAsync(CancellationToken cancellationToken)
    {
        Task<DatasetStatus> status = source.StatusAsync(dataset, cancellationToken);
        Task<LineageEvent[]> events = source.EventsAsync(dataset, Events, cancellationToken);
        ItemAnswer answer = (await source.GetManyAsync(dataset, [id], cancellationToken))[0];
        if (_seen.Count == 0 || Differs(_seen[^1].Answer, answer))
        {
            // The shard looks through all of its changes for them.
            _history = await AskAsync(() => source.HistoryAsync(dataset, id, MostSeen, cancellationToken));
            _seen.Add((time.GetUtcNow(), answer));
            if (_seen.Count > MostSeen)
            {
                _seen.RemoveAt(0);
            }
        }

        return new ItemModel
        {
            Dataset = dataset,
            IsSound = (await status).Settings.Modality is DatasetSettings.Sound,
            Answer = answer,
            Neighbours = answer.State is ItemState.Assigned or ItemState.Outlier ? await AskAsync(() => source.SimilarAsync(dataset, id, Neighbours, cancellationToken)) : null,
            Past = Past(answer, await events),
            IsWhole = _history?.ReachesBack ?? true,
        };
    }

    private static bool Differs(ItemAnswer before, ItemAnswer now) =>
        (before.State, before.Cluster, before.ModelVersion, before.Sequence) != (now.State, now.Cluster, now.ModelVersion, now.Sequence);

    // Gone, or embedded by a version that was replaced, a moment ago.
    private static async Task<T?> AskAsync<T>(Func<Task<T>> ask)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (ShoalException failure) when (failure.Kind is ShoalErrorKind.NotFound or ShoalErrorKind.Conflict)
        {
            return null;
        }
    }

    private PastState[] Past(ItemAnswer answer, LineageEvent[] events)
    {
        PastState[] received = answer.ReceivedAt is { } at ? [new PastState(at, 0, "It was stored.")] : [];
        IEnumerable<PastState> cluster = events
            .Where(happened => answer.Cluster is not null && happened.Cluster == answer.Cluster)
            .Select(happened => new PastState(happened.Time, happened.ModelVersion, $"Its cluster: {happened.Kind}. {happened.Reason}"));
        IEnumerable<PastState> changes = (_history?.Changes ?? []).Select(change => new PastState(change.Time, change.ModelVersion, Text(change)));
        HashSet<int> told = [.. (_history?.Changes ?? []).Select(change => change.ModelVersion)];

        // When those that had been seen already came to it is not known: they stand above what had happened until then.
        IEnumerable<PastState> left = _seen
            .Select((state, i) => (state.Answer, Time: i == 0 ? (DateTimeOffset?)null : state.Time))
            .Where(state => state.Answer.State is ItemState.Assigned or ItemState.Outlier && !told.Contains(state.Answer.ModelVersion))
            .Select(state => new PastState(state.Time, state.Answer.ModelVersion, Text(state.Answer)));
        return [.. left.Concat(changes).Concat(cluster).Concat(received).OrderByDescending(state => state.Time ?? _seen[0].Time)];
    }

    private static string Text(ItemAnswer answer) => answer.State is ItemState.Assigned
        ? $"Version {answer.ModelVersion} left it in {Texts.Cluster(answer.Cluster, answer.ClusterName)} with {Texts.Share(answer.Confidence)} confidence."
        : $"Version {answer.ModelVersion} found no cluster that fits either.";

    private static string Text(ItemChange change) => change.State switch
    {
        ItemState.Assigned when change.ClusterBefore is { } before && before != change.Cluster =>
            $"Version {change.ModelVersion} moved it from {Texts.Cluster(before, null)} to {Texts.Cluster(change.Cluster, change.ClusterName)} with {Texts.Share(change.Confidence)} confidence.",
        ItemState.Assigned => $"Version {change.ModelVersion} put it into {Texts.Cluster(change.Cluster, change.ClusterName)} with {Texts.Share(change.Confidence)} confidence.",
        ItemState.Outlier => $"Version {change.ModelVersion} found no cluster that fits.",
        ItemState.Quarantined => $"It cannot be decoded: {change.Reason}",
        ItemState.Pending => "It got other bytes.",
        _ => "It was deleted.",
    };
}
