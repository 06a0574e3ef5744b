using Shoal.Contracts;

namespace Shoal.Client;

/// <content>Reports that are made when they are asked for.</content>
public sealed partial class ShoalClient
{
    /// <summary>How far embeddings move when samples are changed: what the representation has learnt to ignore. Takes seconds.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="items">How many items to look at, 10 to 1,000.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Conflict (no version is published yet), Overloaded, Unavailable.</exception>
    public Task<InvarianceReport> InvarianceAsync(string dataset, int items = 200, CancellationToken cancellationToken = default)
    {
        CheckCount(nameof(items), items, 10, 1_000);
        return CallAsync(() => ReportsOf(dataset).GetInvarianceAsync(items), cancellationToken);
    }

    /// <summary>How much of the clustering goes with what items carry beside their bytes.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="items">How many items to look at, 10 to 10,000.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Unavailable.</exception>
    public Task<BiasReport> BiasAsync(string dataset, int items = 2_000, CancellationToken cancellationToken = default)
    {
        CheckCount(nameof(items), items, 10, 10_000);
        return CallAsync(() => ReportsOf(dataset).GetBiasAsync(items), cancellationToken);
    }

    private IReportsGrain ReportsOf(string dataset) => Names.DatasetProblem(dataset) is { } problem
        ? throw new ShoalException(ShoalErrorKind.Invalid, problem)
        : Cluster.GetGrain<IReportsGrain>(dataset);
}
