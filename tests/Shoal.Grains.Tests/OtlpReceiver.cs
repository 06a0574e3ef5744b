using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Shoal.Grains.Tests;

/// <summary>A span as it came over the wire.</summary>
/// <param name="Trace">The trace's id, 32 hexadecimal digits.</param>
/// <param name="Id">Its id, 16 digits.</param>
/// <param name="Parent">Its parent's id; empty for a root.</param>
/// <param name="Name">Its name.</param>
public sealed record ReceivedSpan(string Trace, string Id, string Parent, string Name);

/// <summary>A collector that takes OTLP over HTTP on loopback, and reads as much of its protobuf as tests ask for.</summary>
/// <remarks>The numbers of fields are those of opentelemetry/proto/trace/v1/trace.proto and collector/trace/v1/trace_service.proto.</remarks>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<byte[]> _traces = new();
    private readonly ConcurrentQueue<byte[]> _metrics = new();

    private OtlpReceiver(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public IReadOnlyList<ReceivedSpan> Spans => [.. _traces.SelectMany(Read)];

    /// <summary>Whether a text, for example the name of a metric, is in what was sent as metrics.</summary>
    public bool HasMetric(string name) => _metrics.Any(body => body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(name)) >= 0);

    public static async Task<OtlpReceiver> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var receiver = new OtlpReceiver(builder.Build());
        receiver._app.MapPost("/v1/traces", (HttpContext context) => KeepAsync(context, receiver._traces));
        receiver._app.MapPost("/v1/metrics", (HttpContext context) => KeepAsync(context, receiver._metrics));
        await receiver._app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task KeepAsync(HttpContext context, ConcurrentQueue<byte[]> kept)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        kept.Enqueue(body.ToArray());
        // An answer without fields: all of it was taken.
        context.Response.ContentType = "application/x-protobuf";
    }

    private static IEnumerable<ReceivedSpan> Read(byte[] request) =>
        from resource in Fields(request, 1)
        from scope in Fields(resource, 2)
        from span in Fields(scope, 2)
        select new ReceivedSpan(
            Hex(Fields(span, 1).First()), Hex(Fields(span, 2).First()), Fields(span, 4).Select(Hex).FirstOrDefault(string.Empty), Encoding.UTF8.GetString(Fields(span, 5).First().Span));

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);

    /// <summary>The fields of a message with a number whose values have a length: messages, strings, bytes.</summary>
    private static List<ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message, int number)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        while (!message.IsEmpty)
        {
            var key = Varint(ref message);
            ReadOnlyMemory<byte> value = (key & 7) switch
            {
                0 => Skipped(ref message),
                1 => Cut(ref message, sizeof(ulong)),
                2 => Cut(ref message, (int)Varint(ref message)),
                5 => Cut(ref message, sizeof(uint)),
                var type => throw new InvalidDataException($"Protobuf has no wire type {type}."),
            };
            if ((key & 7) == 2 && (int)(key >> 3) == number)
            {
                found.Add(value);
            }
        }

        return found;
    }

    private static ReadOnlyMemory<byte> Skipped(ref ReadOnlyMemory<byte> message)
    {
        Varint(ref message);
        return default;
    }

    private static ReadOnlyMemory<byte> Cut(ref ReadOnlyMemory<byte> message, int length)
    {
        ReadOnlyMemory<byte> cut = message[..length];
        message = message[length..];
        return cut;
    }

    private static ulong Varint(ref ReadOnlyMemory<byte> message)
    {
        ulong value = 0;
        for (var i = 0; ; i++)
        {
            var part = message.Span[i];
            value |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80)
            {
                message = message[(i + 1)..];
                return value;
            }
        }
    }
}
