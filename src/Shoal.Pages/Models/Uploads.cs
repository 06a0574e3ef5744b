using Shoal.Client;
using Shoal.Contracts;
using Shoal.Pages.Data;

namespace Shoal.Pages.Models;

/// <summary>A file that somebody chose or dropped.</summary>
/// <param name="Name">Its name, which becomes the item's id.</param>
/// <param name="Size">Its size, in bytes.</param>
/// <param name="Open">Opens it; takes the most bytes that may be read.</param>
public sealed record ChosenFile(string Name, long Size, Func<long, CancellationToken, Stream> Open);

/// <summary>A file that was not stored.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record RefusedFile(string Name, string Reason);

/// <summary>Sends files to a dataset, one after another, and tells how far it is.</summary>
/// <param name="edits">Where to.</param>
/// <param name="dataset">The dataset's name.</param>
public sealed class Uploads(PageEdits edits, string dataset)
{
    /// <summary>The most files taken at once: they go through the page's own connection.</summary>
    public const int MostFiles = 1_000;

    /// <summary>The largest recording taken: it is held whole while it is cut.</summary>
    public const long LargestRecording = 64 * 1024 * 1024;

    /// <summary>Refusals that are kept: the first ones tell what is wrong.</summary>
    private const int MostRefused = 100;

    private readonly List<RefusedFile> _refused = [];

    /// <summary>Files to send.</summary>
    public int Files { get; private set; }

    /// <summary>Files that are done with.</summary>
    public int Done { get; private set; }

    /// <summary>Items that are durable now: of a recording its windows.</summary>
    public int Stored { get; private set; }

    /// <summary>Whether files are on their way.</summary>
    public bool IsSending => Done < Files;

    /// <summary>What was not stored.</summary>
    public IReadOnlyList<RefusedFile> Refused => _refused;

    /// <summary>Sends files.</summary>
    /// <param name="files">The files.</param>
    /// <param name="changed">Called after each.</param>
    /// <param name="cancellationToken">Stops it between two files.</param>
    /// <exception cref="ShoalException">The dataset cannot be read. A file that cannot be stored is among <see cref="Refused"/> instead.</exception>
    public async Task SendAsync(IReadOnlyList<ChosenFile> files, Action changed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(changed);
        Files += files.Count;
        int sent = 0;
        try
        {
            DatasetSettings settings = await edits.SettingsAsync(dataset, cancellationToken);
            foreach (ChosenFile file in files)
            {
                await SendAsync(file, settings, cancellationToken);
                sent++;
                Done++;
                changed();
            }
        }
        finally
        {
            // What was not begun is not waited for.
            Files -= files.Count - sent;
        }
    }

    private async Task SendAsync(ChosenFile file, DatasetSettings settings, CancellationToken cancellationToken)
    {
        long most = settings.Modality is DatasetSettings.Sound ? LargestRecording : settings.MaxItemBytes;
        if (file.Size > most)
        {
            Refuse(file, $"It is larger than {Texts.Count(most)} bytes; send it with: shoal ingest {dataset} FILE");
            return;
        }

        try
        {
            byte[] bytes = new byte[file.Size];
            await using (Stream content = file.Open(most, cancellationToken))
            {
                await content.ReadExactlyAsync(bytes, cancellationToken);
            }

            var upload = new ItemUpload
            {
                Id = file.Name,
                MediaType = UploadRules.MediaTypeOf(file.Name, settings),
                Bytes = bytes,
            };
            IReadOnlyList<IngestResult> results = await edits.StoreAsync(dataset, upload, cancellationToken);
            Stored += results.Count(result => result.IsStored);
            if (results.FirstOrDefault(result => !result.IsStored) is { Id: not null } refused)
            {
                Refuse(file, refused.Reason ?? $"{refused.Outcome}.");
            }
        }
        catch (ShoalException failure)
        {
            Refuse(file, failure.Message);
        }
        catch (IOException failure)
        {
            Refuse(file, $"The browser did not send it: {failure.Message}");
        }
    }

    private void Refuse(ChosenFile file, string reason)
    {
        if (_refused.Count < MostRefused)
        {
            _refused.Add(new RefusedFile(file.Name, reason));
        }
    }
}
