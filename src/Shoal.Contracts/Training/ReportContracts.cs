using Orleans.Concurrency;

namespace Shoal.Contracts;

/// <summary>How far embeddings move when samples are changed: what the representation has learnt to ignore.</summary>
[GenerateSerializer, Immutable, Alias("shoal.invariance-report")]
public sealed record InvarianceReport
{
    /// <summary>The version that embedded; 0 while none is published.</summary>
    [Id(0)] public int ModelVersion { get; init; }

    /// <summary>How many items were looked at.</summary>
    [Id(1)] public int Items { get; init; }

    /// <summary>The mean cosine distance between the embeddings of two different items, 0 to 2: what a distance is large or small against.</summary>
    [Id(2)] public double Apart { get; init; }

    /// <summary>Every transformation at every strength, in order.</summary>
    [Id(3)] public required Movement[] Movements { get; init; }
}

/// <summary>What one transformation at one strength does.</summary>
[GenerateSerializer, Immutable, Alias("shoal.movement")]
public sealed record Movement
{
    /// <summary>The transformation: <c>rotation</c>, <c>brightness</c>, ...</summary>
    [Id(0)] public required string Transformation { get; init; }

    /// <summary>How much of it, in <see cref="Unit"/>.</summary>
    [Id(1)] public double Strength { get; init; }

    /// <summary>What strengths are measured in.</summary>
    [Id(2)] public required string Unit { get; init; }

    /// <summary>The mean cosine distance between an item's embedding and that of the changed item, 0 to 2.</summary>
    [Id(3)] public double Distance { get; init; }

    /// <summary>The share of items that are in another cluster when they are changed, or in none, 0 to 1.</summary>
    [Id(4)] public double Moved { get; init; }
}

/// <summary>How much of the clustering goes with what items carry beside their bytes.</summary>
[GenerateSerializer, Immutable, Alias("shoal.bias-report")]
public sealed record BiasReport
{
    /// <summary>How many items with a cluster were looked at.</summary>
    [Id(0)] public int Items { get; init; }

    /// <summary>One for each field that any of them carries, the strongest first.</summary>
    [Id(1)] public required FieldBias[] Fields { get; init; }
}

/// <summary>How much of the clustering goes with one field.</summary>
[GenerateSerializer, Immutable, Alias("shoal.field-bias")]
public sealed record FieldBias
{
    /// <summary>The field's name.</summary>
    [Id(0)] public required string Field { get; init; }

    /// <summary>How many of the items carry it; the others are left out.</summary>
    [Id(1)] public int Items { get; init; }

    /// <summary>How many values it has among them.</summary>
    [Id(2)] public int Values { get; init; }

    /// <summary>The normalized mutual information between its values and the clusters, 0 (independent) to 1 (either tells the other).</summary>
    [Id(3)] public double NormalizedMutualInformation { get; init; }

    /// <summary>The same where its values are dealt to the items anew at random: what few items and many values come to by chance.</summary>
    [Id(4)] public double ByChance { get; init; }
}

/// <summary>Reports on a dataset that are made when they are asked for. Key: the dataset's name; one activation a silo answers.</summary>
[Alias("shoal.reports")]
public interface IReportsGrain : IGrainWithStringKey
{
    /// <summary>The longest that a report takes: beside training, of 1,000 large samples.</summary>
    public const string Patience = "00:05:00";

    /// <summary>How far embeddings move when samples are changed.</summary>
    /// <param name="items">How many items to look at, 10 to 1,000.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset), Conflict (no version is published yet, or no item can be decoded), Overloaded.</exception>
    [AlwaysInterleave, ResponseTimeout(Patience), Alias("invariance")]
    Task<InvarianceReport> GetInvarianceAsync(int items);

    /// <summary>How much of the clustering goes with what items carry.</summary>
    /// <param name="items">How many items to look at, 10 to 10,000.</param>
    /// <exception cref="ShoalException">Invalid, NotFound (no such dataset).</exception>
    [AlwaysInterleave, ResponseTimeout(Patience), Alias("bias")]
    Task<BiasReport> GetBiasAsync(int items);
}
