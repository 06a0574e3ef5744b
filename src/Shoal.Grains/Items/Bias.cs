using Shoal.Contracts;
using Shoal.Learning;

namespace Shoal.Grains.Items;

/// <summary>How much of a clustering goes with what items carry.</summary>
internal static class Bias
{
    // Items may carry anything; those that most of them carry are looked at.
    private const int MostFields = 50;

    /// <summary>One for each field, the strongest first; of very many fields those that most items carry.</summary>
    /// <param name="items">The cluster of each item, and its fields.</param>
    public static FieldBias[] Of(IReadOnlyList<(long Cluster, IReadOnlyDictionary<string, string> Fields)> items)
    {
        List<FieldBias> biases = [];
        foreach (var group in items.SelectMany(item => item.Fields, (item, field) => (item.Cluster, field.Key, field.Value))
            .GroupBy(entry => entry.Key, StringComparer.Ordinal).OrderByDescending(group => group.Count()).Take(MostFields))
        {
            var (field, carrying) = (group.Key, group.ToArray());
            int[] clusters = Numbered(carrying.Select(item => item.Cluster));
            int[] values = Numbered(carrying.Select(item => item.Value));
            int[] dealt = [.. values];
            new Random(1).Shuffle(dealt);
            biases.Add(new FieldBias
            {
                Field = field,
                Items = carrying.Length,
                Values = values.Max() + 1,
                NormalizedMutualInformation = ClusterScores.Shared(clusters, values),
                ByChance = ClusterScores.Shared(clusters, dealt),
            });
        }

        return [.. biases.OrderByDescending(bias => bias.NormalizedMutualInformation - bias.ByChance).ThenBy(bias => bias.Field, StringComparer.Ordinal)];
    }

    private static int[] Numbered<T>(IEnumerable<T> values)
        where T : notnull
    {
        var numbers = new Dictionary<T, int>();
        return [.. values.Select(value => numbers.TryGetValue(value, out var number) ? number : numbers[value] = numbers.Count)];
    }
}
