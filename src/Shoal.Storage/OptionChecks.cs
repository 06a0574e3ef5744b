namespace Shoal.Storage;

/// <summary>Phrases what is wrong with settings, the same way everywhere.</summary>
internal static class OptionChecks
{
    internal static void Range(List<string> problems, string name, long value, long min, long max)
    {
        if (value < min || value > max)
        {
            problems.Add($"{name} is {value}; must be {min} to {max}");
        }
    }

    internal static void Throw(string what, IReadOnlyList<string> problems)
    {
        if (problems.Count > 0)
        {
            throw new ArgumentException($"{what}: {string.Join("; ", problems)}.", nameof(problems));
        }
    }
}
