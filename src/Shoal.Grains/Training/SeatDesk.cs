using Microsoft.Extensions.Logging;
using Shoal.Contracts;
using Shoal.Grains.Compute;
using Shoal.Grains.Hosting;
using Shoal.Learning;

namespace Shoal.Grains.Training;

/// <summary>What a seat's training and the ends of its rounds share: the deal, the silo's services, and how they wait for what is away.</summary>
/// <param name="services">What the silo has.</param>
/// <param name="seat">The seat's grain key.</param>
/// <param name="deal">What it works under.</param>
internal sealed partial class SeatDesk(TrainerServices services, string seat, Deal deal)
{
    private static readonly TimeSpan RetryTime = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = services.Logger;
    private volatile bool _waitsForStorage;
    private long[] _pinned = [];

    /// <summary>What the silo has.</summary>
    public TrainerServices Services => services;

    /// <summary>The seat's grain key.</summary>
    public string Seat => seat;

    /// <summary>What it works under.</summary>
    public Deal Deal => deal;

    /// <summary>The dataset.</summary>
    public string Dataset { get; } = GrainKeys.Split(seat).Dataset;

    /// <summary>The dataset's model.</summary>
    public IModelGrain Model => services.Grains.GetGrain<IModelGrain>(Dataset);

    /// <summary>How its learner learns.</summary>
    public LearnerOptions Options { get; } = LearnerSettings.Options(deal.Settings) with { Retreats = deal.Retreats, Replicas = deal.Seats, Replica = deal.Seat };

    /// <summary>The round under way.</summary>
    public long Round { get; set; } = deal.Round;

    /// <summary>What went wrong last; null while all works.</summary>
    public string? Problem { get; set; }

    /// <summary>Whether it waits for storage, or for the model.</summary>
    public bool WaitsForStorage
    {
        get => _waitsForStorage;
        set => _waitsForStorage = value;
    }

    /// <summary>Runs a piece of training on the compute thread.</summary>
    /// <param name="work">The piece.</param>
    /// <param name="cancellationToken">Takes it back while it waits.</param>
    public Task<T> ComputeAsync<T>(Func<T> work, CancellationToken cancellationToken) => services.Compute.RunAsync(ComputePriority.Training, Dataset, work, cancellationToken);

    /// <summary>Writes tensors as a part of a round.</summary>
    /// <param name="round">The round.</param>
    /// <param name="part">The part's name.</param>
    /// <param name="tensors">The tensors.</param>
    /// <param name="cancellationToken">Ends the wait for storage.</param>
    public Task<Claim> WriteAsync(long round, string part, IReadOnlyList<NamedTensor> tensors, CancellationToken cancellationToken) =>
        RetryAsync(() => TensorFiles.WriteAsync(services.Store, Datasets.StoreNames.RoundPart(Dataset, deal.Term, round, part), tensors), cancellationToken);

    /// <summary>Tries until storage and model answer, as long as they are away.</summary>
    /// <param name="attempt">What is tried.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<T> RetryAsync<T>(Func<Task<T>> attempt, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                T result = await attempt();
                _waitsForStorage = false;
                return result;
            }
            catch (Exception e) when (Failures.MayPass(e))
            {
                _waitsForStorage = true;
                Problem = e.Message;
                LogWaiting(Dataset, Round, e.Message);
                await Task.Delay(RetryTime, services.Time, cancellationToken);
            }
        }
    }

    /// <summary>Ids of clusters that users pinned; as last known while their registry is away.</summary>
    public async Task<long[]> PinnedAsync()
    {
        try
        {
            return _pinned = (await services.Grains.GetGrain<IClustersGrain>(Dataset).GetDirectoryAsync()).Pinned;
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            Problem = e.Message;
            return _pinned;
        }
    }

    [LoggerMessage(EventId = 503, EventName = "SeatWaits", Level = LogLevel.Warning, Message = "{Dataset}: round {Round} waits for storage: {Reason}")]
    private partial void LogWaiting(string dataset, long round, string reason);
}
