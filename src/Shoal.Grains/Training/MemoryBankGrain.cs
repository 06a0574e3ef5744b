using System.Globalization;
using System.Runtime.InteropServices;
using Orleans.Placement;
using Shoal.Contracts;
using Shoal.Grains.Silos;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>The FIFO of keys that all replicas of a dataset share.</summary>
/// <remarks>Its counts never run backwards, so that a replica asks only for what it has not seen.</remarks>
[Immovable]
[RequiresRole(SiloRoles.Data)]
[CollectionAgeLimit(AlwaysActive = true)]
internal sealed class MemoryBankGrain(IObjectStore store) : Grain, IMemoryBankGrain
{
    private readonly Queue<(byte[] Key, long Sample, long Step)> _keys = new();
    private int _capacity;
    private BankPosition _position;

    /// <inheritdoc/>
    public async Task<BankPosition> BeginAsync(Claim? bank, int capacity)
    {
        BankKeys? loaded = bank is null ? null : await LoadAsync(bank);
        _keys.Clear();
        _capacity = capacity;
        // The count goes on from the checkpoint's; the epoch tells a seat of an older beginning from one of this.
        _position = new BankPosition(_position.Epoch + 1, loaded is null ? 0 : loaded.First);
        if (loaded is not null)
        {
            Append(loaded);
        }

        return _position;
    }

    /// <inheritdoc/>
    public Task<BankPosition> PushAsync(long epoch, BankKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (epoch != _position.Epoch)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"The memory bank is in epoch {_position.Epoch}, not {epoch}; take the deal again.");
        }

        if (keys.First > _position.Count && keys.Count < _capacity)
        {
            throw new ShoalException(ShoalErrorKind.Conflict, $"Keys {_position.Count} to {keys.First} are missing; push them first.");
        }

        Append(keys);
        return Task.FromResult(_position);
    }

    /// <inheritdoc/>
    public Task<BankKeys> PullAsync(long after) => Task.FromResult(Since(after));

    /// <inheritdoc/>
    public async Task<Claim> SaveAsync(string name)
    {
        BankKeys all = Since(0);
        var width = all.Count == 0 ? 0 : all.Keys.Length / sizeof(float) / all.Count;
        var bytes = SafeTensors.Write(
            [
                new TensorEntry("keys", "F32", [all.Count, width], all.Keys),
                new TensorEntry("samples", "I64", [all.Count], all.Samples),
                new TensorEntry("steps", "I64", [all.Count], all.Steps),
            ],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["first"] = all.First.ToString(CultureInfo.InvariantCulture) });
        await store.PutAsync(name, bytes, PutCondition.Always);
        return new Claim(name, bytes.Length);
    }

    private async Task<BankKeys> LoadAsync(Claim claim)
    {
        StoredObject stored = await store.GetAsync(claim.Name)
            ?? throw new ShoalException(ShoalErrorKind.Unavailable, $"The memory bank '{claim.Name}' is missing from the store; restore it from a backup.");
        (IReadOnlyList<TensorEntry> tensors, IReadOnlyDictionary<string, string> metadata) = SafeTensors.Read(stored.Content);
        Dictionary<string, TensorEntry> parts = tensors.ToDictionary(e => e.Name, StringComparer.Ordinal);
        return new BankKeys
        {
            First = long.Parse(metadata["first"], CultureInfo.InvariantCulture),
            Count = (int)parts["keys"].Shape[0],
            Keys = parts["keys"].Data.ToArray(),
            Samples = parts["samples"].Data.ToArray(),
            Steps = parts["steps"].Data.ToArray(),
        };
    }

    private void Append(BankKeys keys)
    {
        // Keys that were pushed before (a repeated delivery) are left out; a gap is only allowed where
        // the pushed keys fill the whole bank, so that nothing older could remain.
        var skip = (int)Math.Clamp(_position.Count - keys.First, 0, keys.Count);
        var width = keys.Count == 0 ? 0 : keys.Keys.Length / keys.Count;
        ReadOnlySpan<long> samples = MemoryMarshal.Cast<byte, long>(keys.Samples);
        ReadOnlySpan<long> steps = MemoryMarshal.Cast<byte, long>(keys.Steps);
        for (var i = skip; i < keys.Count; i++)
        {
            _keys.Enqueue((keys.Keys.AsSpan(i * width, width).ToArray(), samples[i], steps[i]));
            if (_keys.Count > _capacity)
            {
                _keys.Dequeue();
            }
        }

        _position = _position with { Count = Math.Max(_position.Count, keys.First + keys.Count) };
    }

    private BankKeys Since(long after)
    {
        var oldest = _position.Count - _keys.Count;
        var skip = (int)Math.Clamp(after - oldest, 0, _keys.Count);
        (byte[] Key, long Sample, long Step)[] wanted = [.. _keys.Skip(skip)];
        var width = wanted.Length == 0 ? 0 : wanted[0].Key.Length;
        var keys = new byte[wanted.Length * width];
        for (var i = 0; i < wanted.Length; i++)
        {
            wanted[i].Key.CopyTo(keys, i * width);
        }

        return new BankKeys
        {
            First = oldest + skip,
            Count = wanted.Length,
            Keys = keys,
            Samples = MemoryMarshal.AsBytes(wanted.Select(k => k.Sample).ToArray().AsSpan()).ToArray(),
            Steps = MemoryMarshal.AsBytes(wanted.Select(k => k.Step).ToArray().AsSpan()).ToArray(),
        };
    }
}
