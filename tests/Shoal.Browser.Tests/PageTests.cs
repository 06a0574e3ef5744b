using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Shoal.Cli;
using Shoal.Contracts;
using Spectre.Console.Testing;
using static Microsoft.Playwright.Assertions;

namespace Shoal.Browser.Tests;

/// <summary>The pages of a real silo in a real browser.</summary>
public sealed partial class PageTests(PagesFixture pages)
{
    private const int Phone = 390;
    private const int Desk = 1_280;
    private const string Drawn = ".js-plotly-plot .legendtext";
    private const string Watch = $"/watch/{PagesFixture.Dataset}";

    private static readonly (string Name, string Address)[] Addresses =
    [
        ("datasets", "/"),
        ("clusters", $"{Watch}/clusters"),
        ("map", $"{Watch}/map"),
        ("item", $"{Watch}/item?id=ring-000.png"),
        ("learning", $"{Watch}/learning"),
        ("silos", "/silos"),
    ];

    [Fact]
    public async Task A_cluster_that_is_named_on_its_page_has_that_name_for_the_SDK_and_the_command_line()
    {
        await using Visit visit = await pages.VisitAsync();
        IPage page = visit.Page;
        await visit.GoAsync($"{Watch}/clusters");

        // Nobody was asked who they are.
        await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign out" })).ToHaveCountAsync(0);
        await page.Locator(".shoal-title").First.ClickAsync();
        await page.GetByRole(AriaRole.Textbox).FillAsync("round things");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Save" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "round things" }).WaitForAsync();

        ClusterSummary[] clusters = await pages.Client.ClustersAsync(PagesFixture.Dataset, 1);
        Assert.Contains(clusters, cluster => string.Equals(cluster.Name, "round things", StringComparison.Ordinal));
        using var text = new StringWriter();
        using TestConsole terminal = new TestConsole().Width(100);
        int code = await ShoalCli.RunAsync(["clusters", PagesFixture.Dataset, "--silo", pages.Gateway], new CliSurroundings { Out = text, Error = text, Terminal = terminal });
        Assert.Equal(0, code);
        Assert.Contains("round things", text + terminal.Output, StringComparison.Ordinal);
        visit.AssertClean();
    }

    [Theory]
    [InlineData(ColorScheme.Light, Desk)]
    [InlineData(ColorScheme.Dark, Phone)]
    public async Task Every_page_passes_axe_fits_its_width_and_asks_nobody_else(ColorScheme scheme, int width)
    {
        await using Visit visit = await pages.VisitAsync(scheme, width);
        foreach ((string name, string address) in Addresses)
        {
            await visit.GoAsync(address);
            await Expect(visit.Page.Locator(scheme is ColorScheme.Dark ? ".shoal-dark" : ".shoal-light")).ToBeVisibleAsync();
            if (name is "map")
            {
                await Expect(visit.Page.Locator(Drawn).First).ToBeVisibleAsync();
            }
            else if (name is "learning")
            {
                // Where all was learned before anybody looked, there is no curve.
                await Expect(visit.Page.Locator($"{Drawn}, section[aria-label=Losses] .shoal-empty").First).ToBeVisibleAsync();
            }

            await AssertAccessibleAsync(visit, $"{name}, {scheme}, {width}");
            int needed = await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
            Assert.True(needed <= width, $"{name} needs {needed} pixels of {width}.");
            if (width == Desk)
            {
                await Pictures.TakeAsync(visit, name);
            }
            else if (name is "clusters")
            {
                await Pictures.TakeAsync(visit, "clusters-phone");
            }
        }

        visit.AssertClean();
    }

    [Fact]
    public async Task Axe_finds_what_is_wrong_with_a_page_that_is_broken_on_purpose()
    {
        await using Visit visit = await pages.VisitAsync();
        await visit.Page.SetContentAsync("<main><img src='data:,'><p style='color:#aaa;background:#fff'>hardly read</p></main>");

        AxeResult result = await visit.Page.RunAxe();

        string[] found = [.. result.Violations.Select(violation => violation.Id)];
        Assert.Contains("image-alt", found);
        Assert.Contains("color-contrast", found);
        Assert.Contains("html-has-lang", found);
    }

