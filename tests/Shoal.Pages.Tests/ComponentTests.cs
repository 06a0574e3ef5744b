using AngleSharp.Dom;
using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Shoal.Contracts;
using Shoal.Pages.Components.Pages;
using Shoal.Pages.Components.Parts;
using Shoal.Pages.Live;
using Shoal.Pages.Models;

namespace Shoal.Pages.Tests;

/// <summary>Pages as a browser would get them.</summary>
public sealed class ComponentTests : PageContext
{
    [Fact]
    public void A_silo_without_datasets_says_so_and_offers_to_create_one()
    {
        IRenderedComponent<DatasetsPage> page = Render<DatasetsPage>();

        page.WaitForAssertion(() => Assert.Contains("There are no datasets yet", page.Markup, StringComparison.Ordinal), Patience);
        Assert.NotNull(page.Find("section[aria-label='Create a dataset'] button[type=submit]"));
    }

    [Fact]
    public void A_dataset_has_its_counts_its_alarms_and_a_place_for_files()
    {
        Source.Datasets["digits"] = FakeSource.Status("digits", settings: null, FakeSource.Shard(0) with { Items = 12_345, Problem = "its log is damaged" });

        IRenderedComponent<DatasetsPage> page = Render<DatasetsPage>();

        IElement tile = page.WaitForElement("section[aria-label='Dataset digits']", Patience);
        Assert.Contains("12,345", tile.TextContent, StringComparison.Ordinal);
        Assert.Contains("Shard 0: its log is damaged", tile.QuerySelector(".shoal-error")!.TextContent, StringComparison.Ordinal);
        Assert.Equal("/watch/digits/clusters", tile.QuerySelector("h2 a")!.GetAttribute("href"));
        Assert.Equal("Files for digits", tile.QuerySelector("input[type=file]")!.GetAttribute("aria-label"));
    }

