using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Shoal.Contracts;
using Shoal.Pages.Components.Pages;
using Shoal.Pages.Data;
using Shoal.Pages.Live;

namespace Shoal.Pages.Tests;

/// <summary>What pages show to those who may not do everything, and what is refused to them whatever is shown.</summary>
public sealed class RightsTests : PageContext
{
    private static readonly PageRights Reader = new()
    {
        MayRead = true,
        Datasets = new HashSet<string>(StringComparer.Ordinal) { "mine" },
    };

    public RightsTests()
        : base("/dashboard/")
    {
        Guard.Rights = Reader;
        Source.Datasets["mine"] = FakeSource.Status("mine");
        Source.Datasets["theirs"] = FakeSource.Status("theirs");
        Source.Clusters.AddRange([FakeSource.Cluster(1, 20), FakeSource.Cluster(7, 10)]);
    }

    [Fact]
    public void Who_reads_one_dataset_sees_that_one_and_nothing_to_change_it_by()
    {
        IRenderedComponent<DatasetsPage> page = Render<DatasetsPage>();

        page.WaitForElement("section[aria-label='Dataset mine']", Patience);
        Assert.DoesNotContain("theirs", page.Markup, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("input[type=file], form"));
    }

    [Fact]
    public void Who_stores_has_a_place_for_files_and_who_manages_has_the_rest()
    {
        Guard.Rights = Reader with { MayStore = true };
        IRenderedComponent<DatasetsPage> storing = Render<DatasetsPage>();
        storing.WaitForElement("input[type=file]", Patience);
        Assert.Empty(storing.FindAll("form"));

        Guard.Rights = Reader with { MayManage = true };
        IRenderedComponent<DatasetsPage> managing = Render<DatasetsPage>();
        managing.WaitForElement("form", Patience);
        Assert.Empty(managing.FindAll("input[type=file]"));
        IRenderedComponent<ClustersPage> clusters = Render<ClustersPage>(parameters => parameters.Add(part => part.Dataset, "mine"));
        clusters.WaitForElement(".shoal-title", Patience);
    }

    [Fact]
    public void Who_only_reads_can_neither_name_nor_merge_clusters()
    {
        IRenderedComponent<ClustersPage> page = Render<ClustersPage>(parameters => parameters.Add(part => part.Dataset, "mine"));

        page.WaitForElement("section[aria-label='cluster 7']", Patience);
        Assert.Empty(page.FindAll("button, input"));
    }

    [Fact]
    public void Another_dataset_is_not_even_asked_for()
    {
        AssertRefused(Render<ClustersPage>(parameters => parameters.Add(part => part.Dataset, "theirs")));
        AssertRefused(Render<MapPage>(parameters => parameters.Add(part => part.Dataset, "theirs")));
        AssertRefused(Render<LearningPage>(parameters => parameters.Add(part => part.Dataset, "theirs")));
        AssertRefused(Render<SilosPage>());
        Render<Components.Pages.ItemPage>(parameters => parameters.Add(part => part.Dataset, "theirs"));
        Assert.Equal(0, Source.Calls);

        // The control: its own is.
        Render<ClustersPage>(parameters => parameters.Add(part => part.Dataset, "mine")).WaitForElement("section[aria-label='cluster 7']", Patience);
        Assert.NotEqual(0, Source.Calls);
    }

    [Fact]
    public void Who_is_let_in_no_longer_sees_nothing_after_the_next_reading()
    {
        IRenderedComponent<ClustersPage> page = Render<ClustersPage>(parameters => parameters.Add(part => part.Dataset, "mine"));
        page.WaitForElement("section[aria-label='cluster 7']", Patience);

        Guard.Rights = PageRights.None;
        _ = Services.GetRequiredService<LiveViews>().Clusters("mine").RefreshAsync();

        page.WaitForAssertion(() => Assert.Empty(page.FindAll("section[aria-label='cluster 7']")), Patience);
        Assert.Contains("that your key may read", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Edits_of_who_only_reads_are_refused_whatever_calls_them_and_stand_in_the_audit_log()
    {
        PageEdits edits = FakeGuard.Edits(Source, Reader);
        Func<Task>[] calls =
        [
            () => edits.NameClusterAsync("mine", 7, "sevens"),
            () => edits.MergeClustersAsync("mine", 1, 7),
            () => edits.CreateDatasetAsync("mine", new DatasetSettings()),
            () => edits.StoreAsync("mine", Item(), CancellationToken.None),
            () => edits.SettingsAsync("mine", CancellationToken.None),
        ];

        foreach (Func<Task> call in calls)
        {
            Assert.Contains("needs a key with the scope", (await Assert.ThrowsAsync<ShoalException>(call)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, Source.Calls);
        Assert.Empty(Source.Edits);
        Assert.Empty(Source.Stored);
        Assert.Equal(["page: name cluster", "page: merge clusters", "page: create dataset"], Source.Audit.Select(entry => entry.What));
        Assert.All(Source.Audit, entry => Assert.Equal("refused", entry.Outcome));
    }

    [Fact]
    public async Task Who_manages_one_dataset_changes_that_one_alone_and_stores_nothing()
    {
        PageEdits edits = FakeGuard.Edits(Source, Reader with { MayManage = true });
        foreach (string other in new[] { "theirs", "nowhere" })
        {
            Assert.Equal($"There is no dataset '{other}' that your key knows of.", (await Assert.ThrowsAsync<ShoalException>(() => edits.NameClusterAsync(other, 7, "x"))).Message);
            Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => edits.MergeClustersAsync(other, 1, 7))).Kind);
            Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => edits.CreateDatasetAsync(other, new DatasetSettings()))).Kind);
            Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => edits.StoreAsync(other, Item(), CancellationToken.None))).Kind);
        }

        await Assert.ThrowsAsync<ShoalException>(() => edits.StoreAsync("mine", Item(), CancellationToken.None));
        Assert.Equal(0, Source.Calls);

        await edits.NameClusterAsync("mine", 7, "sevens");
        Assert.Equal(["mine: 7 is sevens"], Source.Edits);
    }

    [Fact]
    public async Task Who_stores_does_nothing_else()
    {
        PageEdits edits = FakeGuard.Edits(Source, Reader with { MayStore = true });

        Assert.True(Assert.Single(await edits.StoreAsync("mine", Item(), CancellationToken.None)).IsStored);
        await Assert.ThrowsAsync<ShoalException>(() => edits.NameClusterAsync("mine", 7, "sevens"));
        Assert.Empty(Source.Edits);
    }

    private static ItemUpload Item() => new()
    {
        Id = "a.png",
        MediaType = "image/png",
        Bytes = [1],
    };

    private static void AssertRefused<TPage>(IRenderedComponent<TPage> page)
        where TPage : IComponent
    {
        Assert.Matches("that your key may read|needs a key that reads every one", page.Find("[role=alert]").TextContent);
        Assert.Empty(page.FindAll(".shoal-loading"));
    }
}
