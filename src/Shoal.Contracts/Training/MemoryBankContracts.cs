using Orleans.Concurrency;

namespace Shoal.Contracts;

/// <summary>Where a memory bank stands; both numbers never run backwards.</summary>
/// <param name="Epoch">Counts the times that the bank was begun anew from a checkpoint.</param>
/// <param name="Count">How many keys were ever pushed.</param>
[GenerateSerializer, Immutable, Alias("shoal.bank-position")]
public readonly record struct BankPosition([property: Id(0)] long Epoch, [property: Id(1)] long Count);

/// <summary>Keys of a memory bank, oldest first.</summary>
[GenerateSerializer, Immutable, Alias("shoal.bank-keys")]
public sealed record BankKeys
{
    /// <summary>The first key's number: how many were pushed before it.</summary>
    [Id(0)] public long First { get; init; }

    /// <summary>How many keys.</summary>
    [Id(1)] public int Count { get; init; }

    /// <summary>The keys, [Count, width], little-endian float32, L2-normalised.</summary>
    [Id(2)] public required byte[] Keys { get; init; }

    /// <summary>The sample of each key (shard in the upper 16 bits, sequence below), so that a query's own sample is masked.</summary>
    [Id(3)] public required byte[] Samples { get; init; }

    /// <summary>The training step that made each key's batch, or -1 where unknown; one entry a key, little-endian int64.</summary>
    [Id(4)] public required byte[] Steps { get; init; }
}

/// <summary>The FIFO of keys that all replicas of a dataset share. Key: the dataset's name.</summary>
[Alias("shoal.memory-bank")]
public interface IMemoryBankGrain : IGrainWithStringKey
{
    /// <summary>Begins anew from a checkpoint's bank; asked by the model when it deals.</summary>
    /// <param name="bank">The bank's claim; null for an empty one.</param>
    /// <param name="capacity">How many keys it holds.</param>
    /// <returns>Where it stands.</returns>
    [Alias("begin")]
    Task<BankPosition> BeginAsync(Claim? bank, int capacity);

    /// <summary>Appends a round's keys; keys it already has are left out.</summary>
    /// <param name="epoch">The epoch that the seat began under; another is refused.</param>
    /// <param name="keys">The keys.</param>
    /// <returns>Where it stands.</returns>
    [Alias("push")]
    Task<BankPosition> PushAsync(long epoch, BankKeys keys);

    /// <summary>Keys that a replica has not seen.</summary>
    /// <param name="after">How many it has seen.</param>
    [AlwaysInterleave, Alias("pull")]
    Task<BankKeys> PullAsync(long after);

    /// <summary>Writes the bank under an immutable name, for a manifest to refer to.</summary>
    /// <param name="name">The object's name.</param>
    [Alias("save")]
    Task<Claim> SaveAsync(string name);
}
