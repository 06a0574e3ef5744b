using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Silo;
using Shoal.Storage.Tests;
using Shoal.TestKit;
using Shoal.Web;

namespace Shoal.Grains.Tests;

/// <summary>Keys on a real silo: what is stored of them, and what becomes of them over a restart.</summary>
[Collection(SiloCollections.Second)]
public sealed class AccessTests
{
    private static readonly NewAccessKey Reader = new()
    {
        Name = "a reader",
        Scopes = [AccessScopes.Read],
    };

    [Fact]
    public async Task A_key_opens_the_api_over_a_restart_until_it_is_revoked_and_its_secret_is_nowhere()
    {
        using var folder = new TempFolder();
        CreatedKey key;
        CreatedKey manager;
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--auth", "--http-address", "0.0.0.0"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            key = await client.CreateKeyAsync(Reader);
            manager = await client.CreateKeyAsync(Reader with { Name = "a manager", Scopes = [AccessScopes.Manage], Datasets = ["digits"] });
            using var http = new HttpClient { BaseAddress = silo.Http };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", manager.Secret);
            using var digits = new StringContent("""{"name":"digits"}""", Encoding.UTF8, "application/json");
            Assert.Equal(HttpStatusCode.Created, (await http.PostAsync(new Uri("/datasets", UriKind.Relative), digits)).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(silo, "/datasets", null));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(silo, "/healthz/ready", null));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(silo, "/datasets", key.Secret));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(silo, "/datasets", manager.Secret));
            CreatedKey master = await client.CreateKeyAsync(Reader with { Name = "a master", Scopes = [AccessScopes.Manage, AccessScopes.Read] });
            Assert.Equal((HttpStatusCode.Found, "/signin?return=%2Fsilos"), await PageAsync(silo, "/silos", key: null));
            Assert.Equal((HttpStatusCode.OK, null), await PageAsync(silo, "/silos", master.Secret));
            // What of them it sees, and that it changes nothing, the pages ask their guard.
            Assert.Equal((HttpStatusCode.OK, null), await PageAsync(silo, "/", key.Secret));
            Assert.Equal((HttpStatusCode.Forbidden, null), await PageAsync(silo, "/", manager.Secret));
            Assert.Equal((HttpStatusCode.OK, null), await PageAsync(silo, "/_framework/blazor.web.js", key: null));
            Assert.Equal((HttpStatusCode.Found, "/signin?return=%2F_blazor"), await PageAsync(silo, "/_blazor", key: null));
            await client.RevokeKeyAsync(master.Key.Prefix);
            Assert.DoesNotContain(Secret(key), silo.Output, StringComparison.Ordinal);
            await silo.StopAsync();
        }

        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--auth"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            Assert.Equal([key.Key.Prefix, manager.Key.Prefix], (await client.ListKeysAsync()).Select(known => known.Prefix));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(silo, "/datasets", key.Secret));

            await client.RevokeKeyAsync(key.Key.Prefix);
            var clock = Stopwatch.StartNew();
            while (await StatusAsync(silo, "/datasets", key.Secret) != HttpStatusCode.Unauthorized)
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(7), "a revoked key was still taken after 7 s; at most 5 are promised");
                await Task.Delay(100);
            }

            Assert.Equal(ShoalErrorKind.NotFound, (await Assert.ThrowsAsync<ShoalException>(() => client.RevokeKeyAsync(key.Key.Prefix))).Kind);
        }

        var stored = Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).Select(File.ReadAllBytes).ToArray();
        Assert.DoesNotContain(stored, bytes => bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Secret(manager))) >= 0 || bytes.AsSpan().IndexOf(Convert.FromHexString(Secret(manager))) >= 0);

        // The control: what is looked for would be found, since the hash is.
        var hash = Convert.ToBase64String(SHA256.HashData(Convert.FromHexString(Secret(manager)))).Split('+', '/').MaxBy(static part => part.Length)!.TrimEnd('=');
        Assert.Contains(stored, bytes => bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(hash)) >= 0);

        var audit = string.Concat(Directory.EnumerateFiles(folder.Path, "*.ndjson", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllText));
        Assert.Contains($"\"what\":\"key create\",\"target\":\"{key.Key.Prefix}\"", audit, StringComparison.Ordinal);
        Assert.Contains($"\"what\":\"key revoke\",\"target\":\"{key.Key.Prefix}\"", audit, StringComparison.Ordinal);
        Assert.Contains($"\"who\":\"key:{manager.Key.Prefix}\",\"what\":\"POST /datasets/\",\"dataset\":\"digits\",\"target\":\"/datasets\",\"outcome\":\"201\"", audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beyond_loopback_a_silo_without_authentication_does_not_start_and_says_how_it_would()
    {
        using var folder = new TempFolder();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => SiloProcess.StartAsync(folder.Path, "--http-address", "0.0.0.0"));
        Assert.Contains("--auth", failure.Message, StringComparison.Ordinal);
        Assert.Contains("TLS", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("127.0.0.7", false, true)]
    [InlineData("::1", false, true)]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("::", false, false)]
    [InlineData("10.0.0.4", false, false)]
    [InlineData("0.0.0.0", true, true)]
    public void Only_loopback_may_be_open_to_everyone(string address, bool auth, bool fine) =>
        Assert.Equal(fine, new SiloSettings { HttpAddress = IPAddress.Parse(address), Access = new AccessOptions { IsRequired = auth } }.Problems().Count == 0);

    // As a browser asks, with the key in the cookie of who signed in.
    private static async Task<(HttpStatusCode Status, string? Leads)> PageAsync(SiloProcess silo, string path, string? key)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = silo.Http };
        http.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        if (key is not null)
        {
            http.DefaultRequestHeaders.Add("Cookie", $"__Host-shoal-key={key}");
        }

        using HttpResponseMessage answer = await http.GetAsync(new Uri(path, UriKind.Relative));
        return (answer.StatusCode, answer.Headers.Location?.OriginalString);
    }

    private static string Secret(CreatedKey key) => key.Secret[^(AccessSecret.SecretBytes * 2)..];

    private static async Task<HttpStatusCode> StatusAsync(SiloProcess silo, string path, string? key)
    {
        using var http = new HttpClient { BaseAddress = silo.Http };
        http.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage answer = await http.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }
}
