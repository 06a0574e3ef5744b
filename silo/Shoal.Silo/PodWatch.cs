using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Shoal.Silo;

/// <summary>Declares silos dead as soon as Kubernetes has deleted their pods, instead of after the probes that they miss.</summary>
/// <remarks>
/// Silos are known by their pods' addresses: the names of a StatefulSet's pods come again (docs/decisions/0009-pods.md). Every silo watches; whoever is first declares.
/// A silo whose pod was never seen is left to the probes, and while Kubernetes does not answer, all are.
/// </remarks>
internal sealed partial class PodWatch(PodSelector pods, IKubernetes kubernetes, IClusterMembershipService members, ILocalSiloDetails local, TimeProvider time, ILogger<PodWatch> logger)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    // Of each pod that there is, by its uid.
    private readonly Dictionary<string, IPAddress> _addresses = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await WatchAsync(stoppingToken);
            }
            catch (HttpOperationException e) when (e.Response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            {
                LogForbidden(pods.Namespace, e.Response.StatusCode);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested && e is HttpOperationException or HttpRequestException or IOException or KubernetesException or JsonException or OperationCanceledException)
            {
                LogAway(e.Message);
            }

            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Ends when Kubernetes ends the watch, as it does every few minutes.
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        V1PodList list = await kubernetes.CoreV1.ListNamespacedPodAsync(pods.Namespace, labelSelector: pods.Labels, cancellationToken: cancellationToken);
        KeyValuePair<string, IPAddress>[] gone = [.. _addresses.ExceptBy(list.Items.Select(pod => pod.Uid()), known => known.Key, StringComparer.Ordinal)];
        foreach (V1Pod pod in list.Items)
        {
            Note(pod);
        }

        foreach ((var uid, _) in gone)
        {
            await GoneAsync(uid);
        }

        var changes = kubernetes.CoreV1.WatchListNamespacedPodAsync(
            pods.Namespace, labelSelector: pods.Labels, resourceVersion: list.ResourceVersion(), cancellationToken: cancellationToken);
        await foreach ((WatchEventType change, V1Pod pod) in changes.WithCancellation(cancellationToken))
        {
            if (change is WatchEventType.Deleted)
            {
                Note(pod);
                await GoneAsync(pod.Uid());
            }
            else
            {
                Note(pod);
            }
        }
    }

    private void Note(V1Pod pod)
    {
        if (IPAddress.TryParse(pod.Status?.PodIP, out IPAddress? address))
        {
            _addresses[pod.Uid()] = address;
        }
    }

    private async Task GoneAsync(string uid)
    {
        // Where another pod has the address by now, its silo is not the one that is gone.
        if (!_addresses.Remove(uid, out IPAddress? address) || _addresses.ContainsValue(address))
        {
            return;
        }

        foreach (ClusterMember member in members.CurrentSnapshot.Members.Values)
        {
            if (member.Status != SiloStatus.Dead && member.SiloAddress.Endpoint.Address.Equals(address) && !member.SiloAddress.Equals(local.SiloAddress))
            {
                LogGone(member.SiloAddress);
                await members.TryKill(member.SiloAddress);
            }
        }
    }

    [LoggerMessage(EventId = 910, EventName = "PodGone", Level = LogLevel.Warning, Message = "The pod of silo {Silo} is deleted: the silo is declared dead")]
    private partial void LogGone(SiloAddress silo);

    [LoggerMessage(EventId = 911, EventName = "PodsForbidden", Level = LogLevel.Error, Message = "Kubernetes does not let this silo watch the pods of namespace {Namespace} ({Status}): give its service account a role with the verbs list and watch on pods, as infra/kubernetes/shoal.yaml does")]
    private partial void LogForbidden(string @namespace, HttpStatusCode status);

    [LoggerMessage(EventId = 912, EventName = "PodsAway", Level = LogLevel.Information, Message = "Pods cannot be watched ({Reason}); it is tried again, and dead silos are found by probes meanwhile")]
    private partial void LogAway(string reason);
}

/// <summary>Which pods hold silos of this cluster.</summary>
/// <param name="Namespace">Their namespace.</param>
/// <param name="Labels">Their labels, as Kubernetes selects by them.</param>
internal sealed record PodSelector(string Namespace, string Labels)
{
    /// <summary>The label that holds the cluster's id.</summary>
    public const string ClusterLabel = "orleans/clusterId";
}

/// <summary>Adds the watch to a silo.</summary>
internal static class PodWatchExtensions
{
    /// <summary>Adds the watch; Kubernetes is the one that this pod runs in, unless another was added before.</summary>
    /// <param name="services">The silo's services.</param>
    /// <param name="cluster">The cluster's id.</param>
    public static void AddPodWatch(this IServiceCollection services, string cluster)
    {
        services.TryAddSingleton<IKubernetes>(_ => new Kubernetes(KubernetesClientConfiguration.InClusterConfig()));
        services.TryAddSingleton(_ => new PodSelector(File.ReadAllText(Path.Combine(Pod.Account, "namespace")).Trim(), $"{PodSelector.ClusterLabel}={cluster}"));
        services.AddHostedService<PodWatch>();
    }
}
