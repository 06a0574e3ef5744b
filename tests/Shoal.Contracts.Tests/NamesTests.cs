namespace Shoal.Contracts.Tests;

public sealed class NamesTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("mnist-2_b")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Good_dataset_names_have_no_problem(string name) => Assert.Null(Names.DatasetProblem(name));

    [Theory]
    [InlineData("-a")]
    [InlineData("_a")]
    [InlineData("A")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a.")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Bad_dataset_names_are_told_the_rule(string name) =>
        Assert.Equal("The dataset name must start with a-z or 0-9 and hold 1 to 63 of a-z, 0-9, '-' and '_'.", Names.DatasetProblem(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void An_empty_dataset_name_is_told_the_rule(string? name) =>
        Assert.Equal("The dataset name is empty; give 1 to 63 of a-z, 0-9, '-' and '_'.", Names.DatasetProblem(name));

    [Theory]
    [InlineData("1")]
    [InlineData("folder/file name.png")]
    [InlineData("日本語 🐟")]
    [InlineData("../..")]
    public void Item_ids_may_be_any_text(string id) => Assert.Null(Names.ItemIdProblem(id));

    [Fact]
    public void Item_ids_are_measured_in_bytes_of_utf8()
    {
        const string Problem = "The item id is longer than 512 bytes of UTF-8; shorten it or hash it.";
        Assert.Null(Names.ItemIdProblem(new string('x', 512)));
        Assert.Equal(Problem, Names.ItemIdProblem(new string('x', 513)));
        Assert.Null(Names.ItemIdProblem(new string('é', 256)));
        Assert.Equal(Problem, Names.ItemIdProblem(new string('é', 257)));
    }

    [Fact]
    public void Bad_item_ids_are_told_what_to_change()
    {
        Assert.Equal("The item id is empty; give 1 to 512 bytes of UTF-8 text.", Names.ItemIdProblem(""));
        Assert.Equal("The item id is empty; give 1 to 512 bytes of UTF-8 text.", Names.ItemIdProblem(null));
        Assert.Equal("The item id holds the control character U+000A; remove it.", Names.ItemIdProblem("a\nb"));
        Assert.Equal("The item id is not valid Unicode; send UTF-8.", Names.ItemIdProblem("a\ud800"));
    }

    [Fact]
    public void Grain_keys_are_what_stored_state_is_found_by()
    {
        Assert.Equal("catalog", GrainKeys.Catalog);
        Assert.Equal("mnist/0007", GrainKeys.Shard("mnist", 7));
        Assert.Equal("mnist/1023", GrainKeys.Shard("mnist", 1_023));
        Assert.Equal("mnist/127.0.0.1:11111@1", GrainKeys.Seat("mnist", "127.0.0.1:11111@1"));
        Assert.Equal("mnist/a/b", GrainKeys.Item("mnist", "a/b"));
    }

    [Fact]
    public void Grain_keys_are_split_at_their_first_slash()
    {
        Assert.Equal(("mnist", "a/b"), GrainKeys.Split(GrainKeys.Item("mnist", "a/b")));
        var error = Assert.Throws<ArgumentException>(() => GrainKeys.Split("mnist"));
        Assert.StartsWith("The grain key 'mnist' has no slash;", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stream_names_are_what_producers_outside_of_this_repository_use()
    {
        Assert.Equal("shoal", StreamNames.Provider);
        Assert.Equal("shoal-log", StreamNames.Log);
        Assert.Equal("shoal.items", StreamNames.Items);
        Assert.Equal("shoal.arrivals", StreamNames.Arrivals);
    }
}
