using static TorchSharp.torch;

namespace Shoal.Learning.Tests;

public sealed class PatchEncoderTests
{
    private static readonly SampleShape Shape = new(3, 16, 16);

    [Fact]
    public void Features_are_directions_in_which_samples_differ_by_more_than_their_views()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var encoder = new PatchEncoder(Shape);

        // The tenth batch is one that the map is fitted after.
        Watch(encoder, 64, 10);
        var moments = State(encoder.Memories);
        var regular = moments["views"] + (eye(moments["views"].shape[0]) * ((moments["views"].diagonal().mean() * 0.15) + 1e-6));
        var map = State(encoder)["map"];
        var (ofViews, ofSamples) = (map.t().matmul(regular).matmul(map), map.t().matmul(moments["square"] - outer(moments["mean"], moments["mean"])).matmul(map));
        Assert.True((ofViews - ofViews.diagonal().diag()).abs().max().item<float>() < 0.02 * ofViews.diagonal().max().item<float>());

        // A direction whose samples differ r times as much as its views is longer by r^0.25: views differ by r^0.5 there, samples by r^1.5.
        var leading = ofSamples.diagonal().narrow(0, 0, 2) / ofViews.diagonal().narrow(0, 0, 2).pow(3);
        Assert.True(leading.allclose(ones(2), 0.02, 0), string.Join(' ', Making.Floats(leading)));

        // Kinds differ by their stripes, views by noise: far more pairs of a kind are nearest than the third that chance would give.
        var samples = Stripes(100, 99);
        var embedded = nn.functional.normalize(encoder.forward(samples), 2, dim: 1);
        var nearest = (embedded.matmul(embedded.t()) - (eye(100) * 4)).argmax(1);
        var kinds = arange(100) % 3;
        Assert.True(kinds.index_select(0, nearest).eq(kinds).sum().item<long>() > 90);
    }

    [Fact]
    public void The_order_of_the_stream_does_not_matter_once_it_has_a_dictionary()
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> Means(IEnumerable<int> order)
        {
            using var encoder = new PatchEncoder(Shape);
            Watch(encoder, 256, 1);
            foreach (var batch in order)
            {
                var samples = Stripes(32, batch);
                encoder.Watch(samples, samples, Stripes(32, batch + 50));
            }

            return State(encoder.Memories).ToDictionary(entry => entry.Key, entry => entry.Value.clone(), StringComparer.Ordinal);
        }

        var (forward, backward) = (Means([1, 2, 3]), Means([3, 2, 1]));
        foreach (var name in new[] { "mean", "square", "views" })
        {
            Assert.True(forward[name].allclose(backward[name], 1e-3, 1e-5), name);
        }
    }

    [Fact]
    public void A_mirror_image_is_the_same()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var encoder = new PatchEncoder(Shape);
        Watch(encoder, 64, 6);
        var samples = Stripes(20, 77);
        var (features, mirrored) = (encoder.forward(samples), encoder.forward(samples.flip(3)));
        Assert.True(((features - mirrored).norm(1, false, 2) / features.norm(1, false, 2)).max().item<float>() < 1e-5);
    }

    [Fact]
    public void A_stream_may_show_nothing()
    {
        using var scope = NewDisposeScope();
        using var encoder = new PatchEncoder(Shape);
        var flat = full(200, 3, 16, 16, 0.5f);
        for (var i = 0; i < 4; i++)
        {
            encoder.Watch(flat, flat, flat);
        }

        Assert.True(encoder.forward(flat).isfinite().all().item<bool>());
    }

    [Fact]
    public void Larger_samples_are_seen_at_32_pixels()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var encoder = new PatchEncoder(new SampleShape(3, 64, 64));
        var small = randn(300, 3, 32, 32);
        var large = small.repeat_interleave(2, 2).repeat_interleave(2, 3);
        encoder.Watch(large, large, large);
        Assert.True(encoder.forward(large).allclose(encoder.forward(small), 1e-3, 1e-4));
    }

    private static void Watch(PatchEncoder encoder, int count, int batches)
    {
        for (var batch = 0; batch < batches; batch++)
        {
            var samples = Stripes(count, batch);
            encoder.Watch(samples, samples + (randn_like(samples) * 0.3), samples + (randn_like(samples) * 0.3));
        }
    }

    // [N, 3, 16, 16]: stripes whose direction depends on the kind, of a random phase and colour; three kinds in turn, none another's mirror image.
    private static Tensor Stripes(int count, int seed)
    {
        using var generator = new Generator((ulong)seed + 1);
        var kind = (arange(count) % 3).to_type(ScalarType.Float32).view(-1, 1, 1, 1);
        var (y, x) = (arange(16).view(1, 1, -1, 1), arange(16).view(1, 1, 1, -1));
        var angle = kind * (Math.PI / 5);
        var phase = rand([count, 1, 1, 1], generator: generator) * 6;
        var colour = rand([count, 3, 1, 1], generator: generator) + 0.5;
        return ((((x * angle.cos()) + (y * angle.sin())) * 1.2) + phase).sin() * colour;
    }

    private static Dictionary<string, Tensor> State(nn.Module module)
        => module.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
}
