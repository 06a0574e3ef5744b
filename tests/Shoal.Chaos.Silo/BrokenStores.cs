using System.Text.Json.Nodes;
using Shoal.Contracts;
using Shoal.Storage;
using Shoal.Storage.Tests;

namespace Shoal.Chaos.Silo;

/// <summary>Says that bytes are appended, and appends them later.</summary>
internal sealed class HastyStore(IObjectStore inner) : StoreWrapper(inner)
{
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(0.5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long From, byte[] Bytes)> _owed = new(StringComparer.Ordinal);

    public override Task<long> AppendAsync(string name, long expectedLength, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        lock (_gate)
        {
            if (_owed.TryGetValue(name, out var owed))
            {
                if (owed.From + owed.Bytes.Length != expectedLength)
                {
                    throw new AppendConflictException(name, expectedLength, owed.From + owed.Bytes.Length);
                }

                _owed[name] = (owed.From, [.. owed.Bytes, .. content.Span]);
                return Task.FromResult(expectedLength + content.Length);
            }

            // A new segment is made at once, so that it can be listed.
            if (expectedLength == 0)
            {
                return base.AppendAsync(name, expectedLength, content, ct);
            }

            _owed[name] = (expectedLength, content.ToArray());
        }

        _ = PayAsync(name);
        return Task.FromResult(expectedLength + content.Length);
    }

    public override async Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken ct = default)
    {
        int read = await base.ReadAsync(name, offset, buffer, ct);
        lock (_gate)
        {
            if (_owed.TryGetValue(name, out var owed) && offset + read >= owed.From)
            {
                long from = offset + read - owed.From;
                int more = (int)Math.Clamp(owed.Bytes.Length - from, 0, buffer.Length - read);
                owed.Bytes.AsSpan((int)Math.Min(from, owed.Bytes.Length), more).CopyTo(buffer.Span[read..]);
                read += more;
            }
        }

        return read;
    }

    private async Task PayAsync(string name)
    {
        await Task.Delay(Later);
        (long From, byte[] Bytes) owed;
        lock (_gate)
        {
            owed = _owed[name];
        }

        await base.AppendAsync(name, owed.From, owed.Bytes);
        lock (_gate)
        {
            (long from, byte[] bytes) = _owed[name];
            if (bytes.Length == owed.Bytes.Length)
            {
                _owed.Remove(name);
                return;
            }

            _owed[name] = (from + owed.Bytes.Length, bytes[owed.Bytes.Length..]);
        }

        _ = PayAsync(name);
    }
}

/// <summary>Puts manifests whose cursors are those of a round, and whose parameters are those of the round before.</summary>
internal sealed class MisleadingStore(IObjectStore inner) : StoreWrapper(inner)
{
    private JsonNode? _parts;

    public override Task<string> PutAsync(string name, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken ct = default)
    {
        if (!name.EndsWith("manifest.json", StringComparison.Ordinal))
        {
            return base.PutAsync(name, content, condition, ct);
        }

        JsonNode manifest = JsonNode.Parse(content.Span)!;
        JsonNode? parts = manifest["state"]!["parts"]!.DeepClone();
        if (_parts is { } before)
        {
            manifest["state"]!["parts"] = before.DeepClone();
        }

        _parts = parts;
        return base.PutAsync(name, System.Text.Encoding.UTF8.GetBytes(manifest.ToJsonString()), condition, ct);
    }

    // Or the parameters that it names would be gone, which anybody would see.
    public override Task DeleteAsync(string name, CancellationToken ct = default) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal) ? Task.CompletedTask : base.DeleteAsync(name, ct);
}

/// <summary>Stores items again under another id when they come again.</summary>
internal sealed class DoublingFilter : IIncomingGrainCallFilter
{
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        await context.Invoke();
        if (context.Grain is IShardGrain shard && string.Equals(context.InterfaceMethod.Name, nameof(IShardGrain.AppendAsync), StringComparison.Ordinal)
            && context.Request.GetArgument(0) is ItemBatch batch)
        {
            ItemUpload[] again;
            lock (_seen)
            {
                again = [.. batch.Items.Where(item => !_seen.Add(item.Id)).Select(item => item with { Id = item.Id + "!" })];
            }

            if (again.Length > 0)
            {
                await shard.AppendAsync(new ItemBatch(again));
            }
        }
    }
}
