using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>What encoders see of a step's samples.</summary>
public sealed partial class Learner
{
    // What an encoder learns without gradients it learns from fresh samples only: each counts once, in whatever order they come.
    private void Watch(Tensor samples, int fresh, Generator generator)
    {
        if (fresh == 0 || _encoder.Memories is null)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var seen = samples.narrow(0, 0, fresh);
        _encoder.Watch(Normalise(samples), Normalise(_views.Make(seen, generator)), Normalise(_views.Make(seen, generator)));
        Momentum.Follow(_keyEncoder, _encoder, 0);
    }

    // Features and key features of two views, [2N, D] each.
    private (Tensor Features, Tensor Keys) CompareViews(Tensor samples, Generator generator)
    {
        var views = Normalise(cat([_views.Make(samples, generator), _views.Make(samples, generator)]));
        var embedded = _encoder.forward(views);
        return (embedded, _encoder.LearnsByGradient ? KeyFeatures(views) : embedded);
    }

    // Nobody reads them; but the key encoder's norms, where they keep any, keep the statistics that embeddings are made with. A sample alone is shown twice: norms need two.
    private (Tensor Features, Tensor Keys) SeeSamples(Tensor samples)
    {
        var count = samples.shape[0];
        if (!_keyEncoder.named_buffers().Any())
        {
            var nothing = zeros(2 * count, _encoder.Width, device: _device);
            return (nothing, nothing);
        }

        var seen = KeyFeatures(Normalise(count > 1 ? samples : samples.repeat(2, 1, 1, 1))).narrow(0, 0, count).repeat(2, 1);
        return (seen, seen);
    }

    private Tensor KeyFeatures(Tensor views)
    {
        using var noGrad = no_grad();
        return _keyEncoder.forward(views);
    }

    private Tensor Normalise(Tensor samples)
    {
        using var scope = NewDisposeScope();
        var (mean, deviation) = (tensor(_statistics.Mean, device: _device), tensor(_statistics.Deviation, device: _device));
        return ((samples - mean.view(1, -1, 1, 1)) / deviation.view(1, -1, 1, 1)).MoveToOuterDisposeScope();
    }
}
