namespace Shoal.Learning;

/// <summary>Joins what several replicas rehearse, and deals it out again: each sample goes with its shard.</summary>
/// <remarks>
/// Works on the part <c>replay</c> of snapshots. Every replica sees an equal mixture of the stream, so that segments are
/// alike when they are counted from the last one. Neighbours are known again after the next mining.
/// </remarks>
public static class SharedReplay
{
    private static readonly string[] Buffers = ["train.", "heldout."];

    /// <summary>One part out of several.</summary>
    /// <param name="parts">The part <c>replay</c> of each replica.</param>
    /// <param name="options">Those of the learner that it is for: its buffers' sizes.</param>
    /// <param name="isWanted">Whether the samples of a shard are taken.</param>
    public static IReadOnlyList<NamedTensor> Join(IReadOnlyList<IReadOnlyList<NamedTensor>> parts, LearnerOptions options, Func<int, bool> isWanted)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(isWanted);
        return
        [
            .. JoinBuffers(Buffers[0], parts, options.ReplayShare, isWanted),
            .. JoinBuffers(Buffers[1], parts, options.HeldOutShare, isWanted),
            .. JoinRecent(parts, isWanted),
        ];
    }

    private static IEnumerable<NamedTensor> JoinBuffers(string prefix, IReadOnlyList<IReadOnlyList<NamedTensor>> parts, int capacity, Func<int, bool> isWanted)
    {
        SavedBuffer[] buffers = [.. parts.Select(part => new SavedBuffer(prefix, part))];
        var count = buffers.Max(buffer => buffer.Segments.Count);
        (List<(SavedBuffer Buffer, int Slot)> Samples, long Offered)[] segments = [.. Enumerable.Range(0, count).Select(age => Segment(buffers, count - 1 - age, isWanted))];
        Trim(segments, capacity);
        (SavedBuffer Buffer, int Slot)[] samples = [.. segments.SelectMany(segment => segment.Samples)];
        var shape = buffers[0].PixelShape;
        yield return NamedTensor.Of<byte>(prefix + "pixels", Copied<(SavedBuffer Buffer, int Slot), byte>(samples, buffers[0].SampleBytes, static (sample, target) => sample.Buffer.PixelsOf(sample.Slot).CopyTo(target)), [samples.Length, .. shape]);
        yield return NamedTensor.Of<long>(prefix + "keys", [.. samples.Select(sample => sample.Buffer.Keys[sample.Slot])]);
        yield return NamedTensor.Of<long>(prefix + "offered", [segments.Sum(segment => segment.Offered)]);
        yield return NamedTensor.Of<byte>(prefix + "mined", new byte[samples.Length]);
        yield return NamedTensor.Of<int>(prefix + "neighbours", []);
        yield return NamedTensor.Of<int>(prefix + "labels", [.. samples.Select(sample => sample.Buffer.Labels[sample.Slot])]);
        yield return NamedTensor.Of<int>(prefix + "shown", [.. samples.Select(sample => sample.Buffer.Shown[sample.Slot])]);
        yield return NamedTensor.Of<long>(prefix + "segments.offered", [.. segments.Select(segment => segment.Offered)]);
        yield return NamedTensor.Of<int>(prefix + "segments.count", [.. segments.Select(segment => segment.Samples.Count)]);
        yield return NamedTensor.Of<int>(prefix + "segments.slots", [.. Enumerable.Range(0, samples.Length)]);
        if (Array.TrueForAll(buffers, buffer => buffer.Embeddings is not null))
        {
            var width = buffers[0].Width;
            yield return NamedTensor.Of<float>(prefix + MinimumRedundancy.EmbeddingsName, Copied<(SavedBuffer Buffer, int Slot), float>(samples, width, static (sample, target) => sample.Buffer.EmbeddingOf(sample.Slot).CopyTo(target)), samples.Length, width);
            yield return NamedTensor.Of<int>(prefix + MinimumRedundancy.NearestName, [.. samples.Select(_ => -1)]);
        }
    }

    private static T[] Copied<TSample, T>(TSample[] samples, int size, CopyRow<TSample, T> copy)
    {
        var copied = new T[samples.Length * size];
        for (var i = 0; i < samples.Length; i++)
        {
            copy(samples[i], copied.AsSpan(i * size, size));
        }

        return copied;
    }

    private delegate void CopyRow<in TSample, T>(TSample sample, Span<T> target);

    // The wanted samples of one segment of each buffer, counted from the last one; what was offered goes with them.
    private static (List<(SavedBuffer Buffer, int Slot)> Samples, long Offered) Segment(SavedBuffer[] buffers, int fromLast, Func<int, bool> isWanted)
    {
        List<(SavedBuffer Buffer, int Slot)> samples = [];
        HashSet<long> known = [];
        var offered = 0.0;
        foreach (SavedBuffer buffer in buffers.Where(buffer => fromLast < buffer.Segments.Count))
        {
            // Parts of two deals may both have a sample: the first counts.
            var (total, slots) = buffer.Segments[^(fromLast + 1)];
            int[] wanted = [.. slots.Where(slot => isWanted(SampleKey.Unpack(buffer.Keys[slot]).Shard) && known.Add(buffer.Keys[slot]))];
            samples.AddRange(wanted.Select(slot => (buffer, slot)));
            offered += slots.Length == 0 ? 0 : (double)total * wanted.Length / slots.Length;
        }

        // By a hash of the key, so that any beginning of the list is a uniform sample of it.
        samples.Sort((a, b) => Keyed.Mix(0, a.Buffer.Keys[a.Slot], (long)Purpose.Reservoir).CompareTo(Keyed.Mix(0, b.Buffer.Keys[b.Slot], (long)Purpose.Reservoir)));
        return (samples, (long)Math.Round(offered));
    }

    private static void Trim((List<(SavedBuffer Buffer, int Slot)> Samples, long Offered)[] segments, int capacity)
    {
        for (var left = segments.Sum(segment => segment.Samples.Count) - capacity; left > 0; left--)
        {
            var largest = segments.MaxBy(segment => segment.Samples.Count).Samples;
            largest.RemoveAt(largest.Count - 1);
        }
    }

    private static IEnumerable<NamedTensor> JoinRecent(IReadOnlyList<IReadOnlyList<NamedTensor>> parts, Func<int, bool> isWanted)
    {
        const string Prefix = "recent.";
        NamedTensor[] pixels = [.. parts.Select(part => part.Named(Prefix + "pixels"))];
        long[][] keys = [.. parts.Select(part => part.Named(Prefix + "keys").Values<long>())];
        var size = (int)pixels[0].Shape[1..].Aggregate(1L, (product, length) => product * length);
        (int Part, int Slot)[] wanted =
        [
            .. keys.SelectMany((of, part) => of.Select((key, slot) => (Key: key, Part: part, Slot: slot)))
                .Where(sample => isWanted(SampleKey.Unpack(sample.Key).Shard))
                .Select(sample => (sample.Part, sample.Slot))
                .Take(keys.Max(of => of.Length)),
        ];
        yield return NamedTensor.Of<byte>(
            Prefix + "pixels", Copied<(int Part, int Slot), byte>(wanted, size, (sample, target) => pixels[sample.Part].Data.AsSpan(sample.Slot * size, size).CopyTo(target)), [wanted.Length, .. pixels[0].Shape[1..]]);
        yield return NamedTensor.Of<long>(Prefix + "keys", [.. wanted.Select(sample => keys[sample.Part][sample.Slot])]);
        yield return NamedTensor.Of<long>(Prefix + "counts", [wanted.Length, parts.Min(part => part.Named(Prefix + "counts").Values<long>()[1])]);
    }

    /// <summary>A replay buffer as it was saved.</summary>
    private sealed class SavedBuffer
    {
        private readonly byte[] _pixels;
        private readonly int _size;

        public SavedBuffer(string prefix, IReadOnlyList<NamedTensor> part)
        {
            NamedTensor pixels = part.Named(prefix + "pixels");
            (_pixels, PixelShape) = (pixels.Data, pixels.Shape[1..]);
            _size = (int)PixelShape.Aggregate(1L, (product, length) => product * length);
            Keys = part.Named(prefix + "keys").Values<long>();
            Labels = part.Named(prefix + "labels").Values<int>();
            Shown = part.Named(prefix + "shown").Values<int>();
            Embeddings = part.FirstOrDefault(tensor => string.Equals(tensor.Name, prefix + MinimumRedundancy.EmbeddingsName, StringComparison.Ordinal));
            var slots = part.Named(prefix + "segments.slots").Values<int>();
            var read = 0;
            foreach (var (offered, count) in part.Named(prefix + "segments.offered").Values<long>().Zip(part.Named(prefix + "segments.count").Values<int>()))
            {
                Segments.Add((offered, slots[read..(read + count)]));
                read += count;
            }
        }

        public long[] PixelShape { get; }

        public int SampleBytes => _size;

        public long[] Keys { get; }

        public int[] Labels { get; }

        public int[] Shown { get; }

        public NamedTensor? Embeddings { get; }

        public int Width => (int)(Embeddings?.Shape[1] ?? 0);

        public List<(long Offered, int[] Slots)> Segments { get; } = [];

        public ReadOnlySpan<byte> PixelsOf(int slot) => _pixels.AsSpan(slot * _size, _size);

        public ReadOnlySpan<float> EmbeddingOf(int slot) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(Embeddings!.Data).Slice(slot * Width, Width);
    }
}
