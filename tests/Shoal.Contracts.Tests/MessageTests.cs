using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Shoal.Contracts.Tests;

public sealed class MessageTests
{
    private static readonly Serializer Serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    private static readonly Type[] Messages =
        [.. typeof(ItemUpload).Assembly.GetTypes().Where(t => t.GetCustomAttribute<GenerateSerializerAttribute>() is not null).OrderBy(t => t.Name, StringComparer.Ordinal)];

    public static TheoryData<string> Names => [.. Messages.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_property_of_a_message_survives_the_wire(string name)
    {
        var original = new Filler().Make(Messages.Single(t => t.Name.Equals(name, StringComparison.Ordinal)))!;
        Assert.Equal(Filler.Describe(original), Filler.Describe(Back(original)));
    }

    [Fact]
    public void A_property_that_is_lost_on_the_wire_is_seen()
    {
        var original = (Forgetful)new Filler().Make(typeof(Forgetful))!;
        var back = (Forgetful)Back(original);
        Assert.Equal(original.Kept, back.Kept);
        Assert.NotEqual(Filler.Describe(original), Filler.Describe(back));
    }

    [Fact]
    public void A_failure_keeps_its_kind_message_and_cause()
    {
        var back = (ShoalException)Back(new ShoalException(ShoalErrorKind.Conflict, "taken", new InvalidOperationException("because")));
        Assert.Equal((ShoalErrorKind.Conflict, "taken", "System.InvalidOperationException: because"), (back.Kind, back.Message, back.Cause?.Split(Environment.NewLine)[0]));
    }

    [Theory]
    [InlineData(ShoalErrorKind.Invalid, false)]
    [InlineData(ShoalErrorKind.NotFound, false)]
    [InlineData(ShoalErrorKind.Conflict, false)]
    [InlineData(ShoalErrorKind.Overloaded, true)]
    [InlineData(ShoalErrorKind.Unavailable, true)]
    public void Only_failures_that_pass_are_worth_repeating(ShoalErrorKind kind, bool transient) =>
        Assert.Equal(transient, new ShoalException(kind, "x").IsTransient);

    [Fact]
    public void Every_message_and_grain_has_an_alias_of_its_own_so_that_renaming_a_type_breaks_no_running_cluster()
    {
        var grains = typeof(ItemUpload).Assembly.GetTypes().Where(t => t.IsInterface && typeof(IGrain).IsAssignableFrom(t));
        var aliases = Messages.Concat(grains).ToDictionary(t => t.Name, t => t.GetCustomAttribute<AliasAttribute>()?.Alias ?? "", StringComparer.Ordinal);
        Assert.All(aliases, alias => Assert.StartsWith("shoal.", alias.Value, StringComparison.Ordinal));
        Assert.Equal(aliases.Count, aliases.Values.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_cluster_directory_resolves_redirects_and_names()
    {
        var directory = new ClusterDirectory { Names = new() { [7] = "sevens" }, Redirects = new() { [3] = 7 } };
        Assert.Equal((7, 7, 4), (directory.Resolve(3), directory.Resolve(7), directory.Resolve(4)));
        Assert.Equal(("sevens", null), (directory.NameOf(7), directory.NameOf(4)));
    }

    private static object Back(object message) => Serializer.Deserialize<object>(Serializer.SerializeToArray(message))!;
}

/// <summary>What a message looks like one of whose properties stays behind.</summary>
[GenerateSerializer, Alias("test.forgetful")]
public sealed record Forgetful
{
    [Id(0)]
    public int Kept { get; init; }

    [field: NonSerialized]
    public int Lost { get; init; }
}
