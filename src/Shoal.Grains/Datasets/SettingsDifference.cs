using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using Shoal.Contracts;

namespace Shoal.Grains.Datasets;

/// <summary>What tells a dataset that is to be created from the one of the same name that is there.</summary>
internal static class SettingsDifference
{
    // What may change does not tell two datasets apart, nor does what only says how several silos learn together.
    private static readonly FrozenSet<string> Others =
        typeof(DatasetChange).GetProperties().Select(property => property.Name).Append(nameof(DatasetSettings.Paused)).Append(nameof(DatasetSettings.OuterMomentum)).ToFrozenSet(StringComparer.Ordinal);

    private static readonly PropertyInfo[] Settings = [.. typeof(DatasetSettings).GetProperties().Where(property => property.CanWrite && !Others.Contains(property.Name))];

    /// <summary>The settings that differ.</summary>
    /// <param name="known">Of the dataset that is there.</param>
    /// <param name="asked">Of the one that is to be created.</param>
    /// <returns>For each that differs its name and both values; empty where nothing does.</returns>
    public static string[] Of(DatasetSettings known, DatasetSettings asked) =>
    [
        .. Settings
            .Select(property => (property.Name, Known: Text(property.GetValue(known)), Asked: Text(property.GetValue(asked))))
            .Where(setting => !string.Equals(setting.Known, setting.Asked, StringComparison.Ordinal))
            .Select(setting => $"{setting.Name} is {setting.Known}, not {setting.Asked}"),
    ];

    // Objectives are compared by what they hold, in any order.
    private static string Text(object? value) => value switch
    {
        null => "not set",
        IReadOnlyDictionary<string, double> { Count: 0 } => "not set",
        IReadOnlyDictionary<string, double> weights => string.Join(" + ", weights
            .OrderBy(weight => weight.Key, StringComparer.Ordinal)
            .Select(weight => string.Create(CultureInfo.InvariantCulture, $"{weight.Key}={weight.Value:R}"))),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
