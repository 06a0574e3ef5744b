using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Fakes;
using Shoal.Web.Tests;

[assembly: AssemblyFixture(typeof(WebFixture))]

namespace Shoal.Web.Tests;

/// <summary>The API on a real server and a free port, over a fake silo: paths and bodies go through everything that a user's do.</summary>
public sealed class WebFixture : IAsyncLifetime
{
    private FakeSilo _silo = null!;
    private WebApplication _app = null!;
    private int _datasets;

    public HttpClient Http { get; private set; } = null!;

    public Uri Address { get; private set; } = null!;

    /// <summary>The same where callers must say who they are.</summary>
    public GuardedApi Guarded { get; private set; } = null!;

    public IEnumerable<Endpoint> Endpoints => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints);

    public FakeStore Store => _silo.Store;

    public FakeSilo Silo => _silo;

    public async ValueTask InitializeAsync()
    {
        _silo = await FakeSilo.StartAsync(static silo => silo.AddShoalDashboard());
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(_silo.Client);
        builder.Services.AddSingleton(new ShoalClient(_silo.Client, new ShoalClientOptions { Retries = 1, RetryDelay = TimeSpan.FromMilliseconds(1), Jitter = static () => 0.5 }));
        builder.Services.AddShoalWeb();
        _app = builder.Build();
        _app.MapShoalMetrics();
        _app.MapShoalApi();
        await _app.StartAsync();
        Address = new Uri(_app.Urls.First());
        Http = new HttpClient { BaseAddress = Address };
        Guarded = await GuardedApi.StartAsync(_silo, new AccessOptions { StrangerRequestsPerSecond = 10_000 });
    }

    /// <summary>A new dataset that takes items of up to 1,000 bytes unless said.</summary>
    public (string Path, FakeDataset Dataset) Dataset(int maxItemBytes = 1_000, DatasetSettings? settings = null)
    {
        string name = $"test-{Interlocked.Increment(ref _datasets)}";
        var dataset = new FakeDataset(settings ?? new DatasetSettings { Shards = 4, MaxItemBytes = maxItemBytes });
        _silo.Store.Datasets[name] = dataset;
        return ($"/datasets/{name}", dataset);
    }

    /// <summary>Sends bytes of a type.</summary>
    public async Task<HttpResponseMessage> PutAsync(string path, string mediaType, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return await Http.PutAsync(path, content);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Guarded.DisposeAsync();
        await _app.DisposeAsync();
        await _silo.DisposeAsync();
    }
}
