using System.Globalization;
using System.Reflection;
using Shoal.Contracts;

namespace Shoal.Grains.Datasets;

/// <summary>What tells a dataset that is to be created from the one of the same name that is there.</summary>
internal static class SettingsDifference
{
    private static readonly PropertyInfo[] Settings = [.. typeof(DatasetSettings).GetProperties().Where(property => property.CanWrite)];

    /// <summary>The settings that differ. What may change, or only says how several silos learn together, does not tell two datasets apart.</summary>
    /// <param name="known">Of the dataset that is there.</param>
    /// <param name="asked">Of the one that is to be created.</param>
    /// <returns>For each that differs its name and both values; empty where nothing does.</returns>
    public static string[] Of(DatasetSettings known, DatasetSettings asked)
    {
        DatasetSettings same = asked with
        {
            Paused = known.Paused,
            RoundSeconds = known.RoundSeconds,
            IdleRehearsalSteps = known.IdleRehearsalSteps,
            RetainDays = known.RetainDays,
            RetainBytes = known.RetainBytes,
            MaxLag = known.MaxLag,
            OuterMomentum = known.OuterMomentum,
        };
        return [.. Settings
            .Select(property => (property.Name, Known: Text(property.GetValue(known)), Asked: Text(property.GetValue(same))))
            .Where(setting => !string.Equals(setting.Known, setting.Asked, StringComparison.Ordinal))
            .Select(setting => $"{setting.Name} is {setting.Known}, not {setting.Asked}")];
    }

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