    [Fact]
    public void A_silo_that_is_away_is_told_of()
    {
        Source.Failure = new ShoalException(ShoalErrorKind.Unavailable, "The silo cannot be reached.");

        IRenderedComponent<SilosPage> page = Render<SilosPage>();

        Assert.Contains("The silo cannot be reached.", page.WaitForElement("[role=alert]", Patience).TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("/dashboard/")]
    public void The_dashboard_of_Orleans_is_named_where_there_is_one(string? address)
    {
        Services.AddSingleton(new PageOptions(address));

        IRenderedComponent<SilosPage> page = Render<SilosPage>();

        page.WaitForElement(".shoal-empty", Patience);
        Assert.Equal(address is null ? [] : [address], page.FindAll("a").Select(link => link.GetAttribute("href")));
    }

    [Fact]
    public void What_is_not_read_yet_is_loading()
    {
        IRenderedComponent<StateNotice<SilosModel>> notice = Render<StateNotice<SilosModel>>(parameters => parameters
            .Add(part => part.State, new LiveState<SilosModel>())
            .Add(part => part.What, "silos"));

        Assert.Equal("Loading silos ...", notice.Find("[role=status]").TextContent);
    }

    [Fact]
    public async Task A_cluster_is_named_by_clicking_its_title()
    {
        IRenderedComponent<ClustersPage> page = Clusters();

        await page.Find("section[aria-label='cluster 7'] .shoal-title").ClickAsync();
        await page.Find("input[aria-label='Name of cluster 7']").InputAsync("  sevens ");
        await page.Find("section[aria-label='cluster 7'] form").SubmitAsync();

        await page.WaitForAssertionAsync(() => Assert.Equal(["digits: 7 is sevens"], Source.Edits), Patience);
        await page.WaitForAssertionAsync(() => Assert.Equal([("key:0123abcd", "page: name cluster", "digits", "7", "done")], Source.Audit.Select(Told)), Patience);
    }

    [Fact]
    public async Task A_name_that_is_not_given_after_all_changes_nothing()
    {
        IRenderedComponent<ClustersPage> page = Clusters();

        await page.Find("section[aria-label='cluster 7'] .shoal-title").ClickAsync();
        await page.Find("input[aria-label='Name of cluster 7']").KeyDownAsync(Key.Escape);

        Assert.Empty(page.FindAll("input[aria-label='Name of cluster 7']"));
        Assert.Empty(Source.Edits);
    }

    [Fact]
    public async Task Two_clusters_that_are_selected_become_one()
    {
        IRenderedComponent<ClustersPage> page = Clusters();
        Assert.True(page.Find(".shoal-actions button").HasAttribute("disabled"));

        await page.FindAll(".shoal-select input")[0].ChangeAsync(true);
        await page.FindAll(".shoal-select input")[1].ChangeAsync(true);
        await page.Find(".shoal-actions button").ClickAsync();

        await page.WaitForAssertionAsync(() => Assert.Equal(["digits: 1 and 7 are one"], Source.Edits), Patience);
        await page.WaitForAssertionAsync(() => Assert.Contains("0 of 2 selected", page.Markup, StringComparison.Ordinal), Patience);
    }

    [Fact]
    public async Task An_edit_that_fails_says_why()
    {
        IRenderedComponent<ClustersPage> page = Clusters();
        Source.Failure = new ShoalException(ShoalErrorKind.Conflict, "Another cluster is named 'sevens'.");

        await page.Find("section[aria-label='cluster 7'] .shoal-title").ClickAsync();
        await page.Find("input[aria-label='Name of cluster 7']").InputAsync("sevens");
        await page.Find("section[aria-label='cluster 7'] form").SubmitAsync();

        await page.WaitForAssertionAsync(() => Assert.Contains("Another cluster is named", page.Find("[role=alert]").TextContent, StringComparison.Ordinal), Patience);
        Assert.Equal([("key:0123abcd", "page: name cluster", "digits", "7", "Conflict")], Source.Audit.Select(Told));
    }

    [Fact]
    public void Every_picture_says_what_it_shows_and_every_window_of_sound_is_played()
    {
        IRenderedComponent<ClustersPage> page = Clusters(DatasetSettings.Sound);

        Assert.All(page.FindAll("img"), picture => Assert.StartsWith("Spectrogram of", picture.GetAttribute("alt"), StringComparison.Ordinal));
        Assert.Equal("/datasets/digits/thumbnail/a%2F1?size=128", page.Find("img").GetAttribute("src"));
        Assert.Equal(page.FindAll("img").Count, page.FindAll("audio[controls][aria-label]").Count);
        Assert.Equal("/datasets/digits/content/a%2F1", page.Find("audio").GetAttribute("src"));
    }

    [Fact]
    public void Births_and_deaths_are_told_in_words_too()
    {
        IRenderedComponent<EventLine> line = Render<EventLine>(parameters => parameters.Add(part => part.Marks, Timeline.Of(
        [
            new LineageEvent(DateTimeOffset.UnixEpoch.AddSeconds(9), "died", 2, 2, "its samples went to cluster 1"),
            new LineageEvent(DateTimeOffset.UnixEpoch, "born", 2, 1, "first version"),
        ])));

        Assert.Equal("1 birth and 1 death of clusters among 2 events", line.Find("svg").GetAttribute("aria-label"));
        Assert.Equal(2, line.FindAll("li").Count);
        Assert.Contains("its samples went to cluster 1", line.FindAll("li")[0].TextContent, StringComparison.Ordinal);
    }

    private static (string Who, string What, string? Dataset, string? Target, string Outcome) Told(AuditEntry entry) => (entry.Who, entry.What, entry.Dataset, entry.Target, entry.Outcome);

    private IRenderedComponent<ClustersPage> Clusters(string modality = DatasetSettings.Image)
    {
        Source.Datasets["digits"] = FakeSource.Status("digits", new DatasetSettings { Modality = modality });
        Source.Clusters.AddRange([FakeSource.Cluster(1, 20, name: null, "a/1", "a/2"), FakeSource.Cluster(7, 10, name: null, "b/1")]);
        IRenderedComponent<ClustersPage> page = Render<ClustersPage>(parameters => parameters.Add(part => part.Dataset, "digits"));
        page.WaitForElement("section[aria-label='cluster 7']", Patience);
        return page;
    }
}
