using System.Buffers;
using System.Security.Cryptography;

namespace Shoal.Contracts;

/// <summary>The text of a key, <c>shoal_PREFIX_SECRET</c>: made here, and taken apart here.</summary>
/// <remarks>The word at its start lets a scanner of repositories find keys that were committed by mistake. No record: those print what they hold.</remarks>
public sealed class AccessSecret
{
    /// <summary>What every key begins with.</summary>
    public const string Mark = "shoal_";

    /// <summary>Characters of the prefix.</summary>
    public const int PrefixLength = 8;

    /// <summary>Bytes of the secret: 256 bits, which nobody guesses.</summary>
    public const int SecretBytes = 32;

    private const int Length = 6 + PrefixLength + 1 + (SecretBytes * 2);

    private AccessSecret(string text, string prefix, byte[] hash) => (Text, Prefix, Hash) = (text, prefix, hash);

    /// <summary>The whole key. Shown to its user once, and kept nowhere.</summary>
    public string Text { get; }

    /// <summary>The part that is no secret.</summary>
    public string Prefix { get; }

    /// <summary>SHA-256 of the secret, 32 bytes.</summary>
    public byte[] Hash { get; }

    /// <summary>Makes a key of the system's randomness.</summary>
    public static AccessSecret New()
    {
        byte[] secret = RandomNumberGenerator.GetBytes(SecretBytes);
        string prefix = RandomNumberGenerator.GetHexString(PrefixLength, lowercase: true);
        return new AccessSecret($"{Mark}{prefix}_{Convert.ToHexStringLower(secret)}", prefix, SHA256.HashData(secret));
    }

    /// <summary>Takes a key apart; null when the text is none.</summary>
    /// <param name="text">What a caller sent.</param>
    public static AccessSecret? Parse(string? text)
    {
        if (text is not { Length: Length } || !text.StartsWith(Mark, StringComparison.Ordinal) || text[Mark.Length + PrefixLength] != '_')
        {
            return null;
        }

        string prefix = text.Substring(Mark.Length, PrefixLength);
        byte[] secret = new byte[SecretBytes];
        return IsPrefix(prefix) && Convert.FromHexString(text.AsSpan(Mark.Length + PrefixLength + 1), secret, out _, out _) == OperationStatus.Done
            ? new AccessSecret(text, prefix, SHA256.HashData(secret))
            : null;
    }

    /// <summary>Whether a text is of a prefix's form.</summary>
    /// <param name="text">The text.</param>
    public static bool IsPrefix(string? text) => text is { Length: PrefixLength } && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The prefix alone.</summary>
    public override string ToString() => $"{Mark}{Prefix}_...";
}
