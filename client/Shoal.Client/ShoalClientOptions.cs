using System.Net;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>Where the silos are, and how patiently they are asked.</summary>
public sealed record ShoalClientOptions
{
    /// <summary>Gateways of silos as <c>host:port</c>; one answer is enough, and every one is used.</summary>
    /// <value>Default <c>127.0.0.1:30000</c>: the embedded silo's.</value>
    public IReadOnlyList<string> Gateways { get; init; } = ["127.0.0.1:30000"];

    /// <summary>The cluster's id; silos and clients with another do not hear each other.</summary>
    /// <value>Default <c>shoal</c>.</value>
    public string ClusterId { get; init; } = "shoal";

    /// <summary>The service's id; it names streams and grain state.</summary>
    /// <value>Default <c>shoal</c>.</value>
    public string ServiceId { get; init; } = "shoal";

    /// <summary>The folder of the certificates by which the cluster knows this client; null where it knows everyone.</summary>
    /// <value>Default null. See <see cref="ClusterCertificates"/>.</value>
    public string? Certificates { get; init; }

    /// <summary>How long one call may take, 100 ms to 5 minutes; those that manage datasets have 20 s.</summary>
    /// <value>Default 5 s: a killed silo is voted out by then, while calls to it do not fail sooner, and the next try reaches another.</value>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long <see cref="ShoalClient.ConnectAsync"/> looks for a silo, 0 to 5 minutes; one that takes the connection has three times <see cref="ResponseTimeout"/> more to say what there is.</summary>
    /// <value>Default 5 s: a silo that was started together with the client is up by then.</value>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a failed call that may succeed later is repeated, 0 to 20.</summary>
    /// <value>Default 6: with the delays below about 12 s, twice what a killed silo's grains need to be back.</value>
    public int Retries { get; init; } = 6;

    /// <summary>The delay before the first repetition, 1 ms to 10 s; it doubles each time, with jitter.</summary>
    /// <value>Default 200 ms.</value>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>For how long a dataset's settings are believed without asking, 0 to 1 hour.</summary>
    /// <value>Default 10 s: a dataset deleted and made anew elsewhere with other shards is noticed by then, for one call in 10 s.</value>
    public TimeSpan SettingsLifetime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock of retries and lifetimes.</summary>
    /// <value>Default the system's.</value>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Numbers from 0 to 1 that jitter is drawn from; called by many threads.</summary>
    /// <value>Default null: the retry library's own.</value>
    public Func<double>? Jitter { get; init; }

    /// <summary>Throws one exception that names every option out of range.</summary>
    /// <exception cref="ShoalException">Invalid.</exception>
    public void Validate()
    {
        var problems = new List<string>();
        if (Gateways.Count == 0)
        {
            problems.Add("Gateways is empty; name at least one host:port.");
        }

        foreach (string gateway in Gateways)
        {
            if (SplitGateway(gateway) is null)
            {
                problems.Add($"Gateway '{gateway}' is not host:port.");
            }
        }

        if (Retries is < 0 or > 20)
        {
            problems.Add($"Retries is {Retries}; must be 0 to 20.");
        }

        Between(nameof(ResponseTimeout), ResponseTimeout, 0.1, 300);
        Between(nameof(ConnectTimeout), ConnectTimeout, 0, 300);
        Between(nameof(RetryDelay), RetryDelay, 0.001, 10);
        Between(nameof(SettingsLifetime), SettingsLifetime, 0, 3_600);
        if (problems.Count > 0)
        {
            throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems));
        }

        void Between(string name, TimeSpan value, double least, double most)
        {
            if (!(value.TotalSeconds >= least && value.TotalSeconds <= most))
            {
                problems.Add($"{name} is {value.TotalSeconds} s; must be {least} to {most} s.");
            }
        }
    }

    /// <summary>Splits <c>host:port</c> at its last colon; null when it is not of that form.</summary>
    /// <param name="gateway">The text.</param>
    internal static DnsEndPoint? SplitGateway(string? gateway)
    {
        int colon = gateway?.LastIndexOf(':') ?? -1;
        return colon > 0 && int.TryParse(gateway.AsSpan(colon + 1), out int port) && port is > 0 and <= IPEndPoint.MaxPort
            ? new DnsEndPoint(gateway![..colon].Trim('[', ']'), port)
            : null;
    }
}
