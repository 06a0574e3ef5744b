using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Decides what the clusters of a learner are, from the embeddings of its replay buffer.</summary>
internal interface IClusterer : IDisposable
{
    /// <summary>Called after every mining of neighbours.</summary>
    /// <param name="embeddings">The replay buffer under the key encoder, [n, D], L2-normalised.</param>
    /// <param name="neighbours">Rows of each one's nearest others, [n, k], int64.</param>
    /// <param name="step">The learner's step: what randomness is keyed by.</param>
    /// <param name="between">Called between the pieces of the work.</param>
    void Mined(Tensor embeddings, Tensor neighbours, long step, Action? between);

    /// <summary>Called between rounds, right after <see cref="Mined"/> on the same embeddings: settles what is shown.</summary>
    /// <param name="embeddings">As there.</param>
    /// <param name="neighbours">As there.</param>
    /// <param name="heldOut">Samples that were never trained on, [m, D]; m may be 0.</param>
    /// <param name="step">As there.</param>
    /// <param name="between">As there.</param>
    RefitReport Refit(Tensor embeddings, Tensor neighbours, Tensor heldOut, long step, Action? between);

    /// <summary>
    /// What a version shows: <see cref="ModelFormat.Prototypes"/>, [P, D], zeros where one is not in use; the cluster slot of each,
    /// <see cref="ModelFormat.PrototypeClusters"/>, [P]; and <see cref="ModelFormat.Scale"/>.
    /// </summary>
    IReadOnlyList<NamedTensor> Export();

    /// <summary>What <see cref="Load"/> needs to go on.</summary>
    IReadOnlyList<NamedTensor> Save();

    /// <summary>Reads back what <see cref="Save"/> gave.</summary>
    /// <param name="saved">Holds at least those tensors.</param>
    void Load(IReadOnlyList<NamedTensor> saved);
}
