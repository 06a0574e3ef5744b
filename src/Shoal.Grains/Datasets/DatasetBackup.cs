using Shoal.Contracts;
using Shoal.Grains.Training;
using Shoal.Storage;

namespace Shoal.Grains.Datasets;

/// <summary>What a backup holds.</summary>
/// <param name="Format">The format of this description.</param>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="TakenAt">When it was begun.</param>
/// <param name="Objects">Every object by the name that it has within its dataset.</param>
internal sealed record BackupDescription(int Format, string Dataset, DateTimeOffset TakenAt, ObjectCopy[] Objects)
{
    public const int CurrentFormat = 1;
}

/// <summary>Copies a dataset's objects to another store while it is in use, and back.</summary>
/// <remarks>
/// The order makes it consistent: users' edits and the registry, the manifest with all that it names, and then the logs. So the registry
/// knows no version that the manifest has not, and no cursor points past the end of its log.
/// </remarks>
/// <param name="store">The silo's store.</param>
/// <param name="other">Where backups are.</param>
/// <param name="progress">Told of every object copied.</param>
internal sealed class DatasetBackup(IObjectStore store, IObjectStore other, Action<ObjectCopy> progress)
{
    // A manifest's objects stay for a few rounds of ten seconds each; copying them takes a second.
    private const int MostTries = 10;

    private readonly List<ObjectCopy> _copies = [];

    /// <summary>Where the description of a backup is; it is written last.</summary>
    public static string DescriptionName(string dataset) => $"{dataset}/backup.json";

    /// <summary>Copies everything and reads it back.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="shards">How many shards it has.</param>
    /// <param name="now">When it is begun.</param>
    /// <exception cref="StorageException">A store is away, or something is damaged.</exception>
    public async Task BackUpAsync(string dataset, int shards, DateTimeOffset now)
    {
        await CopyAsync(dataset, StoreNames.ClusterEdits(dataset));
        await CopyAsync(dataset, StoreNames.ClusterRegistry(dataset));
        await CopyManifestAsync(dataset);
        await CopyAsync(dataset, StoreNames.FirstWeights(dataset));
        for (var shard = 0; shard < shards; shard++)
        {
            var log = StoreNames.ShardLog(dataset, shard);
            foreach (ObjectCopy copy in await LogCopies.CopyAsync(store, log, other, Place(dataset, Own(dataset, log)), Own(dataset, log)))
            {
                Add(copy);
            }
        }

        await CopyAsync(dataset, StoreNames.Dataset(dataset));
        foreach (ObjectCopy copy in _copies)
        {
            if (!await ObjectCopies.IsWholeAsync(other, Place(dataset, copy.Name), copy))
            {
                throw new StorageUnavailableException($"The copy of '{copy.Name}' does not read back as it was written. See that the target has room and is sound, and back up anew.");
            }
        }

        await new StoredDocument<BackupDescription>(other, DescriptionName(dataset))
            .SaveAsync(new BackupDescription(BackupDescription.CurrentFormat, dataset, now, [.. _copies]));
    }

    /// <summary>Copies a backup back; what is damaged is found, and then nothing is left of it.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="dataset">The name of the dataset that it becomes.</param>
    /// <exception cref="ShoalException">Damaged.</exception>
    /// <exception cref="StorageException">A store is away.</exception>
    public async Task RestoreAsync(BackupDescription backup, string dataset)
    {
        if (await store.StatAsync(StoreNames.Dataset(dataset)) is null)
        {
            // What a shard of a removed dataset of the name still wrote would be taken for a part of this one: a segment more, or a generation.
            await DatasetObjects.RemoveAsync(store, dataset);
        }

        try
        {
            // The settings last: before they are there, there is no such dataset.
            foreach (ObjectCopy copy in backup.Objects.OrderBy(copy => string.Equals(copy.Name, Own(dataset, StoreNames.Dataset(dataset)), StringComparison.Ordinal)))
            {
                var (from, to) = (Place(backup.Dataset, copy.Name), StoreNames.DatasetRoot(dataset) + copy.Name);
                if (await store.StatAsync(StoreNames.Dataset(dataset)) is not null)
                {
                    throw new ShoalException(ShoalErrorKind.Conflict, $"Somebody created the dataset '{dataset}' meanwhile; restore under another name.");
                }

                ObjectCopy? restored = copy.Appended
                    ? await ObjectCopies.CopyAppendedAsync(other, from, copy.Length, store, to, copy.Name)
                    : await ObjectCopies.CopyWholeAsync(other, from, store, to, copy.Name);
                if (restored != copy)
                {
                    throw new ShoalException(ShoalErrorKind.Damaged, $"'{from}' of the backup is {(restored is null ? "missing or too short" : "damaged")}; nothing was restored. Take another backup.");
                }

                if (string.Equals(to, StoreNames.Manifest(dataset), StringComparison.Ordinal))
                {
                    await MoveManifestAsync(backup.Dataset, dataset);
                }

                progress(copy);
            }
        }
        catch (Exception e) when (e is not ShoalException { Kind: ShoalErrorKind.Conflict })
        {
            await DatasetObjects.RemoveAsync(store, dataset);
            throw;
        }
    }

    private static string Own(string dataset, string name) => name[StoreNames.DatasetRoot(dataset).Length..];

    private static string Place(string dataset, string own) => $"{dataset}/objects/{own}";

    private void Add(ObjectCopy copy)
    {
        _copies.Add(copy);
        progress(copy);
    }

    private async Task<ObjectCopy?> CopyAsync(string dataset, string name)
    {
        var own = Own(dataset, name);
        if (await ObjectCopies.CopyWholeAsync(store, name, other, Place(dataset, own), own) is not { } copy)
        {
            return null;
        }

        Add(copy);
        return copy;
    }

    private async Task CopyManifestAsync(string dataset)
    {
        for (var attempt = 0; attempt < MostTries; attempt++)
        {
            var before = _copies.Count;
            if (await CopyAsync(dataset, StoreNames.Manifest(dataset)) is null || await CopyPartsAsync(dataset))
            {
                return;
            }

            _copies.RemoveRange(before, _copies.Count - before);
        }

        throw new StorageUnavailableException($"Rounds of '{dataset}' ended faster than they could be copied, {MostTries} times. Back up to a faster place, or set longer rounds.");
    }

    // What the manifest that was copied names; false where some of it is gone already.
    private async Task<bool> CopyPartsAsync(string dataset)
    {
        var manifest = new StoredDocument<Manifest>(other, Place(dataset, Own(dataset, StoreNames.Manifest(dataset))));
        await manifest.LoadAsync();
        foreach (var name in manifest.Value!.Objects().Distinct(StringComparer.Ordinal))
        {
            if (await CopyAsync(dataset, name) is null)
            {
                return false;
            }
        }

        return true;
    }

    private async Task MoveManifestAsync(string from, string to)
    {
        if (!string.Equals(from, to, StringComparison.Ordinal))
        {
            var manifest = new StoredDocument<Manifest>(store, StoreNames.Manifest(to));
            await manifest.LoadAsync();
            await manifest.SaveAsync(manifest.Value!.Moved(StoreNames.DatasetRoot(from), StoreNames.DatasetRoot(to)));
        }
    }
}
