using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Shoal.Web;

/// <summary>How much of one caller is taken: at once, in a second, in a day. Counted by each gateway for itself, and from zero when it starts.</summary>
internal static class RequestLimits
{
    /// <summary>A burst may be so many seconds' worth of requests: a client that starts asks for much at once.</summary>
    private const int BurstSeconds = 2;

    /// <summary>Said when a limit knows no time: of requests under way at once the next may end at any moment.</summary>
    private const int RetrySoon = 1;

    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    /// <summary>Registers the limits.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="access">How much.</param>
    public static void Add(IServiceCollection services, AccessOptions access) => services.AddRateLimiter(limits =>
    {
        // The day's last: what is refused for another reason does not count there.
        limits.GlobalLimiter = PartitionedRateLimiter.CreateChained(AtOnce(access), InSecond(access), InDay());
        limits.OnRejected = static async (rejected, _) =>
        {
            int seconds = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan after) ? Math.Max(RetrySoon, (int)Math.Ceiling(after.TotalSeconds)) : RetrySoon;
            await rejected.HttpContext.RequestServices.GetRequiredService<ProblemWriter>().WriteAsync(
                rejected.HttpContext, StatusCodes.Status429TooManyRequests, $"More requests than are taken of this caller; come again in {seconds} s.", seconds);
        };
    });

    /// <summary>Uses them, where callers are told apart.</summary>
    /// <param name="app">The application.</param>
    /// <param name="access">Whether they are.</param>
    public static void Use(IApplicationBuilder app, AccessOptions access)
    {
        if (access.IsRequired)
        {
            app.UseRateLimiter();
        }
    }

    private static PartitionedRateLimiter<HttpContext> AtOnce(AccessOptions access) => PartitionedRateLimiter.Create<HttpContext, string>(context =>
        RateLimitPartition.GetConcurrencyLimiter(Who(context), _ => new ConcurrencyLimiterOptions { PermitLimit = access.MostAtOnce }));

    private static PartitionedRateLimiter<HttpContext> InSecond(AccessOptions access) => PartitionedRateLimiter.Create<HttpContext, string>(context =>
    {
        int rate = context.Features.Get<Caller>()?.RequestsPerSecond ?? access.StrangerRequestsPerSecond;
        return RateLimitPartition.GetTokenBucketLimiter(Who(context), _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = rate * BurstSeconds,
            TokensPerPeriod = rate,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        });
    });

    private static PartitionedRateLimiter<HttpContext> InDay() => PartitionedRateLimiter.Create<HttpContext, string>(context =>
        context.Features.Get<Caller>() is { RequestsPerDay: > 0 and var quota }
            ? RateLimitPartition.GetFixedWindowLimiter(Who(context), _ => new FixedWindowRateLimiterOptions { PermitLimit = quota, Window = Day })
            : RateLimitPartition.GetNoLimiter(string.Empty));

    // Strangers by the address that they really come from: what a header says of it anybody can write.
    private static string Who(HttpContext context) => context.Features.Get<Caller>()?.Id ?? $"from:{context.Connection.RemoteIpAddress}";
}

/// <summary>Limits of the server itself, before anything is known of a caller.</summary>
public static class ServerLimits
{
    /// <summary>Bytes a second that a body must bring: Kestrel's own. A microphone brings a hundred times that.</summary>
    private const double LeastBodyRate = 240;

    /// <summary>Sets them.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="patience">How long a client may take to say what it wants, and to begin with a body; 10 s unless given.</param>
    public static void ApplyShoalLimits(this KestrelServerOptions kestrel, TimeSpan? patience = null)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        TimeSpan wait = patience ?? TimeSpan.FromSeconds(10);

        // What answers is nobody's business.
        kestrel.AddServerHeader = false;
        kestrel.Limits.RequestHeadersTimeout = wait;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(LeastBodyRate, wait);
        kestrel.Limits.MinResponseDataRate = new MinDataRate(LeastBodyRate, wait);

        // Each has buffers of about 100 KB at worst.
        kestrel.Limits.MaxConcurrentConnections = 4_096;
    }
}
