using System.Text.Json;
using System.Text.Json.Serialization;
using Shoal.Contracts;
using Shoal.Storage;

namespace Shoal.Grains.Datasets;

/// <summary>One small JSON object in the store, changed by compare-and-set. A failed write leaves memory as it was.</summary>
/// <typeparam name="T">An immutable record.</typeparam>
/// <param name="store">The store.</param>
/// <param name="name">The object's name.</param>
internal sealed class StoredDocument<T>(IObjectStore store, string name)
    where T : class
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private string? _etag;

    /// <summary>What is stored; null when nothing is.</summary>
    public T? Value { get; private set; }

    /// <summary>Reads the object.</summary>
    /// <exception cref="ShoalException">Unavailable: the store is away, or the object is no readable JSON.</exception>
    public async Task LoadAsync()
    {
        StoredObject? stored;
        try
        {
            stored = await store.GetAsync(name);
        }
        catch (StorageUnavailableException e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, e.Message, e);
        }

        try
        {
            Value = stored is null ? null : JsonSerializer.Deserialize<T>(stored.Content, Json);
        }
        catch (JsonException e)
        {
            throw new ShoalException(ShoalErrorKind.Unavailable, $"The stored object '{name}' is not readable JSON; restore it from a backup. ({e.Message})", e);
        }

        _etag = stored?.ETag;
    }

    /// <summary>Writes the object if nobody else has since it was read.</summary>
    /// <param name="value">The new value.</param>
    /// <exception cref="ObjectConflictException">Somebody else has: this activation is not the only one and must end.</exception>
    public async Task SaveAsync(T value)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, Json);
        _etag = await store.PutAsync(name, bytes, _etag is null ? PutCondition.IfAbsent : PutCondition.IfMatch(_etag));
        Value = value;
    }

    /// <summary>Removes the object.</summary>
    public async Task DeleteAsync()
    {
        await store.DeleteAsync(name);
        Value = null;
        _etag = null;
    }
}

/// <summary>Names of objects in the store, made in one place.</summary>
internal static class StoreNames
{
    public const string Catalog = "catalog.json";

    public const string AccessKeys = "access/keys.json";

    public const string Webhooks = "webhooks/webhooks.json";

    public static string WebhookProgress(string id) => $"webhooks/{id}.json";

    public const string OnceRoot = "once/";

    public static string OnceDay(DateTimeOffset day) => $"{OnceRoot}{day.UtcDateTime:yyyy-MM-dd}/";

    public static string Once(DateTimeOffset day, string key) => $"{OnceDay(day)}{key}.json";

    public static string OnceSwept(DateTimeOffset day) => $"{OnceDay(day)}swept";

    public static string Audit(DateTimeOffset at) => $"access/audit/{at.UtcDateTime:yyyy-MM-dd}.ndjson";

    public static string DatasetRoot(string dataset) => $"datasets/{dataset}/";

    public static string Dataset(string dataset) => $"datasets/{dataset}/dataset.json";

    public static string FirstWeights(string dataset) => $"datasets/{dataset}/first-weights.safetensors";

    public static string ShardLog(string dataset, int shard) => $"datasets/{dataset}/shards/{shard:D4}/log";

    public static string SidecarCopies(string dataset, int shard) => $"datasets/{dataset}/shards/{shard:D4}/sidecars/";

    public static string RemovedFromLog(string dataset, int shard) => $"datasets/{dataset}/shards/{shard:D4}/removed";

    public static string Manifest(string dataset) => $"datasets/{dataset}/model/manifest.json";

    public static string Rounds(string dataset) => $"datasets/{dataset}/model/rounds/";

    // The term is in the name: a seat of an old deal that still writes can never overwrite a part of the new one.
    public static string RoundPart(string dataset, long term, long round, string part) => $"datasets/{dataset}/model/rounds/{term:D6}-{round:D8}/{part}.safetensors";

    public static string ClusterEdits(string dataset) => $"datasets/{dataset}/clusters/edits.json";

    public static string ClusterRegistry(string dataset) => $"datasets/{dataset}/clusters/registry.json";
}