    [Fact]
    public async Task A_dataset_is_made_and_a_cluster_named_and_selected_by_keyboard_alone()
    {
        await using Visit visit = await pages.VisitAsync();
        IPage page = visit.Page;
        await visit.GoAsync("/");
        await page.Locator("body").FocusAsync();
        await TabToAsync(page, ".shoal-skip");
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, "input[maxlength='63']");
        await page.Keyboard.TypeAsync("keys");
        await TabToAsync(page, "button[type=submit]");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("'keys' was created").WaitForAsync();

        await visit.GoAsync($"{Watch}/clusters");
        await TabToAsync(page, ".shoal-title");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Textbox)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Escape");
        await TabToAsync(page, ".shoal-select input");
        await page.Keyboard.PressAsync("Space");
        await page.GetByText("1 of 2 selected").WaitForAsync();

        await visit.GoAsync($"{Watch}/map");
        await TabToAsync(page, ".shoal-table a");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync("**/item?id=*");
        visit.AssertClean();
    }

    [Fact]
    public async Task A_click_on_a_point_of_the_map_opens_the_item()
    {
        await using Visit visit = await pages.VisitAsync();
        IPage page = visit.Page;
        await visit.GoAsync($"{Watch}/map");
        await Expect(page.Locator(Drawn).First).ToBeVisibleAsync();
        // It need not listen yet when it is seen: a legend is drawn before the points, and what follows the pointer comes last.
        await page.WaitForFunctionAsync(
            """
            () => {
              const chart = document.querySelector('.js-plotly-plot');
              return chart?._ev?.listenerCount('plotly_click') > 0 && typeof chart.querySelector('.nsewdrag')?.onmousemove === 'function';
            }
            """);
        float[] at = await page.EvaluateAsync<float[]>(
            """
            () => {
              const chart = document.querySelector('.js-plotly-plot');
              const { xaxis: x, yaxis: y } = chart._fullLayout;
              const box = chart.getBoundingClientRect();
              return [box.left + x._offset + x.d2p(chart.data[0].x[0]), box.top + y._offset + y.d2p(chart.data[0].y[0])];
            }
            """);

        await page.Mouse.MoveAsync(at[0], at[1]);
        await page.Locator(".hoverlayer .hovertext").First.WaitForAsync();
        await page.Mouse.ClickAsync(at[0], at[1]);
        await page.WaitForURLAsync("**/item?id=*");

        ILocator picture = page.Locator("figure img");
        await picture.WaitForAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync(FileName());
        await page.WaitForFunctionAsync("() => document.querySelector('figure img').naturalWidth > 0");
        visit.AssertClean();
    }

    [Fact]
    public async Task The_dashboard_of_Orleans_works_under_its_policy_and_asks_nobody_else()
    {
        await using Visit visit = await pages.OpenAsync();
        IPage page = visit.Page;
        await visit.GoAsync("/silos");
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Orleans' dashboard" }).ClickAsync();
        await page.WaitForURLAsync("**/dashboard/**");

        // What its script has drawn from figures that it asked for, and its styles and fonts.
        await page.GetByText("Total Activations").First.WaitForAsync();
        await Expect(page.Locator("canvas").First).ToBeVisibleAsync();
        Assert.True(await page.EvaluateAsync<bool>("async () => { await document.fonts.ready; return [...document.fonts].some(font => font.status === 'loaded'); }"), "No font was loaded.");
        await Pictures.TakeAsync(visit, "dashboard");
        foreach (string part in new[] { "grains", "silos", "reminders" })
        {
            await page.EvaluateAsync("part => { location.hash = '#/' + part; }", part);
            await page.Locator("h1, h2, h3, h4").First.WaitForAsync();
        }

        visit.AssertClean();
    }

    [Fact]
    public async Task What_does_not_exist_is_told_as_an_error()
    {
        await using Visit visit = await pages.VisitAsync();

        await visit.GoAsync("/watch/no-such/clusters");

        await Expect(visit.Page.Locator("main [role=alert]")).ToContainTextAsync("no-such");
        await Pictures.TakeAsync(visit, "error");
        await AssertAccessibleAsync(visit, "error");
        visit.AssertClean();
    }

    [Fact]
    public async Task A_page_that_waits_for_its_first_reading_says_so()
    {
        await using Visit visit = await pages.VisitAsync();

        // What the silo says after the page began to load is held back.
        var held = new TaskCompletionSource();
        await visit.Page.RouteWebSocketAsync(Socket(), route =>
        {
            IWebSocketRoute silo = route.ConnectToServer();
            Task sent = Task.CompletedTask;
            bool began = false;
            silo.OnMessage(frame =>
            {
                byte[] message = frame.Binary ?? System.Text.Encoding.UTF8.GetBytes(frame.Text ?? string.Empty);
                Task ready = began ? held.Task : Task.CompletedTask;
                began = began || message.AsSpan().IndexOf("shoal-loading"u8) >= 0;
                sent = SendAsync(sent, ready, route, frame);
            });
        });

        // An item at which nobody else looks: what is read for one page is there at once for the next.
        await visit.Page.GotoAsync($"{Watch}/item?id=ring-059.png");
        await Expect(visit.Page.Locator(".shoal-loading")).ToHaveTextAsync("Loading the item ...");
        await Pictures.TakeAsync(visit, "loading");

        held.SetResult();
        await Expect(visit.Page.Locator(".shoal-loading")).ToHaveCountAsync(0);
        visit.AssertClean();
    }

    [Fact]
    public async Task A_page_whose_silo_is_away_says_so_and_goes_on_when_it_is_back()
    {
        await using Visit visit = await pages.VisitAsync();
        await visit.GoAsync("/");
        ILocator notice = visit.Page.Locator("#components-reconnect-modal");
        await Expect(notice).ToBeHiddenAsync();

        pages.Break(broken: true);
        try
        {
            await Expect(notice).ToBeVisibleAsync();
            await Pictures.TakeAsync(visit, "disconnected");
            await AssertAccessibleAsync(visit, "disconnected");
        }
        finally
        {
            pages.Break(broken: false);
        }

        await Expect(notice).ToBeHiddenAsync(new LocatorAssertionsToBeHiddenOptions { Timeout = 30_000 });
        await visit.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Dark" }).ClickAsync();
        await Expect(visit.Page.Locator(".shoal-dark")).ToHaveCountAsync(1);
    }

    private static async Task SendAsync(Task before, Task ready, IWebSocketRoute route, IWebSocketFrame frame)
    {
        await before;
        await ready;
        if (frame.Binary is { } bytes)
        {
            route.Send(bytes);
        }
        else
        {
            route.Send(frame.Text ?? string.Empty);
        }
    }

    // Presses Tab until what is wanted has the focus.
    private static async Task TabToAsync(IPage page, string selector)
    {
        const int Most = 80;
        for (int i = 0; i < Most; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<bool>("selector => document.activeElement.matches(selector)", selector))
            {
                return;
            }
        }

        Assert.Fail($"{selector} is not reached by {Most} tabs.");
    }

    private static async Task AssertAccessibleAsync(Visit visit, string what)
    {
        // A colour on its way to another is neither of them.
        await visit.Page.EvaluateAsync(
            "() => Promise.all(document.getAnimations().filter(a => a.effect.getComputedTiming().endTime < Infinity).map(a => a.finished.catch(() => null))).then(() => null)");
        AxeResult result = await visit.Page.RunAxe();
        Assert.True(result.Violations.Length == 0, $"{what}: {string.Join("; ", result.Violations.Select(Describe))}");
        Assert.True(result.Passes.Length > 10, $"{what}: axe looked at {result.Passes.Length} rules.");
    }

    private static string Describe(AxeResultItem violation) => $"{violation.Id}: {string.Join(", ", violation.Nodes.Select(node => node.Html))}";

    [GeneratedRegex(@"^[a-z]+-\d{3}\.png$", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex FileName();

    [GeneratedRegex("/_blazor", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Socket();
}
