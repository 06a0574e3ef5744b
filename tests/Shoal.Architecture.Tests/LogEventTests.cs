namespace Shoal.Architecture.Tests;

/// <summary>What is logged can be searched for by ids that are unique and stay, and docs/reference/log-events.md lists all of it.</summary>
public sealed class LogEventTests
{
    private static readonly IReadOnlyList<LogEvent> Events = LogEvents.Read(Repository.Sources);

    [Fact]
    public void Every_event_has_an_id_of_its_area_and_a_name_and_shares_neither()
    {
        Assert.Empty(LogEvents.Violations(Events));
        Assert.Empty(LogEvents.Loose(Repository.Sources));
    }

    [Fact]
    public void No_declaration_is_missed() => Assert.Equal(
        Repository.Sources.Where(source => !source.Path.StartsWith("tests/", StringComparison.Ordinal)).Sum(source => source.Text.Split("[LoggerMessage" + "(").Length - 1),
        Events.Count);

    [Fact]
    public void The_page_is_what_the_sources_declare()
    {
        var page = Repository.Files("log-events.md").Single(file => file.Path.EndsWith("docs/reference/log-events.md", StringComparison.Ordinal)).Text;
        Assert.Equal(LogEvents.Page(Events), page.Split('\n').Where(line => line.StartsWith('|') || line.StartsWith("## ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Slips_are_reported()
    {
        var events = LogEvents.Read(
        [
            new("src/Shoal.Web/A.cs", Declared("Level = LogLevel.Error, Message = \"none (at all)\"")),
            new("src/Shoal.Web/B.cs", Declared("EventId = 1001, Level = LogLevel.Error, Message = \"nameless\"")),
            new("src/Shoal.Web/C.cs", Declared("EventId = 800, EventName = \"Far\", Level = LogLevel.Error, Message = \"\"")),
            new("src/Shoal.Web/Access/D.cs", Declared("EventId = 6000, EventName = \"Twice\", Level = LogLevel.Error, Message = \"\"")),
            new("src/Shoal.Web/Access/E.cs", Declared("EventId = 6000, EventName = \"Twice\", Level = LogLevel.Error, Message = \"\"")),
            new("src/Shoal.New/F.cs", Declared("EventId = 1, EventName = \"New\", Level = LogLevel.Error, Message = \"\"")),
        ]);
        Assert.Equal(
            [
                "src/Shoal.Web/A.cs logs 'none (at all)' without EventId.",
                "src/Shoal.New/F.cs logs, and its folder has no ids; give it some in LogEvents.Areas.",
                "src/Shoal.Web/C.cs logs 800 Far; ids of src/Shoal.Web are 1000 to 1999.",
                "src/Shoal.Web/B.cs logs 'nameless' without EventName.",
                "The id 6000 is used by src/Shoal.Web/Access/D.cs and src/Shoal.Web/Access/E.cs.",
                "The name Twice is used by src/Shoal.Web/Access/D.cs and src/Shoal.Web/Access/E.cs.",
            ],
            LogEvents.Violations(events));
        Assert.Equal(["src/A.cs calls LogError; declare a method with [LoggerMessage]."], LogEvents.Loose([new("src/A.cs", "logger.Log" + "Error(e, \"x\");")]));
    }

    private static string Declared(string arguments) => $"class A {{ {"[Logger" + "Message("}{arguments})] partial void B(); }}";
}
