using System.Security.Claims;
using System.Security.Principal;
using Microsoft.Extensions.Time.Testing;
using Shoal.Client;
using Shoal.Contracts;

namespace Shoal.Web.Tests;

/// <summary>What the user of a connection may do after it was begun.</summary>
[Collection("access")]
public sealed class CallerRightsTests(WebFixture fixture)
{
    [Fact]
    public async Task A_connection_may_what_its_key_may_until_that_is_revoked()
    {
        var time = new FakeTimeProvider();
        await using var client = new ShoalClient(fixture.Silo.Client, new ShoalClientOptions { Retries = 0 });
        using var ring = new KeyRing(client, time);
        var finder = new CallerRightsFinder(ring);
        CreatedKey key = await client.CreateKeyAsync(new NewAccessKey
        {
            Name = "page",
            Scopes = [AccessScopes.Read, AccessScopes.Ingest],
            Datasets = ["yard"],
        });
        ClaimsPrincipal user = (await ring.FindAsync(AccessSecret.Parse(key.Secret)!, TestContext.Current.CancellationToken))!.User;

        CallerRights? rights = await finder.FindAsync(user, TestContext.Current.CancellationToken);
        Assert.Equal([AccessScopes.Ingest, AccessScopes.Read], rights!.Scopes.Order(StringComparer.Ordinal));
        Assert.Equal(["yard"], rights.Datasets);

        await client.RevokeKeyAsync(key.Key.Prefix);
        time.Advance(KeyRing.Lifetime);
        Assert.Null(await finder.FindAsync(user, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Who_is_not_known_may_nothing_whatever_its_name_and_where_nobody_is_asked_everyone_may_everything()
    {
        await using var client = new ShoalClient(fixture.Silo.Client, new ShoalClientOptions { Retries = 0 });
        using var ring = new KeyRing(client, TimeProvider.System);
        var finder = new CallerRightsFinder(ring);
        Assert.Null(await finder.FindAsync(new ClaimsPrincipal(), TestContext.Current.CancellationToken));
        Assert.Null(await finder.FindAsync(new ClaimsPrincipal(new GenericIdentity(Caller.Everyone.Id, nameof(Shoal))), TestContext.Current.CancellationToken));

        CallerRights? everyone = await finder.FindAsync(Caller.Everyone.User, TestContext.Current.CancellationToken);
        Assert.Equal(AccessScopes.All.Count, everyone?.Scopes.Count);
        Assert.Null(everyone!.Datasets);
    }
}
