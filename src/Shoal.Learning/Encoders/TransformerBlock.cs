using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Attention and a layer of neurons, each behind a norm and added to its input.</summary>
/// <remarks>Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", eq. 2 and 3; attention as Vaswani et al. 2017, eq. 1, with several heads.</remarks>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor>
{
    private const int Expansion = 4;

    private readonly int _heads;
    private readonly nn.Module<Tensor, Tensor> _before;
    private readonly nn.Module<Tensor, Tensor> _projections;
    private readonly nn.Module<Tensor, Tensor> _joined;
    private readonly nn.Module<Tensor, Tensor> _neurons;

    /// <summary>With fresh weights.</summary>
    /// <param name="width">D.</param>
    /// <param name="heads">A divisor of D.</param>
    public TransformerBlock(int width, int heads)
        : base("block")
    {
        _heads = heads;
        _before = nn.LayerNorm(width);
        _projections = nn.Linear(width, 3 * width);
        _joined = nn.Linear(width, width);
        _neurons = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, Expansion * width), nn.GELU(), nn.Linear(Expansion * width, width));
        RegisterComponents();
    }

    /// <summary>Computes tokens from tokens.</summary>
    /// <param name="input">[N, T, D].</param>
    /// <returns>[N, T, D].</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var (samples, tokens, width) = (input.shape[0], input.shape[1], input.shape[2]);

        // [3, N, heads, T, D / heads].
        var parts = _projections.forward(_before.forward(input)).view(samples, tokens, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4);
        var attended = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]);
        var through = input + _joined.forward(attended.transpose(1, 2).reshape(samples, tokens, width));
        return (through + _neurons.forward(through)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _before.Dispose();
            _projections.Dispose();
            _joined.Dispose();
            _neurons.Dispose();
        }

        base.Dispose(disposing);
    }
}
