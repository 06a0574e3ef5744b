using System.Security.Cryptography;

namespace Shoal.Contracts.Tests;

public sealed class AccessTests
{
    private static readonly NewAccessKey Fine = new()
    {
        Name = "a key",
        Scopes = [AccessScopes.Read],
    };

    public static TheoryData<NewAccessKey, string> Wrong => new()
    {
        { Fine with { Name = "" }, "The key's name must have 1 to 100 characters, none of them a control character." },
        { Fine with { Name = "two\nlines" }, "The key's name must have 1 to 100 characters, none of them a control character." },
        { Fine with { Scopes = [] }, "A key needs scopes, each of: ingest, read, manage." },
        { Fine with { Scopes = ["read", "Manage"] }, "A key needs scopes, each of: ingest, read, manage." },
        { Fine with { Datasets = ["digits", "../digits"] }, "The dataset name must start with a-z or 0-9 and hold 1 to 63 of a-z, 0-9, '-' and '_'." },
        { Fine with { Days = 0 }, "Days is 0; must be above 0, and 3,650 at most." },
        { Fine with { Days = double.NaN }, "Days is NaN; must be above 0, and 3,650 at most." },
        { Fine with { RequestsPerSecond = 0 }, "RequestsPerSecond is 0; must be 1 to 100,000." },
        { Fine with { RequestsPerDay = -1 }, "RequestsPerDay is -1; must be 0 to 1,000,000,000." },
    };

    [Fact]
    public void A_name_and_a_scope_are_enough() => Assert.Empty(Fine.Problems());

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_wrong_with_a_key_is_said(NewAccessKey wanted, string problem) => Assert.Equal([problem], wanted.Problems());

    [Fact]
    public void A_key_is_read_as_it_was_made_and_no_two_are_the_same()
    {
        AccessSecret made = AccessSecret.New();
        AccessSecret read = AccessSecret.Parse(made.Text)!;

        Assert.Equal((made.Prefix, made.Text), (read.Prefix, read.Text));
        Assert.Equal(made.Hash, read.Hash);
        Assert.Matches("^shoal_[0-9a-f]{8}_[0-9a-f]{64}$", made.Text);
        Assert.Equal(SHA256.HashData(Convert.FromHexString(made.Text[15..])), made.Hash);
        Assert.NotEqual(made.Text, AccessSecret.New().Text);
        Assert.Equal($"shoal_{made.Prefix}_...", $"{made}");
    }

    [Fact]
    public void What_is_no_key_is_none()
    {
        string key = AccessSecret.New().Text;
        string?[] wrong = [null, "", "shoal_", key[1..], key + "0", key[..^1], "Shoal_" + key[6..], key[..14] + "-" + key[15..], key[..^1] + "g", "shoal_XYZ01234" + key[14..]];

        Assert.All(wrong, text => Assert.Null(AccessSecret.Parse(text)));
    }
}
