using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using k8s;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Shoal.Silo;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>The silo's side of Kubernetes, against an API that answers as Kubernetes does.</summary>
public sealed class PodWatchTests
{
    private static readonly IPAddress Own = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress Other = IPAddress.Parse("10.0.0.2");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_silo_is_declared_dead_when_its_pod_is_deleted_whatever_was_called_like_it_before()
    {
        await using FakeKubernetes kubernetes = await FakeKubernetes.StartAsync();
        kubernetes.Add("shoal-0", Own);
        kubernetes.Add("shoal-1", Other);
        var members = new Members((Own, 1, SiloStatus.Active), (IPAddress.Parse("10.0.0.9"), 1, SiloStatus.Dead), (Other, 2, SiloStatus.Active));
        await using Watching watching = await Watching.StartAsync(kubernetes, members);

        kubernetes.Delete("shoal-1");

        Assert.Equal(Address(Other, 2), await members.NextAsync());
        Assert.All(kubernetes.Selectors, selector => Assert.Equal("orleans/clusterId=shoal", selector));
    }

    [Fact]
    public async Task What_was_deleted_while_nobody_watched_is_found_by_the_next_look_but_no_silo_that_took_over_the_address()
    {
        await using FakeKubernetes kubernetes = await FakeKubernetes.StartAsync();
        var reused = IPAddress.Parse("10.0.0.3");
        kubernetes.Add("shoal-0", Own);
        kubernetes.Add("shoal-1", Other);
        kubernetes.Add("shoal-2", reused);
        var members = new Members((Own, 1, SiloStatus.Active), (reused, 5, SiloStatus.Active), (Other, 2, SiloStatus.Active));
        await using Watching watching = await Watching.StartAsync(kubernetes, members);

        kubernetes.Pods.Clear();
        kubernetes.Add("shoal-0", Own);
        kubernetes.Add("shoal-2", reused);
        kubernetes.EndWatch();
        await watching.LookAgainAsync();

        Assert.Equal(Address(Other, 2), await members.NextAsync());
        Assert.False(members.Killed.TryRead(out _));
    }

    [Fact]
    public async Task A_silo_never_declares_itself_dead()
    {
        await using FakeKubernetes kubernetes = await FakeKubernetes.StartAsync();
        kubernetes.Add("shoal-0", Own);
        kubernetes.Add("shoal-1", Other);
        var members = new Members((Own, 1, SiloStatus.Active), (Other, 2, SiloStatus.Active));
        await using Watching watching = await Watching.StartAsync(kubernetes, members);

        kubernetes.Delete("shoal-0");
        kubernetes.Delete("shoal-1");

        Assert.Equal(Address(Other, 2), await members.NextAsync());
    }

