using Shoal.Contracts;

namespace Shoal.Client.Tests.Snippets;

/// <summary>The code of docs/how-to/ingest-from-csharp.md.</summary>
internal static class IngestSnippets
{
    public static async Task<bool> CreateAsync(ShoalClient client, string dataset)
    {
        // <create>
        bool created = await client.CreateDatasetAsync(dataset, new DatasetSettings
        {
            Height = 28,
            Width = 28,
            Channels = 1,
            Clusters = 10,
        });
        // </create>
        return created;
    }

    public static async Task<(long Stored, long Refused)> IngestAsync(ShoalClient client, string dataset, string path)
    {
        // <ingest>
        IItemSource source = ItemSources.Open(path);
        long stored = 0, refused = 0;
        await foreach (IngestResult result in client.IngestAsync(dataset, source.ReadAsync()))
        {
            if (result.IsStored)
            {
                stored++;
            }
            else
            {
                refused++;
                await Console.Error.WriteLineAsync($"{result.Id}: {result.Outcome}: {result.Reason}");
            }
        }
        // </ingest>
        return (stored, refused);
    }

    public static async Task<IngestResult> PutAsync(ShoalClient client, string dataset, byte[] png)
    {
        // <put>
        IngestResult result = await client.PutAsync(dataset, new ItemUpload
        {
            Id = "camera-7/2026-01-31T12:00:00Z",
            MediaType = "image/png",
            Bytes = png,
            Metadata = new Dictionary<string, string> { ["camera"] = "7" },
        });
        // </put>
        return result;
    }
}
