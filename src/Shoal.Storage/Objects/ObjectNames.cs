namespace Shoal.Storage;

/// <summary>Decides which names objects may have: those that mean the same on every store and cannot leave the root folder.</summary>
public static class ObjectNames
{
    /// <summary>Longest name, in characters: Azure's limit is 1,024, and a file's path needs room for its root.</summary>
    public const int MaxLength = 512;

    /// <summary>Longest part between slashes, in characters: file systems stop at 255 bytes.</summary>
    public const int MaxPartLength = 128;

    /// <summary>Says what is wrong with a name; null when it is fine.</summary>
    /// <param name="name">The name to check.</param>
    public static string? Problem(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return "The object name is empty.";
        }

        if (name.Length > MaxLength)
        {
            return $"The object name has {name.Length} characters; at most {MaxLength} are allowed.";
        }

        foreach (char c in name)
        {
            // Backslash, colon and the like mean something to Windows; anything past ASCII may be normalised by a file system.
            if (c is < ' ' or > '~' or '\\' or ':' or '*' or '?' or '"' or '<' or '>' or '|' or '%')
            {
                return $"The object name holds U+{(int)c:X4}; only printable ASCII without \\ : * ? \" < > | % is allowed.";
            }
        }

        foreach (string part in name.Split('/'))
        {
            if (part.Length == 0)
            {
                return $"The object name '{name}' starts or ends with '/' or holds '//'.";
            }

            // Parts that start with a dot are '.', '..' or the file store's own folders.
            if (part[0] == '.' || part[^1] is '.' or ' ')
            {
                return $"The part '{part}' of object name '{name}' starts with a dot or ends with a dot or a space.";
            }

            if (part.Length > MaxPartLength)
            {
                return $"A part of object name '{name}' has {part.Length} characters; at most {MaxPartLength} are allowed.";
            }
        }

        return null;
    }

    /// <summary>Throws when a name is not fine.</summary>
    /// <param name="name">The name to check.</param>
    /// <exception cref="ArgumentException">Says what is wrong with it.</exception>
    public static void Check(string? name)
    {
        if (Problem(name) is { } problem)
        {
            throw new ArgumentException(problem, nameof(name));
        }
    }
}
