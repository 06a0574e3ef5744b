using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Shoal.Web.Tests;

/// <summary>A message as it arrived.</summary>
/// <param name="Path">Where.</param>
/// <param name="Id">Its id.</param>
/// <param name="Timestamp">Seconds since 1970.</param>
/// <param name="Signature">The header.</param>
/// <param name="Body">Its body.</param>
public sealed record Received(string Path, string Id, string Timestamp, string Signature, string Body)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string Type => Json.GetProperty("type").GetString()!;

    /// <summary>The ids of the items that it tells of.</summary>
    public string?[] Items => [.. Json.GetProperty("data").GetProperty("changes").EnumerateArray().Where(change => change.TryGetProperty("item", out _)).Select(change => change.GetProperty("item").GetProperty("id").GetString())];

    /// <summary>Whether it is signed with a secret, looked at as the specification says and with nothing of ours.</summary>
    /// <param name="secret">The secret, as text.</param>
    public bool IsSignedWith(string secret)
    {
        using var hmac = new HMACSHA256(Convert.FromBase64String(secret["whsec_".Length..]));
        return string.Equals(Signature, "v1," + Convert.ToBase64String(hmac.ComputeHash(Encoding.UTF8.GetBytes($"{Id}.{Timestamp}.{Body}"))), StringComparison.Ordinal);
    }
}

/// <summary>A receiver of webhooks' messages, which answers what it is told to, and 204 otherwise.</summary>
public sealed class HookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Received> _received = Channel.CreateUnbounded<Received>();

    private HookReceiver(WebApplication app) => _app = app;

    /// <summary>Answers of the next messages, one each.</summary>
    public ConcurrentQueue<Func<HttpContext, Task>> Answers { get; } = [];

    public string Url => $"{_app.Urls.First()}/hook";

    public int Count { get; private set; }

    public static async Task<HookReceiver> StartAsync(string address = "127.0.0.1")
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{address}:0");
        WebApplication app = builder.Build();
        var receiver = new HookReceiver(app);
        app.Run(receiver.TakeAsync);
        await app.StartAsync();
        return receiver;
    }

    /// <summary>An answer with a status, and headers if there are some.</summary>
    public void Answer(HttpStatusCode status, params (string Name, string Value)[] headers) => Answers.Enqueue(context =>
    {
        context.Response.StatusCode = (int)status;
        foreach ((string name, string value) in headers)
        {
            context.Response.Headers[name] = value;
        }

        return Task.CompletedTask;
    });

    public async Task<Received> NextAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await _received.Reader.ReadAsync(patience.Token);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        IHeaderDictionary headers = context.Request.Headers;
        var received = new Received(context.Request.Path, headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(), headers["webhook-signature"].ToString(), await reader.ReadToEndAsync());
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        Count++;
        if (Answers.TryDequeue(out Func<HttpContext, Task>? answer))
        {
            await answer(context);
        }

        await _received.Writer.WriteAsync(received);
    }
}
