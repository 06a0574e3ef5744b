using System.Text.Json;
using Shoal.Cli;
using Shoal.Contracts;
using Shoal.Fakes;

namespace Shoal.Client.Tests;

public sealed class CliTests(SiloFixture fixture) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("shoal-cli-").FullName;

    [Fact]
    public async Task A_dataset_is_created_with_the_size_as_height_width_channels()
    {
        (int code, string text, _) = await fixture.RunAsync("dataset", "create", "cli-made", "--size", "28x32x1", "--clusters", "7", "--shards", "2");

        Assert.Equal(ExitCodes.Success, code);
        Assert.Contains("Dataset cli-made: created.", text, StringComparison.Ordinal);
        DatasetSettings settings = fixture.Silo.Store.Dataset("cli-made").Settings;
        Assert.Equal((28, 32, 1, 7, 2), (settings.Height, settings.Width, settings.Channels, settings.Clusters, settings.Shards));
    }

    [Fact]
    public async Task The_number_of_clusters_may_be_left_open()
    {
        (int code, _, _) = await fixture.RunAsync("dataset", "create", "cli-auto", "--clusters", "auto");

        Assert.Equal(ExitCodes.Success, code);
        Assert.Equal(0, fixture.Silo.Store.Dataset("cli-auto").Settings.Clusters);
        (_, string status, _) = await fixture.RunAsync("status", "cli-auto");
        Assert.Contains("as many clusters as there are", status, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_dataset_whose_weights_do_not_fit_nothing_is_left()
    {
        string weights = Path.Combine(_folder, "empty.safetensors");
        await File.WriteAllBytesAsync(weights, []);
        (int code, _, string error) = await fixture.RunAsync("dataset", "create", "cli-unfit", "--weights", weights);

        Assert.Equal((ExitCodes.UserError, "error: The weights are no safetensors file."), (code, error.Trim()));
        Assert.DoesNotContain("cli-unfit", await fixture.Client.ListDatasetsAsync());
        await File.WriteAllBytesAsync(weights, [1]);
        (code, _, _) = await fixture.RunAsync("dataset", "create", "cli-unfit", "--weights", weights);
        Assert.Equal(ExitCodes.Success, code);
    }

    [Theory]
    [InlineData("dataset create x --size 28x28")]
    [InlineData("dataset create UPPER")]
    [InlineData("dataset create x --clusters 1")]
    [InlineData("dataset create x --clusters many")]
    [InlineData("dataset create x --clusters 0")]
    [InlineData("dataset create x --objective scan")]
    [InlineData("dataset create x --objective scan=much")]
    [InlineData("dataset create x --replay newest")]
    [InlineData("no-such-command")]
    [InlineData("query only-a-dataset")]
    [InlineData("items x --state deleted")]
    [InlineData("items no-such-dataset")]
    [InlineData("cluster no-such-dataset 1")]
    [InlineData("export x -o y.xml --format xml")]
    [InlineData("export x")]
    [InlineData("export no-such-dataset -o no-such.csv")]
    [InlineData("model no-such-dataset")]
    [InlineData("classify no-such-dataset /no/such/path")]
    [InlineData("content x a")]
    [InlineData("content no-such-dataset a -o no-such.png")]
    [InlineData("similar x")]
    [InlineData("history x")]
    [InlineData("history no-such-dataset a")]
    [InlineData("similar x a --file b.png")]
    [InlineData("similar no-such-dataset --file b.png")]
    [InlineData("status no-such-dataset")]
    [InlineData("ingest no-such-dataset /no/such/path")]
    [InlineData("status --silo nowhere")]
    [InlineData("key create nobody")]
    [InlineData("key create nobody --scope write")]
    [InlineData("key create nobody --scope read --dataset UPPER")]
    [InlineData("key create nobody --scope read --days 0")]
    [InlineData("key revoke 00000000")]
    [InlineData("webhook add digits ftp://example.org/")]
    [InlineData("webhook add digits https://example.org/ --topic all")]
    [InlineData("webhook add no-such-dataset https://example.org/")]
    [InlineData("webhook remove digits 0123456789abcdef")]
    public async Task What_the_user_got_wrong_is_exit_2_with_a_line_on_standard_error(string arguments)
    {
        (int code, string text, string error) = await fixture.RunAsync(arguments.Split(' '));

        Assert.Equal(ExitCodes.UserError, code);
        Assert.Empty(text);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_that_does_not_answer_is_exit_3()
    {
        (int code, _, string error) = await SiloFixture.RunAsync(
            (_, _) => throw new ShoalException(ShoalErrorKind.Unavailable, "No silo answers."), "status");

        Assert.Equal(ExitCodes.ServerError, code);
        Assert.Equal("error: No silo answers.\n", error);
    }

    [Fact]
    public async Task A_bug_is_exit_1()
    {
        (int code, _, string error) = await SiloFixture.RunAsync((_, _) => throw new InvalidOperationException("oops"), "status");

        Assert.Equal(ExitCodes.Bug, code);
        Assert.Contains("This is a bug", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_is_taken_and_restored_and_failures_end_with_the_reason()
    {
        (string name, _) = await fixture.DatasetAsync();
        (int code, string text, _) = await fixture.RunAsync("backup", name, Path.Combine(_folder, "monday"));
        Assert.Equal(ExitCodes.Success, code);
        Assert.Matches("Backed up to .*monday: *12 objects, 2.9 MiB", text.ReplaceLineEndings(" "));
        (code, text, _) = await fixture.RunAsync("restore", name, Path.Combine(_folder, "monday"), "--as", name + "-2", "--json");
        Assert.Equal(ExitCodes.Success, code);
        Assert.True(JsonDocument.Parse(text).RootElement.GetProperty("restores").GetBoolean());
        Assert.Contains(name + "-2", fixture.Silo.Store.Datasets.Keys);

        (code, _, string error) = await fixture.RunAsync("restore", name, "/somewhere");
        Assert.Equal((ExitCodes.UserError, true), (code, error.Contains("exists", StringComparison.Ordinal)));
        (code, _, error) = await fixture.RunAsync("backup", name, "/full");
        Assert.Equal((ExitCodes.ServerError, "error: The disk is full.\n"), (code, error));
        (code, _, _) = await fixture.RunAsync("backup", "no-such", "/somewhere");
        Assert.Equal(ExitCodes.UserError, code);
    }

    [Fact]
    public async Task Changes_are_told_from_a_cursor_on()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a/7", 1));
        (int code, string text, _) = await fixture.RunAsync("changes", name);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Matches(@"a/7 +. pending +. cluster 2", text);
        string cursor = text[(text.IndexOf("--after", StringComparison.Ordinal) + 7)..].Split('\n')[0].Trim();

        await fixture.Client.PutAsync(name, SiloFixture.Item("a/8", 1));
        (_, text, _) = await fixture.RunAsync("changes", name, "--after", cursor, "--json");
        JsonElement page = JsonDocument.Parse(text).RootElement;
        Assert.Equal("a/8", Assert.Single(page.GetProperty("changes").EnumerateArray()).GetProperty("item").GetProperty("id").GetString());
        (code, _, string error) = await fixture.RunAsync("changes", name, "--after", "nonsense");
        Assert.Equal(ExitCodes.UserError, code);
        Assert.Contains("The cursor is none that this dataset gave", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Items_are_listed_from_a_cursor_on()
    {
        (string name, _) = await fixture.DatasetAsync();
        foreach (string id in new[] { "a", "b", "c" })
        {
            await fixture.Client.PutAsync(name, SiloFixture.Item(id, 1));
        }

        (int code, string text, _) = await fixture.RunAsync("items", name, "--limit", "2");
        Assert.Equal(ExitCodes.Success, code);
        Assert.Matches(@"(?s)a .*assigned.*b .*assigned", text);
        string cursor = text[(text.IndexOf("--cursor", StringComparison.Ordinal) + 8)..].Split('\n')[0].Trim();
        (_, text, _) = await fixture.RunAsync("items", name, "--cursor", cursor, "--json");
        JsonElement page = JsonDocument.Parse(text).RootElement;
        Assert.Equal("c", Assert.Single(page.GetProperty("items").EnumerateArray()).GetProperty("id").GetString());
        Assert.False(page.TryGetProperty("cursor", out _));
        (_, text, _) = await fixture.RunAsync("items", name, "--cluster", "99");
        Assert.Contains("No item matches.", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_is_a_file_that_appears_when_it_is_whole()
    {
        (string name, FakeDataset dataset) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a", 1));
        string path = Path.Combine(_folder, "all.csv");

        (int code, string text, _) = await fixture.RunAsync("export", name, "-o", path, "--json");
        Assert.Equal((ExitCodes.Success, new FileInfo(path).Length), (code, JsonDocument.Parse(text).RootElement.GetProperty("bytes").GetInt64()));
        Assert.Equal(2, File.ReadAllLines(path).Length);
        (code, _, _) = await fixture.RunAsync("export", name, "-o", Path.Combine(_folder, "all.npz"), "--format", "npz");
        Assert.Equal((ExitCodes.Success, "PK"), (code, System.Text.Encoding.ASCII.GetString(File.ReadAllBytes(Path.Combine(_folder, "all.npz")), 0, 2)));

        string model = Path.Combine(_folder, "model");
        (code, _, _) = await fixture.RunAsync("model", name, "-o", model);
        Assert.Equal((ExitCodes.Success, true), (code, FakeModelGrain.File.AsSpan().SequenceEqual(File.ReadAllBytes(model))));
        (code, _, string error) = await fixture.RunAsync("model", name, "--version", "6", "-o", model);
        Assert.Equal((ExitCodes.UserError, "error: Version 6 is not kept; there are: 7, 5.\n"), (code, error));

        // A failure leaves what was there, and nothing half.
        dataset.Damaged.UnionWith(Enumerable.Range(0, 4));
        (code, _, _) = await fixture.RunAsync("export", name, "-o", path);
        Assert.Equal((ExitCodes.ServerError, 2, 2), (code, File.ReadAllLines(path).Length, Directory.GetFiles(_folder).Length - 1));
        (code, _, _) = await fixture.RunAsync("export", name, "-o", Path.Combine(_folder, "nowhere", "x.csv"));
        Assert.Equal(ExitCodes.UserError, code);
    }

    [Fact]
    public async Task Ingest_counts_exactly_and_a_second_run_finds_everything_known()
    {
        (string name, _) = await fixture.DatasetAsync(maxItemBytes: 3);
        File.WriteAllBytes(Path.Combine(_folder, "a.png"), [1]);
        File.WriteAllBytes(Path.Combine(_folder, "b.png"), [2]);
        File.WriteAllBytes(Path.Combine(_folder, "large.png"), [1, 2, 3, 4]);

        (int first, string one, _) = await fixture.RunAsync("ingest", name, _folder, "--json");
        (int second, string two, _) = await fixture.RunAsync("ingest", name, _folder);

        Assert.Equal((ExitCodes.Success, ExitCodes.Success), (first, second));
        JsonElement report = JsonDocument.Parse(one).RootElement;
        Assert.Equal((2, 0, 1), (report.GetProperty("accepted").GetInt32(), report.GetProperty("alreadyKnown").GetInt32(), report.GetProperty("rejected").GetInt32()));
        Assert.Equal(1, report.GetProperty("reasons").GetProperty("The item is larger than the dataset's limit of 3 bytes.").GetInt32());
        Assert.Matches(@"already known\s+2", two);
        Assert.Matches(@"rejected\s+1", two);
    }

    [Fact]
    public async Task Ingested_items_carry_the_fields_that_are_named()
    {
        (string name, _) = await fixture.DatasetAsync();
        File.WriteAllBytes(Path.Combine(_folder, "a.png"), [1]);

        (int code, _, _) = await fixture.RunAsync("ingest", name, _folder, "--field", "camera=7", "--field", "note=a=b");
        Assert.Equal(ExitCodes.Success, code);
        IReadOnlyDictionary<string, string> carried = Assert.Single(fixture.Silo.Store.Dataset(name).Items.Values).Upload.Metadata!;
        Assert.Equal(("7", "a=b", 2), (carried["camera"], carried["note"], carried.Count));

        foreach (string[] wrong in new[] { new[] { "camera" }, ["=7"], ["camera="], ["camera=7", "camera=8"] })
        {
            (code, _, string error) = await fixture.RunAsync(["ingest", name, _folder, .. wrong.SelectMany(field => new[] { "--field", field })]);
            Assert.Equal(ExitCodes.UserError, code);
            Assert.Contains("for example camera=7", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Query_shows_an_item_and_says_when_it_was_never_seen()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("[odd]/id", 1));

        (int code, string text, _) = await fixture.RunAsync("query", name, "[odd]/id");
        (int unknown, string nothing, string error) = await fixture.RunAsync("query", name, "nobody");
        (int json, string document, _) = await fixture.RunAsync("query", name, "nobody", "--json");

        Assert.Equal((ExitCodes.Success, ExitCodes.UserError, ExitCodes.UserError), (code, unknown, json));
        Assert.Contains("[odd]/id", text, StringComparison.Ordinal);
        Assert.Empty(nothing);
        Assert.Contains("There is no item 'nobody'", error, StringComparison.Ordinal);
        Assert.Equal("unknown", JsonDocument.Parse(document).RootElement.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Every_reading_command_prints_json_and_nothing_else_when_asked()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.PutAsync(name, SiloFixture.Item("a", 1));
        await fixture.Client.PutAsync(name, SiloFixture.Item("b", 1));

        foreach (string command in new[]
        {
            "dataset list", $"items {name}", $"items {name} --cluster 2 --state assigned --confidence-below 0.95 --newest --limit 1", $"status {name}", "status", $"clusters {name}", $"cluster {name} 2", $"events {name}", $"dataset set {name} --idle-steps 7", $"similar {name} a", $"watch {name} --once", $"pause {name}", $"resume {name}", $"name {name} 2 ones",
            $"query {name} a --fresh", $"history {name} a", $"history {name} a --limit 1", $"name-by-examples {name} first a b", $"pin {name} 2", $"unpin {name} 2", $"merge {name} 1 2", $"versions {name}", $"model {name}", $"model {name} --version 5", $"rollback {name} 5",
        })
        {
            (int code, string text, string error) = await fixture.RunAsync([.. command.Split(' '), "--json"]);
            Assert.Equal(ExitCodes.Success, code);
            Assert.Empty(error);
            Assert.Single(text.TrimEnd('\n').Split('\n'));
            JsonDocument.Parse(text).Dispose();
        }
    }

    [Fact]
    public async Task Text_fits_80_columns_and_holds_no_escape_codes()
    {
        (string name, _) = await fixture.DatasetAsync();
        await fixture.Client.IngestAsync(name, Enumerable.Range(0, 30).Select(i => SiloFixture.Item($"{new string('x', 60)}/{i}", (byte)i)).ToAsyncEnumerable()).ToListAsync();

        foreach (string command in new[] { $"status {name}", "status", $"clusters {name}", $"watch {name} --once", $"query {name} {new string('x', 60)}/1", $"history {name} {new string('x', 60)}/1", $"items {name}", $"versions {name}" })
        {
            (int code, string text, _) = await fixture.RunAsync(command.Split(' '));
            Assert.Equal(ExitCodes.Success, code);
            Assert.All(text.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
            Assert.DoesNotContain('\u001b', text);
        }
    }

    [Fact]
    public async Task A_key_is_shown_once_listed_by_its_prefix_and_revoked()
    {
        (int code, string text, _) = await fixture.RunAsync("key", "create", "cli", "--scope", "read", "--scope", "ingest", "--dataset", "digits", "--days", "30", "--per-second", "5");

        Assert.Equal(ExitCodes.Success, code);
        string key = text.Split('\n')[0].Trim();
        AccessSecret secret = Assert.IsType<AccessSecret>(AccessSecret.Parse(key));
        AccessKeyEntry stored = fixture.Silo.Store.Keys[secret.Prefix];
        Assert.Equal(secret.Hash, stored.Hash);
        Assert.Equal(("cli", "read ingest", "digits", 5, 0), (stored.Key.Name, string.Join(' ', stored.Key.Scopes), string.Join(' ', stored.Key.Datasets), stored.Key.RequestsPerSecond, stored.Key.RequestsPerDay));
        Assert.NotNull(stored.Key.ExpiresAt);

        foreach (string[] list in new string[][] { ["key", "list"], ["key", "list", "--json"] })
        {
            (_, string listed, _) = await fixture.RunAsync(list);
            Assert.Contains(secret.Prefix, listed, StringComparison.Ordinal);
            Assert.DoesNotContain(key[15..], listed, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(secret.Hash), listed, StringComparison.Ordinal);
        }

        (code, string revoked, _) = await fixture.RunAsync("key", "revoke", secret.Prefix);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Contains($"Key {secret.Prefix}: revoked.", revoked, StringComparison.Ordinal);
        Assert.DoesNotContain(secret.Prefix, fixture.Silo.Store.Keys.Keys);
    }

    [Fact]
    public async Task The_whole_key_may_be_given_to_revoke_it_and_is_not_repeated()
    {
        (_, string created, _) = await fixture.RunAsync("key", "create", "cli", "--scope", "manage", "--json");
        string key = JsonDocument.Parse(created).RootElement.GetProperty("secret").GetString()!;

        (int code, string text, _) = await fixture.RunAsync("key", "revoke", key);

        Assert.Equal(ExitCodes.Success, code);
        Assert.DoesNotContain(key[15..], text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhooks_secret_is_shown_once_and_the_list_says_why_messages_do_not_arrive()
    {
        (string dataset, _) = await fixture.DatasetAsync();
        (int code, string text, _) = await fixture.RunAsync("webhook", "add", dataset, "https://hooks.example.org/x", "--topic", "events", "--after", "start");
        Assert.Equal(ExitCodes.Success, code);
        string secret = text.Split('\n')[0].Trim();
        WebhookWork work = Assert.Single(fixture.Silo.Store.Webhooks.Values, of => string.Equals(of.Webhook.Dataset, dataset, StringComparison.Ordinal));
        Assert.Equal($"whsec_{Convert.ToBase64String(work.Secret)}", secret);
        Assert.Equal(("events", null), (string.Join(' ', work.Webhook.Topics), work.Webhook.Progress.Cursor));

        fixture.Silo.Store.Webhooks[work.Webhook.Id] = work with { Webhook = work.Webhook with { Progress = new WebhookProgress { Failures = 3, Problem = "The receiver answered 500.", Stopped = true } } };
        foreach (string[] list in new string[][] { ["webhook", "list", dataset], ["webhook", "list", dataset, "--json"] })
        {
            (_, string listed, _) = await fixture.RunAsync(list);
            Assert.Contains("The receiver answered 500.", listed, StringComparison.Ordinal);
            Assert.DoesNotContain(secret[6..], listed, StringComparison.Ordinal);
        }

        Assert.Equal(ExitCodes.Success, (await fixture.RunAsync("webhook", "resume", dataset, work.Webhook.Id)).Code);
        Assert.False(fixture.Silo.Store.Webhooks[work.Webhook.Id].Webhook.Progress.Stopped);
        Assert.Equal(ExitCodes.Success, (await fixture.RunAsync("webhook", "remove", dataset, work.Webhook.Id)).Code);
        Assert.DoesNotContain(work.Webhook.Id, fixture.Silo.Store.Webhooks.Keys);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
