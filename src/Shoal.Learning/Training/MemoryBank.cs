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
    private readonly float[] _keys;
    private readonly int _capacity;
    private readonly Device _device;
    private Tensor? _keyTensor;
    private Tensor? _sampleTensor;

    public MemoryBank(int capacity, int width, Device device)
    {
        (_capacity, Width, _device) = (capacity, width, device);
        (_samples, _steps, _keys) = (new long[capacity], new long[capacity], new float[capacity * width]);
    }

    public int Width { get; }

    /// <summary>How many keys were ever pushed.</summary>
    public long Count { get; private set; }

    private int Held => (int)Math.Min(Count, _capacity);

    /// <summary>The keys held, in ring order.</summary>
    /// <returns>[n, Width], float32, and their samples, [n], int64; valid until the next push.</returns>
    public (Tensor Keys, Tensor Samples) Read()
    {
        if (_keyTensor is null || _sampleTensor is null)
        {
            using var scope = NewDisposeScope();
            _keyTensor = tensor(_keys.AsSpan(0, Held * Width).ToArray(), [Held, Width], device: _device).DetachFromDisposeScope();
            _sampleTensor = tensor(_samples.AsSpan(0, Held).ToArray(), [Held], device: _device).DetachFromDisposeScope();
        }

        return (_keyTensor, _sampleTensor);
    }

    /// <summary>Pushes keys, the oldest fall out.</summary>
    /// <param name="keys">[N, Width], row-major.</param>
    /// <param name="samples">Packed sample keys, [N].</param>
    /// <param name="step">The step that made them.</param>
    public void Push(ReadOnlySpan<float> keys, ReadOnlySpan<long> samples, long step)
    {
        for (var i = 0; i < samples.Length && _capacity > 0; i++)
        {
            Put(keys.Slice(i * Width, Width), samples[i], step);
        }

        Forget();
    }

    /// <summary>Keys pushed after a count, oldest first, at most the capacity.</summary>
    public BankState Since(long count)
    {
        var first = Math.Max(Math.Max(count, 0), Count - Held);
        var n = (int)Math.Max(0, Count - first);
        var (keys, samples, steps) = (new float[n * Width], new long[n], new long[n]);
        for (var i = 0; i < n; i++)
        {
            var slot = (int)((first + i) % _capacity);
            _keys.AsSpan(slot * Width, Width).CopyTo(keys.AsSpan(i * Width));
            (samples[i], steps[i]) = (_samples[slot], _steps[slot]);
        }

        return new BankState(Count, Width, keys, samples, steps);
    }

    /// <summary>Begins anew from a saved bank.</summary>
    /// <exception cref="InvalidDataException">Its keys have another width.</exception>
    public void Load(BankState bank)
    {
        if (bank.Samples.Length > 0 && bank.Width != Width)
        {
            throw new InvalidDataException($"The bank's keys are {bank.Width} wide, expected {Width}.");
        }

        var held = Math.Min(bank.Samples.Length, _capacity);
        var skipped = bank.Samples.Length - held;
        Count = bank.Count - held;
        for (var i = skipped; i < bank.Samples.Length; i++)
        {
            Put(bank.Keys.AsSpan(i * Width, Width), bank.Samples[i], bank.Steps[i]);
        }

        Forget();
    }

    public void Dispose() => Forget();

    private void Put(ReadOnlySpan<float> key, long sample, long step)
    {
        var slot = (int)(Count % _capacity);
        key.CopyTo(_keys.AsSpan(slot * Width));
        (_samples[slot], _steps[slot]) = (sample, step);
        Count++;
    }

    private void Forget()
    {
        _keyTensor?.Dispose();
        _sampleTensor?.Dispose();
        (_keyTensor, _sampleTensor) = (null, null);
    }
}
