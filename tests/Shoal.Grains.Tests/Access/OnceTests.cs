using System.Net;
using System.Text;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Storage.Tests;
using Shoal.TestKit;

namespace Shoal.Grains.Tests;

/// <summary>Idempotency keys on a real silo: who carries a request out, and that its answer outlives the silo.</summary>
[Collection(SiloCollections.Second)]
public sealed class OnceTests
{
    private static readonly byte[] Request = new byte[32];

    [Fact]
    public async Task A_request_is_carried_out_by_one_and_its_answer_is_there_after_a_kill()
    {
        using var folder = new TempFolder();
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning"))
        {
            await using ShoalClient client = await silo.ConnectAsync();
            (Guid one, Guid two) = (Guid.NewGuid(), Guid.NewGuid());
            Assert.Equal(OnceState.New, (await client.BeginOnceAsync("key", Request, one)).State);

            // Repeated by who asked, as a client does whose call timed out.
            Assert.Equal(OnceState.New, (await client.BeginOnceAsync("key", Request, one)).State);
            Assert.Equal(OnceState.Running, (await client.BeginOnceAsync("key", Request, two)).State);
            Assert.Equal(OnceState.Other, (await client.BeginOnceAsync("key", [.. Request.Select(_ => (byte)1)], two)).State);
            await client.EndOnceAsync("key", Request, two, new KeptAnswer(200, null, null, []));
            Assert.Equal(OnceState.Running, (await client.BeginOnceAsync("key", Request, two)).State);
            await client.EndOnceAsync("key", Request, one, answer: null);
            Assert.Equal(OnceState.New, (await client.BeginOnceAsync("key", Request, two)).State);

            Assert.Equal((HttpStatusCode.Created, false), await CreateAsync(silo));
            Assert.Equal((HttpStatusCode.Created, true), await CreateAsync(silo));
            await silo.KillAsync();
        }

        // Of an earlier day, and to be forgotten when a day's first answer is kept.
        string old = Path.Combine(folder.Path, "store", "once", "2026-01-01", "key.json");
        await using (SiloProcess silo = await SiloProcess.StartAsync(folder.Path, "--log", "Warning"))
        {
            Assert.Equal((HttpStatusCode.Created, true), await CreateAsync(silo));

            // The control: without a key one is told that it is there.
            Assert.Equal((HttpStatusCode.OK, false), await CreateAsync(silo, key: null));
            Directory.CreateDirectory(Path.GetDirectoryName(old)!);
            foreach (string swept in Directory.EnumerateFiles(Path.Combine(folder.Path, "store", "once"), "swept*", SearchOption.AllDirectories))
            {
                File.Delete(swept);
            }

            await File.WriteAllTextAsync(old, "{}");
            Assert.Equal((HttpStatusCode.OK, false), await CreateAsync(silo, "another"));
            Assert.False(File.Exists(old));
            Assert.Equal((HttpStatusCode.Created, true), await CreateAsync(silo));
        }
    }

    private static async Task<(HttpStatusCode Status, bool Replayed)> CreateAsync(SiloProcess silo, string? key = "a-key")
    {
        using var http = new HttpClient { BaseAddress = silo.Http };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/datasets", UriKind.Relative))
        {
            Content = new StringContent("""{"name":"digits"}""", Encoding.UTF8, "application/json"),
        };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using HttpResponseMessage answer = await http.SendAsync(request);
        return (answer.StatusCode, answer.Headers.Contains("Idempotency-Replayed"));
    }
}
