using System.Globalization;
using System.Reflection;

namespace Shoal.Contracts.Tests;

/// <summary>Makes an object with a value of its own in every property, and writes objects down to the last property, so that a lost one is seen.</summary>
internal sealed class Filler
{
    private int _next;

    public object? Make(Type type)
    {
        _next++;
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Make(inner);
        }

        if (type.IsEnum)
        {
            // Never the first value: it is what a lost property comes back as.
            var values = Enum.GetValues(type);
            return values.GetValue(1 + (_next % (values.Length - 1)));
        }

        if (type == typeof(string))
        {
            return $"text {_next}";
        }

        if (type == typeof(bool))
        {
            return true;
        }

        if (type == typeof(DateTimeOffset))
        {
            return new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(1)).AddSeconds(_next);
        }

        if (type.IsPrimitive)
        {
            return Convert.ChangeType(_next % 100 + 1, type, CultureInfo.InvariantCulture);
        }

        if (type.IsArray)
        {
            var array = Array.CreateInstance(type.GetElementType()!, 3);
            for (var i = 0; i < array.Length; i++)
            {
                array.SetValue(Make(type.GetElementType()!), i);
            }

            return array;
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Dictionary<,>) || open == typeof(IReadOnlyDictionary<,>)))
        {
            var arguments = type.GetGenericArguments();
            var dictionary = (System.Collections.IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(arguments))!;
            dictionary.Add(Make(arguments[0])!, Make(arguments[1]));
            dictionary.Add(Make(arguments[0])!, Make(arguments[1]));
            return dictionary;
        }

        return type == typeof(Exception) ? null : MakeObject(type);
    }

    /// <summary>Everything that an object holds, as text.</summary>
    public static string Describe(object? value) => value switch
    {
        null => "null",
        string text => $"'{text}'",
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        System.Collections.IDictionary map => $"{{{string.Join(", ", map.Keys.Cast<object>().Select(key => $"{Describe(key)}: {Describe(map[key])}").Order(StringComparer.Ordinal))}}}",
        System.Collections.IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Describe))}]",
        _ when value.GetType() is { } type && (type.IsPrimitive || type.IsEnum) => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        _ => $"{value.GetType().Name}({string.Join(", ", Properties(value.GetType()).Select(p => $"{p.Name}={Describe(p.GetValue(value))}"))})",
    };

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetIndexParameters().Length == 0 && p.DeclaringType!.Assembly == type.Assembly)
            .OrderBy(p => p.Name, StringComparer.Ordinal);

    private object MakeObject(Type type)
    {
        var constructor = type.GetConstructors()
            .Where(c => c.GetParameters() is not [{ } only] || only.ParameterType != type) // not a record's copy constructor
            .MaxBy(c => c.GetParameters().Length);
        var made = constructor is null ? Activator.CreateInstance(type)! : constructor.Invoke([.. constructor.GetParameters().Select(p => Make(p.ParameterType))]);
        foreach (var property in Properties(type).Where(p => p.SetMethod is { IsPublic: true }))
        {
            property.SetValue(made, Make(property.PropertyType));
        }

        return made;
    }
}
