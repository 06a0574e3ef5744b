using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Shoal.Learning;

/// <summary>A linear head of the objective's own recognises both views of a rehearsed sample as of the cluster that it was last found in, rare ones like frequent ones.</summary>
/// <remarks>
/// Caron et al. 2018, "Deep Clustering for Unsupervised Learning of Visual Features", eq. 2: cross-entropy of a linear head with pseudo-labels that are found
/// anew at every mining; L = -mean over labels of mean over their rows of log p(label), which is the paper's uniform sampling over labels (section 3.3), taken by weights.
/// The paper begins with a fresh head after every clustering, because its labels are numbered anew. Here a community takes the slot of the former one that it shares most
/// samples with, so the head is never begun anew: what a slot means changes little, and a row that gets another meaning is learned again like a fresh one.
/// Beside <c>pseudolabel</c>, which is the same with the cosine heads, every sample counting alike.
/// </remarks>
[Objective("deepcluster", Family = ObjectiveFamily.Clustering, Source = "Caron et al. 2018, DeepCluster, eq. 2 and section 3.3", Needs = ObjectiveNeeds.Labels)]
public sealed class DeepClusterObjective : ViewObjective
{
    private readonly Options _options;
    private readonly nn.Module<Tensor, Tensor> _head;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public DeepClusterObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public DeepClusterObjective(int featureWidth, Options options)
        : base("deepcluster")
    {
        _options = ObjectiveOptions.Checked(options);
        var head = nn.Linear(featureWidth, options.Slots);
        using (no_grad())
        {
            // As the paper's code begins: no slot is preferred.
            head.weight.normal_(0, 0.01);
            head.bias!.zero_();
        }

        _head = Networks.Learned("head", head);
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>Most cluster slots; 2 to 10,000.</summary>
        /// <value>1,200: the most clusters that a dataset can have, 1,000, and the fifth that communities have to spare.</value>
        [Range(2, 10000)]
        public int Slots { get; init; } = 1200;
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var labels = StepBatch.CheckedLabels(batch);
        var slots = batch.Head.Weight.shape[1];
        if (slots > _options.Slots)
        {
            throw new ArgumentException($"There are {slots} cluster slots; objective 'deepcluster' has room for {_options.Slots}.", nameof(batch));
        }

        var labelled = labels.ge(0).nonzero().squeeze(1);
        if (labelled.shape[0] == 0)
        {
            return new ObjectiveResult(new Dictionary<string, Tensor>(StringComparer.Ordinal));
        }

        labels = labels.index_select(0, labelled);

        // [R]: every label of the batch weighs the same, however many rows have it.
        var counts = zeros(slots, device: labels.device).index_add_(0, labels, ones(labels.shape[0], device: labels.device), 1);
        var weights = (counts.index_select(0, labels) * counts.gt(0).sum()).reciprocal();
        Tensor Recognised(Tensor view)
        {
            var logits = _head.forward(view.index_select(0, labelled)).narrow(1, 0, slots);
            return (log_softmax(logits, 1).gather(1, labels.unsqueeze(1)).squeeze(1) * weights).sum();
        }

        return Of(("recognition", (Recognised(features.A) + Recognised(features.B)) / -2));
    }
}
