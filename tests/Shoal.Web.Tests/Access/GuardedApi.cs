using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Orleans.Dashboard;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Web.Tests;

/// <summary>The API on a real server, where callers must say who they are: by keys, or by tokens of an issuer that is made up here. Its clock stands still until it is moved.</summary>
public sealed class GuardedApi : IAsyncDisposable
{
    public const string Issuer = "https://issuer.example";
    public const string Audience = "shoal-tests";
    public const string DatasetsClaim = "shoal_datasets";

    /// <summary>A route that somebody forgot to give a rule.</summary>
    public const string Forgotten = "/forgotten";

    private readonly WebApplication _app;
    private readonly RSA _rsa;

    private GuardedApi(WebApplication app, RSA rsa, FakeTimeProvider time, FakeStore store, LogLines log)
    {
        _app = app;
        _rsa = rsa;
        Time = time;
        Store = store;
        Log = log;
        Address = new Uri(app.Urls.First());
        // A client that follows redirects drops the key on its way.
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
        Client = app.Services.GetRequiredService<ShoalClient>();
    }

    public HttpClient Http { get; }

    public Uri Address { get; }

    public FakeTimeProvider Time { get; }

    public FakeStore Store { get; }

    public ShoalClient Client { get; }

    /// <summary>Everything that the server and the API logged, from Trace on.</summary>
    public LogLines Log { get; }

    public IEnumerable<Endpoint> Endpoints => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints);

    public static async Task<GuardedApi> StartAsync(FakeSilo silo, AccessOptions access)
    {
        var rsa = RSA.Create(2_048);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var log = new LogLines();
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(static kestrel => kestrel.ApplyShoalLimits());
        builder.Services.AddSingleton(silo.Client);
        builder.Services.AddSingleton<IGrainFactory>(silo.Client);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton(new ShoalClient(silo.Client, new ShoalClientOptions { Retries = 1, RetryDelay = TimeSpan.FromMilliseconds(1), Jitter = static () => 0.5 }));
        new Clients(builder.Services, builder.Configuration).AddDashboard();
        builder.Services.AddShoalWeb(access with { IsRequired = true, Authority = Issuer, Audience = Audience, DatasetsClaim = DatasetsClaim });

        // What an issuer publishes, without a server that does.
        builder.Services.Configure<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme, jwt => jwt.Configuration = new OpenIdConnectConfiguration
        {
            Issuer = Issuer,
            SigningKeys = { new RsaSecurityKey(rsa) { KeyId = "one" } },
        });
        WebApplication app = builder.Build();
        app.MapShoalMetrics();
        app.MapShoalApi();
        app.MapShoalDashboard();
        app.MapGet(Forgotten, static () => "open");
        await app.StartAsync();
        return new GuardedApi(app, rsa, time, silo.Store, log);
    }

    /// <summary>A new key that is known from now on.</summary>
    public async Task<CreatedKey> KeyAsync(string[] scopes, string[]? datasets = null, double? days = null, int perSecond = 10_000, int perDay = 0)
    {
        CreatedKey created = await Client.CreateKeyAsync(new NewAccessKey
        {
            Name = "test",
            Scopes = scopes,
            Datasets = datasets ?? [],
            Days = days,
            RequestsPerSecond = perSecond,
            RequestsPerDay = perDay,
        });

        // Where other tests have just tried many wrong ones, a key that is not known is asked for after a second.
        Time.Advance(TimeSpan.FromSeconds(1.1));
        return created;
    }

    /// <summary>A key that may do everything, for the datasets given or for every one.</summary>
    public async Task<string> MasterAsync(params string[] datasets) => (await KeyAsync([.. AccessScopes.All], datasets)).Secret;

    /// <summary>A token of the issuer, or of who pretends to be it.</summary>
    public string Token(IDictionary<string, object> claims, string audience = Audience, string issuer = Issuer, RSA? signer = null, TimeSpan? life = null)
    {
        DateTime now = TimeProvider.System.GetUtcNow().UtcDateTime;
        DateTime end = now + (life ?? TimeSpan.FromDays(30));
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            Claims = claims,
            IssuedAt = now < end ? now : end.AddHours(-1),
            NotBefore = now < end ? now : end.AddHours(-1),
            Expires = end,
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(signer ?? _rsa) { KeyId = "one" }, SecurityAlgorithms.RsaSha256),
        });
    }

    /// <summary>Sends a request.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? bearer, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request);
    }

    public Task<HttpResponseMessage> GetAsync(string path, string? bearer) => SendAsync(HttpMethod.Get, path, bearer);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        _rsa.Dispose();
    }

    // The dashboard where it asks silos of another host, by the client that is there already.
    private sealed record Clients(IServiceCollection Services, IConfiguration Configuration) : IClientBuilder;
}

/// <summary>Keeps every line that is logged, with its values and exceptions.</summary>
public sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = [];

    public string Text => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _lines);

    public void Dispose()
    {
    }

    private sealed class Logger(string category, ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{category} {eventId.Id} {formatter(state, exception)} {exception}");
    }
}

/// <summary>Requests as they are written here, byte for byte: an HTTP client would tidy them up.</summary>
public static class RawHttp
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Sends a request and reads whatever comes.</summary>
    /// <param name="server">The server.</param>
    /// <param name="head">The request line and headers, a line each, without the last empty one.</param>
    /// <param name="body">What follows them.</param>
    /// <param name="headOnly">Whether to leave after the answer's headers; else once the server closes.</param>
    public static Task<string> SendAsync(Uri server, IEnumerable<string> head, string body = "", bool headOnly = false) =>
        ExchangeAsync(server, string.Join("\r\n", head.Concat(["Connection: close", "", body])), headOnly);

    /// <summary>Sends bytes and reads whatever comes.</summary>
    public static async Task<string> ExchangeAsync(Uri server, string text, bool headOnly = false)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port, patience.Token);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text), patience.Token);
        var answer = new StringBuilder();
        byte[] part = new byte[16 * 1024];
        try
        {
            for (int read; (read = await stream.ReadAsync(part, patience.Token)) > 0;)
            {
                answer.Append(Encoding.UTF8.GetString(part, 0, read));
                if (headOnly && answer.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    break;
                }
            }
        }
        catch (IOException)
        {
            // Closed by force: what came before it counts.
        }

        return answer.ToString();
    }

    /// <summary>The status of an answer; 0 when there was none.</summary>
    public static int StatusOf(string answer) => answer.Length > 12 && answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture) : 0;
}
