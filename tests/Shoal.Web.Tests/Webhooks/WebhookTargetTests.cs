using System.Net;
using System.Net.Sockets;

namespace Shoal.Web.Tests;

/// <summary>Webhooks that try to have a silo talk to what only it reaches (SSRF).</summary>
public sealed class WebhookTargetTests
{
    [Theory]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://127.9.9.9/")]
    [InlineData("https://0.0.0.0/")]
    [InlineData("https://10.1.2.3/")]
    [InlineData("https://172.31.255.255/")]
    [InlineData("https://192.168.0.1/")]
    [InlineData("https://169.254.169.254/")]
    [InlineData("https://100.100.100.200/")]
    [InlineData("https://224.0.0.1/")]
    [InlineData("https://255.255.255.255/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("https://0177.0.0.1/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::]/")]
    [InlineData("https://[::ffff:10.0.0.1]/")]
    [InlineData("https://[fe80::1]/")]
    [InlineData("https://[fc00::1]/")]
    [InlineData("https://[fd00:ec2::254]/")]
    [InlineData("https://[64:ff9b::7f00:1]/")]
    [InlineData("https://[2002:7f00:1::]/")]
    [InlineData("https://[2001:0:0:1::]/")]
    [InlineData("https://[ff02::1]/")]
    [InlineData("http://93.184.216.34/")]
    public void What_is_not_public_or_not_https_is_refused(string url) => Assert.NotNull(new WebhookTargets(new WebhookOptions()).Problem(new Uri(url)));

    [Theory]
    [InlineData("https://93.184.216.34/", "")]
    [InlineData("https://172.32.0.1/", "")]
    [InlineData("https://[2606:2800:220:1::1]/", "")]
    [InlineData("http://10.1.2.3/", "10.0.0.0/8")]
    [InlineData("https://[::ffff:10.1.2.3]/", "10.0.0.0/8")]
    [InlineData("http://[fd00::7]/", "fd00::/8")]
    public void What_is_public_or_named_is_not(string url, string network) =>
        Assert.Null(new WebhookTargets(Allowing(network)).Problem(new Uri(url)));

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task A_name_that_leads_inside_is_refused_before_anything_is_sent(string scheme)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Answer answer = await SendAsync($"{scheme}://localhost:{port}/", new WebhookOptions());
        Assert.Contains("not on the public Internet", answer.Problem, StringComparison.Ordinal);
        Assert.False(listener.Pending());

        // The control: what is named is connected to. It says nothing, and is told apart from what was refused.
        var named = new WebhookOptions
        {
            Networks = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")],
            Timeout = TimeSpan.FromSeconds(0.5),
        };
        Assert.Contains("did not answer within", (await SendAsync($"{scheme}://localhost:{port}/", named)).Problem, StringComparison.Ordinal);
        Assert.True(listener.Pending());
    }

    [Fact]
    public async Task What_is_behind_an_address_is_not_told()
    {
        // A port where nobody listens, and one where somebody does who speaks no HTTP.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Task<Answer> sent = SendAsync($"http://127.0.0.1:{port}/", Allowing("127.0.0.0/8"));
        using (Socket talker = await listener.AcceptSocketAsync())
        {
            await talker.SendAsync("-ERR secret-banner-of-redis\r\n"u8.ToArray());
        }

        Assert.Equal($"'127.0.0.1:{port}' broke the connection off, or answered no HTTP.", (await sent).Problem);
        listener.Stop();
        Assert.Equal($"'127.0.0.1:{port}' cannot be connected to.", (await SendAsync($"http://127.0.0.1:{port}/", Allowing("127.0.0.0/8"))).Problem);
    }

    private static WebhookOptions Allowing(string network) => new() { Networks = network.Length == 0 ? [] : [IPNetwork.Parse(network)] };

    private static async Task<Answer> SendAsync(string url, WebhookOptions options)
    {
        using var sender = new WebhookSender(options, new WebhookTargets(options), TimeProvider.System);
        return await sender.SendAsync(new Uri(url), new Posting("msg_1", [1]), new byte[32], CancellationToken.None);
    }
}
