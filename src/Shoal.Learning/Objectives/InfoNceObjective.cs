using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>View A of a sample predicts which of the batch's views B is of the same sample.</summary>
/// <remarks>
/// Van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding", eq. 4, applied to two views instead of two times:
/// the features of view A are the context c, those of view B after a linear layer the latent z, in one direction only.
/// L = -mean_i log(f(z_i, c_i) / Σ_j f(z_j, c_i)) with the log-bilinear score of eq. 3, f(z, c) = exp(zᵀWc); neither is normalised, and there is no temperature.
/// </remarks>
[Objective("infonce", Family = ObjectiveFamily.Contrastive, Source = "van den Oord et al. 2018, Contrastive Predictive Coding, eq. 3 and 4")]
public sealed class InfoNceObjective : ViewObjective
{
    private readonly nn.Module<Tensor, Tensor> _latent;
    private readonly nn.Module<Tensor, Tensor> _predictor;

    /// <summary>With default options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    public InfoNceObjective(int featureWidth)
        : this(featureWidth, new Options())
    {
    }

    /// <summary>With given options.</summary>
    /// <param name="featureWidth">The encoder's width, D.</param>
    /// <param name="options">Settings.</param>
    public InfoNceObjective(int featureWidth, Options options)
        : base("infonce")
    {
        ObjectiveOptions.Checked(options);
        _latent = Networks.Learned("latent", nn.Linear(featureWidth, options.Width, hasBias: false));
        _predictor = Networks.Learned("predictor", nn.Linear(featureWidth, options.Width, hasBias: false));
    }

    /// <summary>Settings.</summary>
    public sealed record Options
    {
        /// <summary>The latent's width, W is [Width, D]; 8 to 4,096.</summary>
        /// <value>64: a W of full rank would be D x D.</value>
        [Range(8, 4096)]
        public int Width { get; init; } = 64;
    }

    private protected override ObjectiveResult Compare(StepBatch batch, Views features)
    {
        var scores = _predictor.forward(features.A).matmul(_latent.forward(features.B).t());
        return Of(("contrast", InBatch.Choice(scores, batch.Samples)));
    }
}
