using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Shoal.Grains.Tests;

/// <summary>Kubernetes' API as far as a role with the verbs list and watch on pods reaches, on a free loopback port: anything else is forbidden, as it is there.</summary>
internal sealed class FakeKubernetes : IAsyncDisposable
{
    private readonly WebApplication _app;
    private Channel<string> _changes = Channel.CreateUnbounded<string>();

    private FakeKubernetes(WebApplication app) => _app = app;

    /// <summary>The pods that there are.</summary>
    public ConcurrentDictionary<string, string> Pods { get; } = new(StringComparer.Ordinal);

    /// <summary>The labels that pods were asked for by.</summary>
    public ConcurrentBag<string> Selectors { get; } = [];

    /// <summary>Completes when somebody watches.</summary>
    public TaskCompletionSource Watched { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the account has a role.</summary>
    public bool Allows { get; set; } = true;

    /// <summary>Its client.</summary>
    public IKubernetes Client { get; private set; } = null!;

    public static async Task<FakeKubernetes> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var kubernetes = new FakeKubernetes(builder.Build());
        kubernetes._app.Run(kubernetes.AnswerAsync);
        await kubernetes._app.StartAsync();
        kubernetes.Client = new Kubernetes(new KubernetesClientConfiguration { Host = kubernetes._app.Urls.First() });
        return kubernetes;
    }

    /// <summary>A pod is deleted; those who watch are told.</summary>
    public void Delete(string name)
    {
        Assert.True(Pods.TryRemove(name, out var pod));
        Assert.True(_changes.Writer.TryWrite($$"""{"type":"DELETED","object":{{pod}}}"""));
    }

    /// <summary>Ends every watch, as Kubernetes does from time to time.</summary>
    public void EndWatch()
    {
        Channel<string> ended = _changes;
        (_changes, Watched) = (Channel.CreateUnbounded<string>(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        ended.Writer.Complete();
    }

    /// <summary>A pod comes.</summary>
    public void Add(string name, IPAddress address) => Pods[name] = JsonSerializer.Serialize(new
    {
        apiVersion = "v1",
        kind = "Pod",
        metadata = new { name, uid = Guid.NewGuid().ToString() },
        status = new { phase = "Running", podIP = $"{address}" },
    });

    public async ValueTask DisposeAsync()
    {
        _changes.Writer.TryComplete();
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (!Allows || !HttpMethods.IsGet(context.Request.Method) || context.Request.Path != "/api/v1/namespaces/here/pods")
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        Selectors.Add($"{context.Request.Query["labelSelector"]}");
        context.Response.ContentType = "application/json";
        if (context.Request.Query["watch"] != "true")
        {
            await context.Response.WriteAsync($$"""{"apiVersion":"v1","kind":"PodList","metadata":{"resourceVersion":"7"},"items":[{{string.Join(',', Pods.Values)}}]}""");
            return;
        }

        ChannelReader<string> changes = _changes.Reader;
        await context.Response.StartAsync();
        Watched.SetResult();
        await foreach (var change in changes.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.WriteAsync(change + "\n");
            await context.Response.Body.FlushAsync();
        }
    }
}
