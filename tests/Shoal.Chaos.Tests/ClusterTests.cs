using System.Net;
using System.Net.Http.Json;
using Shoal.Benchmarks;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.TestKit;

namespace Shoal.Chaos.Tests;

/// <summary>Silos of one cluster, each a process of its own, with a real server that keeps the list of them.</summary>
[Collection("silo")]
public sealed class ClusterTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shoal-cluster-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Of_three_silos_one_may_be_killed_and_nothing_is_lost_and_training_goes_on()
    {
        await using RedisProcess redis = await RedisProcess.StartAsync();
        await using SiloCluster cluster = await ClusterAsync(3, "--redis", redis.ConnectionString);
        await using ShoalClient client = await cluster.ConnectAsync();
        await using ClusterTrial trial = await ClusterTrial.BeginAsync(cluster, client);
        DatasetStatus first = await trial.WaitAsync(status => status.Training.Version is not null);
        DatasetStatus before = await trial.WaitAsync(status => status.Training.Round > first.Training.Round + 3);
        // Seats that could not go on from a merged model would be dealt anew.
        Assert.Equal((first.Training.Term, null), (before.Training.Term, before.Training.Problem));
        await cluster.KillAsync(await trial.TrainingSiloAsync());
        await trial.WaitAsync(status => status.Training.Term > before.Training.Term && status.Training.Progress?.Steps > before.Training.Progress!.Steps);
        await cluster.AddAsync();
        await Task.Delay(TimeSpan.FromSeconds(3));
        await trial.EndAsync();
        // Seven seconds on two cores: until the dead silo is voted out. A directory that holds back what was on it makes it 18.
        Assert.True(trial.Longest < TimeSpan.FromSeconds(14), $"a call took {trial.Longest.TotalSeconds:F1} s");
        DatasetStatus after = await client.StatusAsync(ClusterTrial.Dataset);
        Assert.True(after.Training.Version!.Version >= before.Training.Version!.Version);
    }

    [Fact]
    public async Task Shards_are_spread_and_move_to_a_silo_that_joins_and_from_one_that_is_told_to_stop()
    {
        await using RedisProcess redis = await RedisProcess.StartAsync();
        await using SiloCluster cluster = await ClusterAsync(2, "--redis", redis.ConnectionString);
        await using ShoalClient client = await cluster.ConnectAsync();
        await using ClusterTrial trial = await ClusterTrial.BeginAsync(cluster, client);
        Assert.Equal("3 3", await trial.ShardsOfSilosAsync());
        await cluster.AddAsync();
        await trial.WaitUntilAsync(async () => await trial.ShardsOfSilosAsync() is "2 2 2", "two shards on each of three silos");

        SiloProcess leaving = cluster.Silos[0];
        await cluster.StopAsync(leaving);
        Assert.DoesNotContain("could not be handed over", leaving.Output, StringComparison.Ordinal);
        Assert.Equal("3 3", await trial.ShardsOfSilosAsync());
        await trial.EndAsync();
    }

    [Fact]
    public async Task Silos_find_each_other_by_PostgreSQL_too()
    {
        await using PostgresProcess postgres = await PostgresProcess.StartAsync();
        await using SiloCluster cluster = await ClusterAsync(2, "--postgres", postgres.ConnectionString);
        await using ShoalClient client = await cluster.ConnectAsync();
        await using ClusterTrial trial = await ClusterTrial.BeginAsync(cluster, client);
        await cluster.KillAsync(cluster.Silos[0]);
        await Task.Delay(TimeSpan.FromSeconds(8));
        await trial.EndAsync();
    }

    [Fact]
    public async Task While_the_list_of_silos_is_away_silos_go_on_and_one_joins_when_it_is_back()
    {
        await using RedisProcess redis = await RedisProcess.StartAsync();
        await using SiloCluster cluster = await ClusterAsync(2, "--redis", redis.ConnectionString);
        await using ShoalClient client = await cluster.ConnectAsync();
        await using ClusterTrial trial = await ClusterTrial.BeginAsync(cluster, client);
        var before = trial.Acknowledged;
        await redis.RestartAsync(away: TimeSpan.FromSeconds(6));
        Assert.True(trial.Acknowledged > before + 500, $"{trial.Acknowledged - before} acknowledged meanwhile");
        await cluster.AddAsync();
        await trial.WaitAsync(status => status.Training.Activity is "training" or "rehearsing");
        await trial.EndAsync();
    }

    [Fact]
    public async Task Roles_are_kept_and_a_missing_one_is_named()
    {
        await using RedisProcess redis = await RedisProcess.StartAsync();
        await using SiloCluster cluster = await ClusterAsync(0, "--redis", redis.ConnectionString);
        await cluster.AddAsync("--roles", "gateway");
        await using ShoalClient client = await cluster.ConnectAsync();
        var none = await Assert.ThrowsAsync<ShoalException>(() => client.CreateDatasetAsync(ClusterTrial.Dataset, ClusterTrial.Settings));
        Assert.Equal((ShoalErrorKind.Unavailable, "No silo of the cluster has the role 'data'; start one with --roles data and try again."), (none.Kind, none.Message));

        SiloProcess data = await cluster.AddAsync("--roles", "data");
        await client.CreateDatasetAsync(ClusterTrial.Dataset, ClusterTrial.Settings);
        await new ClusterLoad(client, ClusterTrial.Dataset).StoreAsync(2_500);
        DatasetStatus untrained = await client.StatusAsync(ClusterTrial.Dataset);
        Assert.Equal((2_500L, "No silo of the cluster has the role 'compute'; start one with --roles compute and try again."), (untrained.Shards.Sum(s => s.Items), untrained.Training.Problem));

        await cluster.AddAsync("--roles", "compute");
        DatasetStatus trained = await ClusterTrial.WaitAsync(client, status => status.Training.Version is not null && status.Shards.Sum(s => s.Pending) == 0);
        Assert.True(trained.Shards.Sum(s => s.Assigned) > 2_000, $"{trained.Shards.Sum(s => s.Assigned)} assigned");
        // What assigned them computes elsewhere.
        Assert.DoesNotContain("libtorch", await File.ReadAllTextAsync($"/proc/{data.Id}/maps"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_is_carried_out_once_whichever_gateway_it_is_sent_to_and_whichever_is_gone()
    {
        await using RedisProcess redis = await RedisProcess.StartAsync();
        await using SiloCluster cluster = await ClusterAsync(2, "--redis", redis.ConnectionString);
        Assert.Equal((HttpStatusCode.Created, false), await CreateOnceAsync(cluster.Silos[0]));
        Assert.Equal((HttpStatusCode.Created, true), await CreateOnceAsync(cluster.Silos[1]));
        Assert.Equal((HttpStatusCode.Created, true), await CreateOnceAsync(cluster.Silos[0]));

        await cluster.StopAsync(cluster.Silos[0]);
        Assert.Equal((HttpStatusCode.Created, true), await CreateOnceAsync(cluster.Silos[0]));
        await cluster.AddAsync();
        await cluster.StopAsync(cluster.Silos[0]);
        Assert.Equal((HttpStatusCode.Created, true), await CreateOnceAsync(cluster.Silos[0]));

        // The control: without a key it is another request, and the dataset is there already.
        Assert.Equal((HttpStatusCode.OK, false), await CreateOnceAsync(cluster.Silos[0], key: null));
    }

    [Fact]
    public async Task With_certificates_members_know_each_other_and_who_has_none_is_refused()
    {
        await CertificatesAsync("ours");
        await CertificatesAsync("others");
        await using RedisProcess redis = await RedisProcess.StartAsync();
        await using SiloCluster cluster = await ClusterAsync(2, "--redis", redis.ConnectionString, "--tls", Folder("ours"));
        await using (ShoalClient client = await cluster.ConnectAsync(Folder("ours")))
        {
            await client.CreateDatasetAsync(ClusterTrial.Dataset, ClusterTrial.Settings);
            var load = new ClusterLoad(client, ClusterTrial.Dataset);
            await load.StoreAsync(600);
            Assert.Equal((600, (0, 0L)), (load.Acknowledged, await load.CheckAsync()));
        }

        Assert.Equal(ShoalErrorKind.Unavailable, (await Assert.ThrowsAsync<ShoalException>(() => cluster.ConnectAsync())).Kind);
        Assert.Equal(ShoalErrorKind.Unavailable, (await Assert.ThrowsAsync<ShoalException>(() => cluster.ConnectAsync(Folder("others")))).Kind);
        var none = await Assert.ThrowsAsync<ShoalException>(() => cluster.ConnectAsync(Folder("none")));
        Assert.StartsWith($"'{Folder("none")}' must hold ca.crt, tls.crt and tls.key", none.Message, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Status, bool IsReplayed)> CreateOnceAsync(SiloProcess gateway, string? key = "a-key-of-this-request")
    {
        using var http = new HttpClient { BaseAddress = gateway.Http };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/datasets") { Content = JsonContent.Create(new { name = "once" }) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using HttpResponseMessage answer = await http.SendAsync(request);
        return (answer.StatusCode, answer.Headers.Contains("Idempotency-Replayed"));
    }

    private string Folder(string name) => Path.Combine(_folder.FullName, name);

    // By the script that users have.
    private async Task CertificatesAsync(string name)
    {
        using var script = Programs.Start("openssl", Path.Combine(Tree.Root, "infra", "test-certificates.sh"), Folder(name));
        await script.WaitForExitAsync();
        Assert.Equal(0, script.ExitCode);
    }

    private async Task<SiloCluster> ClusterAsync(int silos, params string[] membership)
    {
        var cluster = new SiloCluster(_folder.FullName, ["--log", "Warning", .. membership]);
        for (var i = 0; i < silos; i++)
        {
            await cluster.AddAsync();
        }

        return cluster;
    }
}
