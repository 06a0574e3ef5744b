using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Shoal.Contracts;
using Shoal.Learning;
using Shoal.Storage;

namespace Shoal.Grains.Training;

/// <summary>Carries the learner's tensors to and from safetensors objects and bank messages.</summary>
internal static class TensorFiles
{
    /// <summary>Writes tensors under an immutable name.</summary>
    public static async Task<Claim> WriteAsync(IObjectStore store, string name, IReadOnlyList<NamedTensor> tensors)
    {
        var bytes = SafeTensors.Write(tensors.Select(t => new TensorEntry(t.Name, t.DType, t.Shape, t.Data)), metadata: null);
        await store.PutAsync(name, bytes, PutCondition.Always);
        return new Claim(name, bytes.Length);
    }

    /// <summary>Reads what a claim refers to.</summary>
    /// <exception cref="ShoalException">Unavailable: the object is missing.</exception>
    public static async Task<IReadOnlyList<NamedTensor>> ReadAsync(IObjectStore store, Claim claim)
    {
        StoredObject stored = await store.GetAsync(claim.Name)
            ?? throw new ShoalException(ShoalErrorKind.Unavailable, $"'{claim.Name}' is missing from the store; restore it from a backup.");
        return Read(stored.Content);
    }

    /// <summary>Reads what was written.</summary>
    public static IReadOnlyList<NamedTensor> Read(byte[] content) =>
        [.. SafeTensors.Read(content).Tensors.Select(e => new NamedTensor(e.Name, e.DType, e.Shape, e.Data.ToArray()))];

    /// <summary>Names an encoder by its content: two candidates with one hash embed alike, bit by bit.</summary>
    public static string EncoderHash(IReadOnlyList<NamedTensor> candidate)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (NamedTensor tensor in candidate.Where(t => t.Name.StartsWith("encoder.", StringComparison.Ordinal) || t.Name.StartsWith("input.", StringComparison.Ordinal)))
        {
            hash.AppendData(tensor.Data);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The learner's bank out of the shared bank's keys.</summary>
    public static BankState Bank(BankKeys keys)
    {
        float[] values = MemoryMarshal.Cast<byte, float>(keys.Keys).ToArray();
        return new BankState(
            keys.First + keys.Count,
            keys.Count == 0 ? 0 : values.Length / keys.Count,
            values,
            MemoryMarshal.Cast<byte, long>(keys.Samples).ToArray(),
            MemoryMarshal.Cast<byte, long>(keys.Steps).ToArray());
    }

    /// <summary>The last of some keys.</summary>
    /// <param name="keys">The keys, oldest first.</param>
    /// <param name="count">How many at most.</param>
    public static BankKeys Last(BankKeys keys, int count)
    {
        var skipped = Math.Max(0, keys.Count - count);
        var width = keys.Count == 0 ? 0 : keys.Keys.Length / keys.Count;
        return keys with
        {
            First = keys.First + skipped,
            Count = keys.Count - skipped,
            Keys = keys.Keys[(skipped * width)..],
            Samples = keys.Samples[(skipped * sizeof(long))..],
            Steps = keys.Steps[(skipped * sizeof(long))..],
        };
    }

    /// <summary>Keys for the shared bank out of the learner's.</summary>
    public static BankKeys Keys(BankState bank) => new()
    {
        First = bank.Count - bank.Samples.Length,
        Count = bank.Samples.Length,
        Keys = MemoryMarshal.AsBytes(bank.Keys.AsSpan()).ToArray(),
        Samples = MemoryMarshal.AsBytes(bank.Samples.AsSpan()).ToArray(),
        Steps = MemoryMarshal.AsBytes(bank.Steps.AsSpan()).ToArray(),
    };
}
