using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What every objective sees of one step: N samples in two views, A and B.</summary>
/// <remarks>Rows 0 to N-1 of a [2N, ...] tensor are view A of the samples, rows N to 2N-1 view B.</remarks>
public sealed record StepBatch
{
    /// <summary>The encoder's features, [2N, D], float32, with gradient.</summary>
    public required Tensor Features { get; init; }

    /// <summary>The key encoder's features of the same views, [2N, D], float32, without gradient.</summary>
    public required Tensor KeyFeatures { get; init; }

    /// <summary>
    /// The encoder's features of small crops, [L·N, D], float32, with gradient: of the first crop of each sample, then of the second, and so on; null where views have none,
    /// <see cref="ICropMaker"/>.
    /// </summary>
    public Tensor? CropFeatures { get; init; }

    /// <summary>The packed key of each sample, [N], int64.</summary>
    public required Tensor Samples { get; init; }

    /// <summary>Keys that the objective made in earlier steps, [B, <see cref="IObjective.KeyWidth"/>], float32, L2-normalised; B may be 0.</summary>
    public required Tensor BankKeys { get; init; }

    /// <summary>The packed sample key of each bank key, [B], int64.</summary>
    public required Tensor BankSamples { get; init; }

    /// <summary>Rows of samples that have a mined neighbour in the batch, [P], int64, 0 to N-1; P may be 0.</summary>
    public required Tensor Anchors { get; init; }

    /// <summary>The row of each anchor's neighbour, [P], int64.</summary>
    public required Tensor Neighbours { get; init; }

    /// <summary>Rows that stand for the whole past, [R], int64: the prior over clusters holds for them only; R may be 0.</summary>
    public required Tensor Replayed { get; init; }

    /// <summary>The cluster slot that each sample was last found in, [N], int64; -1 where that is not known.</summary>
    public required Tensor Labels { get; init; }

    /// <summary>The cluster heads that are being trained.</summary>
    public required ClusterHead Head { get; init; }

    /// <summary>The samples themselves, without a view's changes, [N, C, H, W], float32, 0 to 1.</summary>
    public required Tensor Pixels { get; init; }

    /// <summary>The encoder: from [M, C, H, W], float32, 0 to 1, of the samples' shape, to features [M, D], float32, with gradient.</summary>
    public required Func<Tensor, Tensor> Encode { get; init; }

    /// <summary>
    /// The encoder, shown some patches only: from [M, C, H, W], float32, 0 to 1, and indices of visible patches, [M, V], int64, to their features, [M, V, D], float32, with gradient;
    /// null where it is none that sees patches, <see cref="IPatchwiseEncoder"/>.
    /// </summary>
    public Func<Tensor, Tensor, Tensor>? EncodeVisible { get; init; }

    /// <summary>
    /// The encoder in the course of time: from [M, C, H, W], float32, 0 to 1, to latents [M, T, D], float32, with gradient; null where it has none,
    /// <see cref="ILatentEncoder"/>.
    /// </summary>
    public Func<Tensor, Tensor>? EncodeLatents { get; init; }

    /// <summary>What draws are keyed by: another in every step.</summary>
    public required long Seed { get; init; }

    /// <summary>How many samples, N, once the shapes that depend on it were checked.</summary>
    /// <param name="batch">The batch.</param>
    /// <exception cref="ArgumentException">Features, key features and samples do not fit each other.</exception>
    public static long CheckedCount(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var count = batch.Samples.shape[0];
        if (batch.Samples.dim() != 1 || batch.Features.dim() != 2 || batch.Features.shape[0] != 2 * count
            || !batch.KeyFeatures.shape.AsSpan().SequenceEqual(batch.Features.shape))
        {
            throw new ArgumentException(
                $"Samples {Text(batch.Samples)} need features and key features [{2 * count}, D]; they are {Text(batch.Features)} and {Text(batch.KeyFeatures)}.",
                nameof(batch));
        }

        if (batch.CropFeatures is { } crops && (crops.dim() != 2 || crops.shape[1] != batch.Features.shape[1] || count == 0 || crops.shape[0] % count != 0))
        {
            throw new ArgumentException($"Features of crops are {Text(crops)}; samples {Text(batch.Samples)} need [L x {count}, {batch.Features.shape[1]}].", nameof(batch));
        }

        if (batch.Pixels.dim() != 4 || batch.Pixels.shape[0] != count)
        {
            throw new ArgumentException($"Pixels are {Text(batch.Pixels)}; samples {Text(batch.Samples)} need [{count}, C, H, W].", nameof(batch));
        }

        return count;
    }

    /// <summary>Features of one crop of all samples after another, [N, D] each; none where views have no crops.</summary>
    internal Tensor[] Crops() => CropFeatures is { } crops ? crops.chunk(crops.shape[0] / Samples.shape[0]) : [];

    /// <summary>Randomness for one objective, that no other's draws change; for the CPU.</summary>
    /// <param name="objective">Its name.</param>
    internal Generator Draws(string objective)
    {
        var purpose = objective.Aggregate(0L, (sum, letter) => unchecked((sum * 31) + letter));
        return new Generator(Keyed.Mix(Seed, 0, purpose) >> 1);
    }

    /// <summary>Random samples, the same ones in whatever order samples stand.</summary>
    /// <param name="most">How many at most.</param>
    /// <param name="generator">Where randomness comes from.</param>
    /// <returns>Rows, [min(N, most)], int64.</returns>
    internal Tensor Choose(long most, Generator generator)
    {
        var count = Samples.shape[0];
        return Samples.argsort().index_select(0, randperm(count, generator: generator).narrow(0, 0, Math.Min(count, most)).to(Samples.device));
    }

    /// <summary>The labels, once their shape was checked.</summary>
    /// <param name="batch">The batch.</param>
    /// <exception cref="ArgumentException">There is not one for each sample.</exception>
    internal static Tensor CheckedLabels(StepBatch batch)
        => batch.Labels.dim() == 1 && batch.Labels.shape[0] == batch.Samples.shape[0]
            ? batch.Labels
            : throw new ArgumentException($"Labels are {Text(batch.Labels)}; expected [{batch.Samples.shape[0]}].", nameof(batch));

    /// <summary>Holds the bank to the width that an objective puts into it.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="width">The width of its keys.</param>
    /// <exception cref="ArgumentException">Keys have another width, or another count than their samples.</exception>
    internal static void CheckBank(StepBatch batch, int width)
    {
        if (batch.BankKeys.dim() != 2 || batch.BankKeys.shape[1] != width || batch.BankSamples.dim() != 1 || batch.BankSamples.shape[0] != batch.BankKeys.shape[0])
        {
            throw new ArgumentException(
                $"The bank's keys are {Text(batch.BankKeys)} with samples {Text(batch.BankSamples)}; expected [B, {width}] and [B].", nameof(batch));
        }
    }

    internal static string Text(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";
}
