using static TorchSharp.torch;

namespace Shoal.Learning;

// When the stream changes: a new segment of the replay buffers.
public sealed partial class Learner
{
    // Samples compared on either side. The separation of two sets of one distribution then has a deviation of 0.04.
    private const int DriftSamples = 128;

    // Fresh samples between two looks: with 9 ms each, a hundredth of the time.
    private const int DriftEvery = 512;

    // A third of the neighbours that two equal sets would share are gone: seven deviations.
    private const double DriftThreshold = 0.3;

    // A share must hold enough samples to be compared with.
    private int MostSegments => Math.Min(Options.Segments, Options.ReplayShare / DriftSamples);

    /// <summary>Compares what came last with the current segment; begins another when they are apart, and says how far.</summary>
    private double? LookForDrift(Random random)
    {
        if (MostSegments == 1 || _recent.Unseen < DriftEvery || _replay.Slots(_replay.SegmentCount - 1).Count < DriftSamples)
        {
            return null;
        }

        _recent.Look();
        using var scope = NewDisposeScope();
        _keyEncoder.eval();
        var recent = Embed(_recent.Pixels);
        var separation = TwoSampleTest.Separation(recent, EmbedSegment(_replay.SegmentCount - 1, random));
        var changed = separation > DriftThreshold;
        if (changed)
        {
            BeginSegment(recent.ToArray<float>(), random);
        }

        _keyEncoder.train();
        return changed ? separation : null;
    }

    // With the embeddings of the samples that came last, [n * D].
    private void BeginSegment(float[] recent, Random random)
    {
        if (_replay.SegmentCount == MostSegments)
        {
            var (first, second) = TwoSampleTest.MostAlike([.. Enumerable.Range(0, _replay.SegmentCount).Select(s => EmbedSegment(s, random))]);
            _replay.Join(first, second);
            _heldOut.Join(first, second);
        }

        _replay.BeginSegment();
        _heldOut.BeginSegment();
        for (var i = 0; i < _recent.Count; i++)
        {
            _replay.Offer(_recent.Pixels.Slice(i * Shape.Size, Shape.Size), _recent.Keys[i], random, recent.AsSpan(i * _encoder.Width, _encoder.Width));
        }
    }

    // Some of a segment's samples under the key encoder, which is in eval mode, [m, D].
    private Tensor EmbedSegment(int segment, Random random)
    {
        var slots = _replay.Slots(segment).ToArray();
        random.Shuffle(slots);
        var pixels = new byte[Math.Min(slots.Length, DriftSamples) * Shape.Size];
        for (var i = 0; i < pixels.Length / Shape.Size; i++)
        {
            _replay[slots[i]].CopyTo(pixels.AsSpan(i * Shape.Size));
        }

        return Embed(pixels);
    }
}
