using static TorchSharp.torch;

namespace Shoal.Learning;

/// <summary>Keys of a memory bank, oldest first.</summary>
/// <param name="Count">How many keys were ever pushed, these included.</param>
/// <param name="Width">The width of a key.</param>
/// <param name="Keys">[n, Width], row-major, L2-normalised.</param>
/// <param name="Samples">The packed sample key of each, [n].</param>
/// <param name="Steps">The learner's step that made each, [n].</param>
public sealed record BankState(long Count, int Width, float[] Keys, long[] Samples, long[] Steps);

/// <summary>MoCo's FIFO of keys.</summary>
internal sealed class MemoryBank : IDisposable
{
    private readonly long[] _samples;
    private readonly long[] _steps;
    private readonly int _capacity;

    // Rings that are written in place: [capacity, Width] and [capacity].
    private readonly Tensor _keyRing;
    private readonly Tensor _sampleRing;

    public MemoryBank(int capacity, int width, Device device)
    {
        (_capacity, Width) = (capacity, width);
        (_samples, _steps) = (new long[capacity], new long[capacity]);
        using var scope = NewDisposeScope();
        _keyRing = zeros(capacity, width, device: device).DetachFromDisposeScope();
        _sampleRing = zeros(capacity, ScalarType.Int64, device: device).DetachFromDisposeScope();
    }

    public int Width { get; }

    /// <summary>How many keys were ever pushed.</summary>
    public long Count { get; private set; }

    private int Held => (int)Math.Min(Count, _capacity);

    /// <summary>The keys held, in ring order; in the caller's dispose scope.</summary>
    /// <returns>[n, Width], float32, and their samples, [n], int64; the next push writes into both.</returns>
    public (Tensor Keys, Tensor Samples) Read() => (_keyRing.narrow(0, 0, Held), _sampleRing.narrow(0, 0, Held));

    /// <summary>Pushes keys, the oldest fall out.</summary>
    /// <param name="keys">[N, Width], float32.</param>
    /// <param name="samples">Packed sample keys, [N].</param>
    /// <param name="step">The step that made them.</param>
    public void Push(Tensor keys, ReadOnlySpan<long> samples, long step)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();

        // Of more keys than fit, the last ones stay.
        var skipped = Math.Max(0, samples.Length - _capacity);
        Count += skipped;
        for (var at = skipped; at < samples.Length;)
        {
            var slot = (int)(Count % _capacity);
            var run = Math.Min(samples.Length - at, _capacity - slot);
            var chunk = samples.Slice(at, run);
            _keyRing.narrow(0, slot, run).copy_(keys.narrow(0, at, run));
            _sampleRing.narrow(0, slot, run).copy_(tensor(chunk.ToArray()));
            chunk.CopyTo(_samples.AsSpan(slot));
            _steps.AsSpan(slot, run).Fill(step);
            (Count, at) = (Count + run, at + run);
        }
    }

    /// <summary>Masks the keys of samples: zeros that nothing is near, of no sample.</summary>
    /// <param name="keys">Packed sample keys.</param>
    public void Forget(IReadOnlySet<long> keys)
    {
        using var noGrad = no_grad();
        for (var slot = 0; slot < Held; slot++)
        {
            if (keys.Contains(_samples[slot]))
            {
                using var scope = NewDisposeScope();
                _samples[slot] = -1;
                _keyRing.narrow(0, slot, 1).zero_();
                _sampleRing.narrow(0, slot, 1).fill_(-1L);
            }
        }
    }

    /// <summary>Keys pushed after a count, oldest first, at most the capacity.</summary>
    public BankState Since(long count)
    {
        using var scope = NewDisposeScope();
        var first = Math.Max(Math.Max(count, 0), Count - Held);
        var slots = new long[(int)Math.Max(0, Count - first)];
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = (first + i) % _capacity;
        }

        return new BankState(
            Count,
            Width,
            _keyRing.index_select(0, tensor(slots, device: _keyRing.device)).ToArray<float>(),
            Array.ConvertAll(slots, slot => _samples[slot]),
            Array.ConvertAll(slots, slot => _steps[slot]));
    }

    /// <summary>Begins anew from a saved bank.</summary>
    /// <exception cref="InvalidDataException">Its keys have another width.</exception>
    public void Load(BankState bank)
    {
        if (bank.Samples.Length > 0 && bank.Width != Width)
        {
            throw new InvalidDataException($"The bank's keys are {bank.Width} wide, expected {Width}.");
        }

        using var scope = NewDisposeScope();
        Count = bank.Count - bank.Samples.Length;
        Push(tensor(bank.Keys, [bank.Samples.Length, Width]), bank.Samples, 0);
        for (var i = Math.Max(0, bank.Samples.Length - _capacity); i < bank.Samples.Length; i++)
        {
            _steps[(bank.Count - bank.Samples.Length + i) % _capacity] = bank.Steps[i];
        }
    }

    public void Dispose()
    {
        _keyRing.Dispose();
        _sampleRing.Dispose();
    }
}
