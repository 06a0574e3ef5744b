using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace Shoal.Learning;

/// <summary>Holds an objective's settings to the ranges that they declare.</summary>
internal static class ObjectiveOptions
{
    /// <summary>The same options, once every one is in its range.</summary>
    /// <param name="options">A record nested in the objective, whose properties have a <see cref="RangeAttribute"/>.</param>
    /// <exception cref="ArgumentException">Some are not; the text lists them all.</exception>
    public static T Checked<T>(T options)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(options);
        var objective = typeof(T).DeclaringType?.GetCustomAttribute<ObjectiveAttribute>()?.Name;
        string[] problems =
        [
            .. from property in typeof(T).GetProperties()
               let range = property.GetCustomAttribute<RangeAttribute>()
               where range is not null && !range.IsValid(property.GetValue(options))
               select $"Objective '{objective}': {property.Name} is {property.GetValue(options)}; must be {range.Minimum} to {range.Maximum}.",
        ];
        return problems.Length == 0 ? options : throw new ArgumentException(string.Join(Environment.NewLine, problems), nameof(options));
    }
}