    [Fact]
    public async Task Without_a_role_it_tries_again_until_it_has_one()
    {
        await using FakeKubernetes kubernetes = await FakeKubernetes.StartAsync();
        kubernetes.Allows = false;
        kubernetes.Add("shoal-1", Other);
        var members = new Members((Own, 1, SiloStatus.Active), (Other, 2, SiloStatus.Active));
        await using Watching watching = Watching.Begin(kubernetes, members);

        kubernetes.Allows = true;
        await watching.LookAgainAsync();
        kubernetes.Delete("shoal-1");

        Assert.Equal(Address(Other, 2), await members.NextAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_silo_watches_when_it_is_told_to(bool kubernetes)
    {
        using var folder = new TempFolder();
        var settings = new SiloSettings
        {
            HttpPort = 0,
            Silo = new Hosting.ShoalSiloOptions { DataDirectory = folder.Path },
            Cluster = new ClusterSettings { Redis = "127.0.0.1:1", Kubernetes = kubernetes },
        };
        await using var app = SiloHost.Build(settings, services => services
            .AddSingleton<IKubernetes>(new Kubernetes(new KubernetesClientConfiguration { Host = "http://127.0.0.1:1" }))
            .AddSingleton(new PodSelector("here", "x=y")));
        Assert.Equal(kubernetes ? 1 : 0, app.Services.GetServices<IHostedService>().OfType<PodWatch>().Count());
    }

    [Fact]
    public async Task Outside_of_Kubernetes_the_option_says_what_is_missing()
    {
        using var folder = new TempFolder();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => SiloProcess.StartAsync(folder.Path, "--kubernetes", "--redis", "127.0.0.1:1"));
        Assert.Contains("error: --kubernetes is for a pod of Kubernetes", failure.Message, StringComparison.Ordinal);
        Assert.Contains("the variable KUBERNETES_SERVICE_HOST, the variable KUBERNETES_SERVICE_PORT, the file /var/run/secrets/kubernetes.io/serviceaccount/token", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_what_is_missing_is_named()
    {
        Assert.Null(Pod.Problem(_ => "10.0.0.1", _ => true));
        var problem = Pod.Problem(name => name.EndsWith("PORT", StringComparison.Ordinal) ? "443" : null, file => !file.EndsWith("/token", StringComparison.Ordinal));
        Assert.Contains("missing here: the variable KUBERNETES_SERVICE_HOST, the file /var/run/secrets/kubernetes.io/serviceaccount/token.", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void It_needs_a_list_of_silos() =>
        Assert.Contains("--redis or --postgres", Assert.Single(new SiloSettings { Cluster = new ClusterSettings { Kubernetes = true } }.Problems()), StringComparison.Ordinal);

    private static SiloAddress Address(IPAddress address, int generation) => SiloAddress.New(address, 11111, generation);

    /// <summary>A watch that runs.</summary>
    private sealed class Watching : IAsyncDisposable
    {
        private readonly FakeKubernetes _kubernetes;
        private readonly FakeTimeProvider _time = new();
        private readonly PodWatch _watch;

        private Watching(FakeKubernetes kubernetes, Members members)
        {
            _kubernetes = kubernetes;
            _watch = new PodWatch(new PodSelector("here", "orleans/clusterId=shoal"), kubernetes.Client, members, new Local(), _time, NullLogger<PodWatch>.Instance);
        }

        public static Watching Begin(FakeKubernetes kubernetes, Members members)
        {
            var watching = new Watching(kubernetes, members);
            _ = watching._watch.StartAsync(TestContext.Current.CancellationToken);
            return watching;
        }

        public static async Task<Watching> StartAsync(FakeKubernetes kubernetes, Members members)
        {
            Watching watching = Begin(kubernetes, members);
            await kubernetes.Watched.Task.WaitAsync(Patience);
            return watching;
        }

        /// <summary>Lets its pause pass, whenever it comes to it.</summary>
        public async Task LookAgainAsync()
        {
            using var limit = new CancellationTokenSource(Patience);
            while (!_kubernetes.Watched.Task.IsCompleted)
            {
                _time.Advance(TimeSpan.FromSeconds(5));
                await Task.Delay(10, limit.Token);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _watch.StopAsync(CancellationToken.None);
            _watch.Dispose();
        }
    }

    /// <summary>The list of silos, which notes who is declared dead.</summary>
    private sealed class Members(params (IPAddress Address, int Generation, SiloStatus Status)[] silos) : IClusterMembershipService
    {
        private readonly Channel<SiloAddress> _killed = Channel.CreateUnbounded<SiloAddress>();

        public ChannelReader<SiloAddress> Killed => _killed.Reader;

        public ClusterMembershipSnapshot CurrentSnapshot { get; } = new(
            silos.Select(silo => new ClusterMember(Address(silo.Address, silo.Generation), silo.Status, "shoal-1")).ToImmutableDictionary(member => member.SiloAddress), new MembershipVersion(1));

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => AsyncEnumerable.Empty<ClusterMembershipSnapshot>();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

        public async Task<bool> TryKill(SiloAddress siloAddress)
        {
            await _killed.Writer.WriteAsync(siloAddress);
            return true;
        }

        public Task<SiloAddress> NextAsync() => _killed.Reader.ReadAsync().AsTask().WaitAsync(Patience);
    }

    private sealed class Local : ILocalSiloDetails
    {
        public string Name => "shoal-0";

        public string ClusterId => "shoal";

        public string DnsHostName => "shoal-0";

        public SiloAddress SiloAddress => Address(Own, 1);

        public SiloAddress GatewayAddress => SiloAddress;
    }
}
