using Shoal.Contracts;

namespace Shoal.Client.Tests.Snippets;

/// <summary>The code of docs/how-to/query-from-csharp.md.</summary>
internal static class QuerySnippets
{
    public static async Task<string> QueryAsync(ShoalClient client, string dataset, string id)
    {
        // <query>
        ItemAnswer answer = await client.GetAsync(dataset, id);
        string text = answer.State switch
        {
            ItemState.Assigned => $"{answer.ClusterName ?? $"cluster {answer.Cluster}"}, {answer.Confidence:P0} sure",
            ItemState.Outlier => "fits no cluster",
            ItemState.Pending => "stored, no model version has seen it yet",
            ItemState.Quarantined => $"cannot be decoded: {answer.Reason}",
            ItemState.Deleted => "deleted",
            _ => "never seen",
        };
        // </query>
        return text;
    }

    public static async Task<long?> ThroughTheGrainAsync(IClusterClient cluster, string dataset, string id)
    {
        // <grain>
        ItemAnswer answer = await cluster.GetGrain<IItemGrain>(GrainKeys.Item(dataset, id)).GetAsync();
        // </grain>
        return answer.Cluster;
    }

    public static async Task<SimilarAnswer> SimilarAsync(ShoalClient client, string dataset, string id)
    {
        // <similar>
        SimilarAnswer similar = await client.SimilarAsync(dataset, id, count: 5);
        foreach (SimilarItem item in similar.Items)
        {
            Console.WriteLine($"{item.Similarity:F3} {item.Id}");
        }
        // </similar>
        return similar;
    }

    public static async Task<ClusterSummary[]> ClustersAsync(ShoalClient client, string dataset)
    {
        // <clusters>
        ClusterSummary[] clusters = await client.ClustersAsync(dataset, exemplars: 3);
        if (clusters is [{ Name: null } largest, ..])
        {
            await client.NameClusterAsync(dataset, largest.Id, "the usual");
        }
        // </clusters>
        return clusters;
    }

    public static async Task<List<ClassifiedItem>> ClassifyAsync(ShoalClient client, string dataset, IAsyncEnumerable<ItemUpload> items)
    {
        var answers = new List<ClassifiedItem>();
        // <classify>
        await foreach (ClassifiedItem item in client.ClassifyAsync(dataset, items))
        {
            Console.WriteLine($"{item.Id}: {item.Answer.State} {item.Answer.Cluster}");
            answers.Add(item);
        }
        // </classify>
        return answers;
    }
}
