namespace Shoal.Contracts;

/// <summary>The answer for one classified item, as JSON has it.</summary>
/// <param name="Id">The id that the caller gave it.</param>
/// <param name="State">Assigned, outlier, quarantined (with the reason), or pending when no version is published yet.</param>
/// <param name="Cluster">The cluster's id; null unless assigned.</param>
/// <param name="ClusterName">The name that a user gave the cluster.</param>
/// <param name="Confidence">Softmax probability of the assigned cluster, 0 to 1.</param>
/// <param name="Distance">How far it is from the nearest sample that the version learned: 1 - cosine, 0 to 2; null when nothing could be said.</param>
/// <param name="ModelVersion">The model version that answered; 0 when none is published.</param>
/// <param name="Reason">Why nothing could be said.</param>
/// <param name="Embedding">Little-endian float16, L2-normalised, as base64; null unless asked for.</param>
public sealed record ClassifiedLine(
    string Id, ItemState State, long? Cluster, string? ClusterName, float Confidence, float? Distance, int ModelVersion, string? Reason, byte[]? Embedding)
{
    /// <summary>Of an answer.</summary>
    /// <param name="id">The id that the caller gave the item.</param>
    /// <param name="answer">The answer.</param>
    public static ClassifiedLine Of(string id, Classification answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return new ClassifiedLine(id, answer.State, answer.Cluster, answer.ClusterName, answer.Confidence, answer.Distance, answer.ModelVersion, answer.Reason, answer.Embedding);
    }
}
