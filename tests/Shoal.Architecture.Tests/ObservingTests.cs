using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Shoal.Architecture.Tests;

/// <summary>The dashboard and the alerts of infra/ ask only for what silos report.</summary>
public sealed class ObservingTests
{
    private static readonly Observing Metrics = new(Text("docs/reference/metrics.md"));

    private static readonly string Dashboard = Text("infra/grafana/shoal.json");

    private static readonly string Alerts = Text("infra/prometheus/alerts.yaml");

    [Fact]
    public void The_alerts_name_only_metrics_and_labels_that_exist()
    {
        Assert.Empty(Expressions(Alerts).SelectMany(e => Metrics.Unknown(e).Select(problem => $"{e}: {problem}")));
        Assert.True(Expressions(Alerts).Count > 10 && Metrics.Count > 20, "little was read");
    }

    [Fact]
    public void The_dashboard_names_only_metrics_and_labels_that_exist()
    {
        Assert.Empty(Panels(Dashboard).SelectMany(e => Metrics.Unknown(e).Select(problem => $"{e}: {problem}")));
        Assert.True(Panels(Dashboard).Count > 20, "little was read");
    }

    [Fact]
    public void The_dashboard_has_variables_for_where_what_and_who_and_each_asks_for_labels_that_exist()
    {
        using var dashboard = JsonDocument.Parse(Dashboard);
        JsonElement[] variables = [.. dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray()];
        Assert.Equal(["datasource", "dataset", "silo"], variables.Select(variable => variable.GetProperty("name").GetString()));
        foreach (var query in variables[1..].Select(variable => variable.GetProperty("query").GetString()!))
        {
            Match values = Regex.Match(query, @"^label_values\((?<series>.*), (?<label>\w+)\)$", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
            Assert.Empty(Metrics.Unknown($"sum by ({values.Groups["label"].Value}) ({values.Groups["series"].Value})"));
        }

        // A variable that is asked for and not there is asked for as it stands.
        Assert.Equal(["dataset", "silo"], Regex.Matches(string.Concat(Panels(Dashboard)), @"\$(?<name>\w+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Select(match => match.Groups["name"].Value).Where(name => !name.StartsWith("__", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Panels_have_ids_of_their_own_and_do_not_lie_over_each_other()
    {
        using var dashboard = JsonDocument.Parse(Dashboard);
        JsonElement[] panels = [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()];
        Assert.Distinct(panels.Select(panel => panel.GetProperty("id").GetInt32()));
        var cells = panels.Select(panel => panel.GetProperty("gridPos")).SelectMany(at =>
            from x in Enumerable.Range(at.GetProperty("x").GetInt32(), at.GetProperty("w").GetInt32())
            from y in Enumerable.Range(at.GetProperty("y").GetInt32(), at.GetProperty("h").GetInt32())
            select (x, y)).ToArray();
        Assert.Distinct(cells);
        Assert.All(cells, cell => Assert.InRange(cell.x, 0, 23));
    }

    [Fact]
    public void Every_alert_says_what_is_wrong_how_bad_it_is_and_where_the_page_that_helps_is()
    {
        string[] sections = [.. Text("docs/troubleshooting.md").Split('\n').Where(line => line.StartsWith("##", StringComparison.Ordinal)).Select(Anchor)];
        foreach (YamlMappingNode alert in Rules(Alerts))
        {
            Assert.False(string.IsNullOrWhiteSpace($"{alert["annotations"]["summary"]}"));
            Assert.Contains($"{alert["labels"]["severity"]}", new[] { "info", "warning", "critical" });
            string[] runbook = $"{alert["annotations"]["runbook"]}".Split('#');
            Assert.Equal("docs/troubleshooting.md", runbook[0]);
            Assert.Contains(runbook[1], sections);
        }

        Assert.Distinct(Rules(Alerts).Select(alert => $"{alert["alert"]}"));
    }

    // promtool takes an alert that does not exist for one that does not fire.
    [Fact]
    public void The_alerts_that_promtool_tries_exist()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Text("infra/prometheus/alerts.test.yaml")));
        string[] tried = [.. ((YamlSequenceNode)yaml.Documents[0].RootNode["tests"][0]["alert_rule_test"]).Select(test => $"{test["alertname"]}")];
        Assert.NotEmpty(tried);
        Assert.Empty(tried.Except(Rules(Alerts).Select(alert => $"{alert["alert"]}"), StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("sum(rate(shoal_items_ingested[5m]))", "no silo reports shoal_items_ingested")]
    [InlineData("shoal_append_duration_seconds > 1", "no silo reports shoal_append_duration_seconds")]
    [InlineData("shoal_training_lag{silo=\"a\"}", "shoal_training_lag has no label silo")]
    [InlineData("sum by (term) (shoal_training_lag)", "grouped by term, which not all of its series have")]
    [InlineData("sum by (dataset) (shoal_items) / on (dataset, kind) shoal_training_lag", "grouped by kind, which not all of its series have")]
    [InlineData("histogram_quantile(0.9, sum by (le) (rate(shoal_append_duration_seconds_count[5m])))", "grouped by le, which not all of its series have")]
    [InlineData("vector(1)", "no series is named")]
    public void What_does_not_exist_is_found(string expression, string problem) => Assert.Equal([problem], Metrics.Unknown(expression));

    [Theory]
    [InlineData("max by (dataset) (shoal_training_seats{dataset=~\"$dataset\"}) == 0 and on (dataset) sum by (dataset) (rate(shoal_rounds_total{verdict=\"shoal_nothing\"}[$__rate_interval])) > 1e3")]
    [InlineData("histogram_quantile(0.99, sum by (instance, le) (rate(shoal_storage_duration_seconds_bucket{operation=\"append\"}[5m]))) > 1")]
    [InlineData("absent(up{job=\"shoal\"} == 1) or up offset 5m unless up")]
    public void What_exists_is_let_pass(string expression) => Assert.Empty(Metrics.Unknown(expression));

    [Theory]
    [InlineData("shoal_training_lag", "shoal_trainin_lag")]
    [InlineData("{reason=", "{reson=")]
    public void A_slip_in_the_alerts_is_found(string right, string wrong) =>
        Assert.NotEmpty(Expressions(Alerts.Replace(right, wrong, StringComparison.Ordinal)).SelectMany(Metrics.Unknown));

    private static string Anchor(string heading) =>
        string.Concat(heading.TrimStart('#').Trim().ToLowerInvariant().Where(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '-')).Replace(' ', '-');

    private static List<YamlMappingNode> Rules(string alerts)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(alerts));
        return [.. ((YamlSequenceNode)yaml.Documents[0].RootNode["groups"]).SelectMany(group => (YamlSequenceNode)group["rules"]).Cast<YamlMappingNode>()];
    }

    private static List<string> Expressions(string alerts) => [.. Rules(alerts).Select(alert => $"{alert["expr"]}")];

    private static List<string> Panels(string json)
    {
        using var dashboard = JsonDocument.Parse(json);
        return
        [
            .. dashboard.RootElement.GetProperty("panels").EnumerateArray()
                .SelectMany(panel => panel.TryGetProperty("targets", out JsonElement targets) ? targets.EnumerateArray().ToArray() : [])
                .Select(target => target.GetProperty("expr").GetString()!),
        ];
    }

    private static string Text(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));
}
