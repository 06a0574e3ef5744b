using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.JSInterop;
using Shoal.Contracts;
using Shoal.Pages.Components.Pages;
using Shoal.Pages.Live;
using Shoal.Pages.Models;

namespace Shoal.Pages.Tests;

/// <summary>What a map of as many items as it shows at most sends to a browser, and when.</summary>
public sealed class MapTests : PageContext
{
    private const int Items = 10_000;
    private const int Clusters = 12;
    private static readonly JsonSerializerOptions Sent = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly BunitJSModuleInterop _plotly;

    public MapTests()
    {
        _plotly = JSInterop.SetupModule(static _ => true);
        _plotly.Mode = JSRuntimeMode.Loose;
        Source.Versions.Add(new PublishedVersion
        {
            Version = 1,
            EncoderVersion = 1,
            Model = default!,
            Clusters = [],
        });
        Half[] places = [.. Enumerable.Range(0, 2 * Items).Select(i => (Half)Math.Sin(i * 0.37))];
        Source.Embeddings.Add(new EmbeddingSlice
        {
            Ids = [.. Enumerable.Range(0, Items).Select(Id)],
            Versions = [.. Enumerable.Repeat(1, Items)],
            Width = 2,
            Embeddings = MemoryMarshal.AsBytes<Half>(places).ToArray(),
        });
        for (int i = 0; i < Items; i++)
        {
            Assign(i, i % Clusters);
        }
    }

    [Fact]
    public async Task It_is_sent_once_whole_and_again_only_when_it_has_changed()
    {
        IRenderedComponent<MapPage> page = Render<MapPage>(parameters => parameters.Add(map => map.Dataset, "digits"));
        await page.WaitForElementAsync(".shoal-map", Patience);
        await SettleAsync(page);
        string whole = Assert.Single(Maps());
        Assert.All([0, 1, Items / 2, Items - 1], item => Assert.Contains($"\"{Id(item)}\"", whole, StringComparison.Ordinal));
        Assert.Contains("scattergl", whole, StringComparison.Ordinal);

        // Two coordinates of four digits and the id: a message has its bound.
        Assert.InRange(whole.Length, Items * 20, Items * 45);

        LiveView<MapModel> view = Services.GetRequiredService<LiveViews>().Map("digits");
        for (int reading = 0; reading < 3; reading++)
        {
            await view.RefreshAsync();
        }

        await SettleAsync(page);
        Assert.Single(Maps());

        Assign(4_711, (4_711 % Clusters) + 1);
        await view.RefreshAsync();
        await SettleAsync(page);
        Assert.Equal(2, Maps().Length);
    }

    [Theory]
    [InlineData(true, "did not draw this in time")]
    [InlineData(false, "cannot draw this: no WebGL")]
    public async Task A_browser_that_cannot_draw_it_keeps_the_page_and_is_told_so(bool tooSlow, string says)
    {
        JSRuntimeInvocationHandler draws = _plotly.SetupVoid("react", static _ => true);
        if (tooSlow)
        {
            draws.SetCanceled();
        }
        else
        {
            draws.SetException(new JSException("no WebGL\n    at plotly.js:1"));
        }

        IRenderedComponent<MapPage> page = Render<MapPage>(parameters => parameters.Add(map => map.Dataset, "digits"));
        Assert.EndsWith(says, (await page.WaitForElementAsync(".shoal-problem", Patience)).TextContent.Split(';')[0], StringComparison.Ordinal);
        Assert.Equal(Clusters, page.FindAll(".shoal-table a").Count);
    }

    // What a page draws follows from what it drew, each after the other in one queue.
    private static async Task SettleAsync(IRenderedComponent<MapPage> page)
    {
        for (int i = 0; i < 20; i++)
        {
            await page.InvokeAsync(static async () => await Task.Yield());
        }
    }

    private static string Id(int item) => string.Create(CultureInfo.InvariantCulture, $"train-{item:D5}");

    private void Assign(int item, long cluster) => Source.Items[Id(item)] = new ItemAnswer
    {
        Id = Id(item),
        State = ItemState.Assigned,
        Cluster = cluster,
    };

    // What was drawn with points on it.
    private string[] Maps() =>
    [
        .. _plotly.Invocations.Where(call => call.Identifier is "newPlot" or "react").Select(call => JsonSerializer.Serialize(call.Arguments, Sent))
            .Where(drawn => drawn.Contains("train-", StringComparison.Ordinal)),
    ];
}
