using k8s;
using k8s.Models;
using YamlDotNet.RepresentationModel;

namespace Shoal.Architecture.Tests;

/// <summary>What cannot be run without a container engine or a Kubernetes is held to what can be read of it.</summary>
public sealed class InfraTests
{
    private static readonly string Manifests = Text("infra/kubernetes/shoal.yaml");

    private static readonly string Autoscaling = Text("infra/kubernetes/autoscaling.yaml");

    [Fact]
    public void Kubernetes_manifests_hold_nothing_that_its_models_do_not_know() => Assert.Equal(8, Load(Manifests).Count);

    [Theory]
    [InlineData("maxUnavailable: 1", "maxUnavailble: 1")]
    [InlineData("replicas: 3", "replicas: three")]
    [InlineData("kind: NetworkPolicy", "kind: NetworkPolice")]
    public void A_slip_in_a_manifest_is_found(string right, string wrong)
    {
        Assert.Contains(right, Manifests, StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => Load(Manifests.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public void What_the_manifests_select_and_refer_to_is_there()
    {
        var objects = Load(Manifests);
        V1StatefulSet silos = objects.OfType<V1StatefulSet>().Single();
        var labels = silos.Spec.Template.Metadata.Labels;
        Assert.All(
            new[]
            {
                Service(objects, "shoal").Spec.Selector,
                Service(objects, "shoal-http").Spec.Selector,
                silos.Spec.Selector.MatchLabels,
                objects.OfType<V1PodDisruptionBudget>().Single().Spec.Selector.MatchLabels,
                objects.OfType<V1NetworkPolicy>().Single().Spec.PodSelector.MatchLabels,
            },
            selector => Assert.All(selector, label => Assert.Equal(label.Value, labels[label.Key])));
        Assert.Equal(Service(objects, "shoal").Metadata.Name, silos.Spec.ServiceName);
        Assert.Equal(objects.OfType<V1ServiceAccount>().Single().Metadata.Name, silos.Spec.Template.Spec.ServiceAccountName);
        V1Container silo = Assert.Single(silos.Spec.Template.Spec.Containers);
        Assert.All(Service(objects, "shoal-http").Spec.Ports, port => Assert.Contains(port.TargetPort.Value, silo.Ports.Select(p => p.Name)));
        string[] volumes = [.. silos.Spec.Template.Spec.Volumes.Select(v => v.Name), .. silos.Spec.VolumeClaimTemplates.Select(v => v.Metadata.Name)];
        Assert.Equal(volumes.Order(StringComparer.Ordinal), silo.VolumeMounts.Select(m => m.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Silos_run_without_rights_that_they_do_not_need()
    {
        var objects = Load(Manifests);
        V1PodSpec pod = objects.OfType<V1StatefulSet>().Single().Spec.Template.Spec;
        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.False(objects.OfType<V1ServiceAccount>().Single().AutomountServiceAccountToken);
        V1PolicyRule rule = Assert.Single(objects.OfType<V1Role>().Single().Rules);
        // What the silo's watch asks for (PodWatchTests, whose Kubernetes forbids everything else).
        Assert.Equal(["", "pods", "list, watch"], [.. rule.ApiGroups, .. rule.Resources, string.Join(", ", rule.Verbs)]);
        Assert.All(pod.Containers, container =>
        {
            Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
            Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        });
    }

    [Fact]
    public void Silos_that_watch_pods_have_a_token_a_role_and_the_label_of_their_cluster()
    {
        var objects = Load(Manifests);
        V1PodTemplateSpec pod = objects.OfType<V1StatefulSet>().Single().Spec.Template;
        Assert.Contains("--kubernetes", pod.Spec.Containers[0].Args);
        Assert.True(pod.Spec.AutomountServiceAccountToken);
        V1RoleBinding binding = objects.OfType<V1RoleBinding>().Single();
        Assert.Equal((objects.OfType<V1Role>().Single().Metadata.Name, "Role"), (binding.RoleRef.Name, binding.RoleRef.Kind));
        Rbacv1Subject subject = Assert.Single(binding.Subjects);
        Assert.Equal((pod.Spec.ServiceAccountName, "ServiceAccount"), (subject.Name, subject.Kind));
        Assert.Contains("ClusterLabel = \"orleans/clusterId\"", Text("silo/Shoal.Silo/PodWatch.cs"), StringComparison.Ordinal);
        // The cluster's id, which the manifest leaves at its default.
        Assert.DoesNotContain("--cluster-id", pod.Spec.Containers[0].Args);
        Assert.Contains($"string Id {{ get; init; }} = \"{pod.Metadata.Labels["orleans/clusterId"]}\"", Text("silo/Shoal.Silo/ClusterSettings.cs"), StringComparison.Ordinal);
    }

    // Who reaches the port of HTTP must say who it is; and whoever may use HTTP does not thereby reach the ports whose clients may do everything.
    [Fact]
    public void Http_is_reached_by_who_is_labelled_for_it_and_asks_for_keys()
    {
        var objects = Load(Manifests);
        V1Container silo = objects.OfType<V1StatefulSet>().Single().Spec.Template.Spec.Containers[0];
        Assert.Equal("0.0.0.0", silo.Args[silo.Args.IndexOf("--http-address") + 1]);
        Assert.Contains("--auth", silo.Args);
        var port = silo.Ports.Single(p => string.Equals(p.Name, "http", StringComparison.Ordinal)).ContainerPort.ToString(null, null);
        V1NetworkPolicyIngressRule rule = Assert.Single(objects.OfType<V1NetworkPolicy>().Single().Spec.Ingress, rule => rule.Ports.Any(p => string.Equals(p.Port.Value, port, StringComparison.Ordinal)));
        Assert.Single(rule.Ports);
        Assert.Equal("shoal-http", Assert.Single(Assert.Single(rule.FromProperty).PodSelector.MatchLabels).Key);
        Assert.Contains("\"--http-address\", \"0.0.0.0\", \"--auth\"", Text("infra/compose.yaml"), StringComparison.Ordinal);
    }

    // Their names and defaults are the silo's: an option that it does not have would be noticed only when a container starts.
    [Fact]
    public void Options_variables_and_ports_are_those_of_the_silo()
    {
        var arguments = Text("silo/Shoal.Silo/SiloArguments.cs");
        V1Container silo = Load(Manifests).OfType<V1StatefulSet>().Single().Spec.Template.Spec.Containers[0];
        Assert.All(silo.Args.Where(argument => argument.StartsWith("--", StringComparison.Ordinal)), option => Assert.Contains($"\"{option}\"", arguments, StringComparison.Ordinal));
        Assert.All(silo.Env, variable => Assert.Contains($"\"--{variable.Name["SHOAL_".Length..].ToLowerInvariant()}\"", arguments, StringComparison.Ordinal));
        V1ContainerPort[] own = [.. silo.Ports.Where(port => !string.Equals(port.Name, "metrics", StringComparison.Ordinal))];
        Assert.All(own, port => Assert.Contains($"=> {port.ContainerPort} }}", arguments, StringComparison.Ordinal));
        Assert.All(own, port => Assert.Contains(port.ContainerPort.ToString(null, null), Text("infra/Dockerfile").Split('\n').Single(line => line.StartsWith("EXPOSE", StringComparison.Ordinal)), StringComparison.Ordinal));
    }

    [Fact]
    public void What_Prometheus_is_told_of_a_pod_is_where_its_silo_serves_metrics_and_the_network_lets_it_in()
    {
        var objects = Load(Manifests);
        V1PodTemplateSpec pod = objects.OfType<V1StatefulSet>().Single().Spec.Template;
        V1Container silo = pod.Spec.Containers[0];
        var port = silo.Ports.Single(p => string.Equals(p.Name, "metrics", StringComparison.Ordinal)).ContainerPort.ToString(null, null);
        Assert.Equal(port, silo.Args[silo.Args.IndexOf("--metrics-port") + 1]);
        Assert.Equal(port, pod.Metadata.Annotations["prometheus.io/port"]);
        Assert.Contains($"MetricsPath = \"{pod.Metadata.Annotations["prometheus.io/path"]}\"", Text("src/Shoal.Web/ShoalWeb.cs"), StringComparison.Ordinal);
        Assert.Single(objects.OfType<V1NetworkPolicy>().Single().Spec.Ingress, rule => rule.Ports.Any(p => string.Equals(p.Port.Value, port, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_autoscaler_scales_the_silos_by_a_metric_that_they_report_and_the_adapter_hands_on()
    {
        V2HorizontalPodAutoscaler autoscaler = Assert.IsType<V2HorizontalPodAutoscaler>(Assert.Single(Load(Autoscaling)));
        V1StatefulSet silos = Load(Manifests).OfType<V1StatefulSet>().Single();
        Assert.Equal((silos.ApiVersion, silos.Kind, silos.Metadata.Name), (autoscaler.Spec.ScaleTargetRef.ApiVersion, autoscaler.Spec.ScaleTargetRef.Kind, autoscaler.Spec.ScaleTargetRef.Name));
        Assert.Equal(silos.Spec.Replicas, autoscaler.Spec.MinReplicas);
        V2MetricSpec wanted = Assert.Single(autoscaler.Spec.Metrics);
        Assert.Equal(("External", "AverageValue"), (wanted.Type, wanted.External.Target.Type));
        var metric = wanted.External.Metric.Name;
        // The page of metrics is compared with what a silo answers (MetricsTests).
        Assert.Contains($"| `{metric}` |", Text("docs/reference/metrics.md"), StringComparison.Ordinal);

        var yaml = new YamlStream();
        yaml.Load(new StringReader(Text("infra/kubernetes/prometheus-adapter.yaml")));
        YamlNode rule = Assert.Single((YamlSequenceNode)yaml.Documents[0].RootNode["rules"]["external"]);
        Assert.Equal(metric, $"{rule["name"]["as"]}");
        Assert.StartsWith(metric + "{", $"{rule["seriesQuery"]}", StringComparison.Ordinal);
        Assert.Equal("sum(<<.Series>>{<<.LabelMatchers>>})", $"{rule["metricsQuery"]}");
    }

    [Fact]
    public void Silos_come_sooner_than_they_go()
    {
        V2HorizontalPodAutoscalerBehavior behavior = Load(Autoscaling).OfType<V2HorizontalPodAutoscaler>().Single().Spec.Behavior;
        V2HPAScalingPolicy down = Assert.Single(behavior.ScaleDown.Policies);
        Assert.True(behavior.ScaleDown.StabilizationWindowSeconds > behavior.ScaleUp.StabilizationWindowSeconds);
        Assert.Equal(("Pods", 1), (down.Type, down.Value));
        Assert.True(down.PeriodSeconds > Assert.Single(behavior.ScaleUp.Policies).PeriodSeconds);
    }

    [Theory]
    [InlineData("averageValue:", "averageVale:")]
    [InlineData("minReplicas: 3", "minReplicas: three")]
    [InlineData("apiVersion: autoscaling/v2\n", "apiVersion: autoscaling/v3\n")]
    public void A_slip_in_the_autoscaler_is_found(string right, string wrong)
    {
        Assert.Contains(right, Autoscaling, StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => Load(Autoscaling.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public void Services_of_the_compose_file_depend_on_services_and_use_volumes_that_it_has()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Text("infra/compose.yaml")));
        var root = (YamlMappingNode)yaml.Documents[0].RootNode;
        var services = (YamlMappingNode)root["services"];
        string[] volumes = [.. ((YamlMappingNode)root["volumes"]).Children.Keys.Select(key => $"{key}")];
        string[] names = [.. services.Children.Keys.Select(key => $"{key}")];
        Assert.Equal(3, names.Count(name => name.StartsWith("silo", StringComparison.Ordinal)));
        Assert.All(((YamlMappingNode)root["x-silo"]["depends_on"]).Children.Keys, needed => Assert.Contains($"{needed}", names));
        Assert.All(services.Children.Values.OfType<YamlMappingNode>(), service =>
            Assert.All((YamlSequenceNode)service["volumes"], volume => Assert.Contains($"{volume}".Split(':')[0], volumes)));
    }

    [Fact]
    public void No_file_of_infra_names_a_registry()
    {
        // docker.io is what an image without a host comes from.
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "infra"), "*", SearchOption.AllDirectories)];
        Assert.All(files, file => Assert.DoesNotMatch(@"(?i)\b(mcr\.microsoft|ghcr|quay|gcr|docker)\.(com|io)\b", File.ReadAllText(file)));
    }

    private static V1Service Service(IEnumerable<object> objects, string name) => objects.OfType<V1Service>().Single(service => string.Equals(service.Metadata.Name, name, StringComparison.Ordinal));

    private static string Text(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));

    private static List<object> Load(string yaml) => KubernetesYaml.LoadAllFromString(yaml, strict: true);
}
