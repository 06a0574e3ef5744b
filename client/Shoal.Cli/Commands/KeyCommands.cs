using System.CommandLine;
using Shoal.Client;
using Shoal.Contracts;
using Shoal.Rendering;
using Spectre.Console;

namespace Shoal.Cli;

/// <summary>What <c>--json</c> prints when a key was revoked.</summary>
/// <param name="Prefix">The key's prefix.</param>
internal sealed record KeyRevoked(string Prefix);

/// <summary>Creates, lists and revokes keys of the HTTP API.</summary>
internal static class KeyCommands
{
    public static Command Key(SharedOptions shared, CliSurroundings surroundings) => new("key", "Create, list and revoke keys of the HTTP API.")
    {
        Create(shared, surroundings),
        List(shared, surroundings),
        Revoke(shared, surroundings),
    };

    private static Command Create(SharedOptions shared, CliSurroundings surroundings)
    {
        var name = new Argument<string>("NAME") { Description = "Whose it is." };
        var scopes = new Option<string[]>("--scope") { Description = "What it may do: ingest, read or manage; may be repeated.", Required = true };
        var datasets = new Option<string[]>("--dataset") { Description = "A dataset that it is for; may be repeated. Every one unless given." };
        var days = new Option<double?>("--days") { Description = "Days until it ends; it does not unless given." };
        var second = new Option<int?>("--per-second") { Description = "Requests a second that each gateway takes of it; 100 unless given." };
        var day = new Option<int?>("--per-day") { Description = "Requests in 24 hours that each gateway takes of it; no limit unless given." };
        var command = new Command("create", "Create a key, and print it: this once, since it is kept nowhere.") { name, scopes, datasets, days, second, day };
        return Session.Runs(command, shared, surroundings, async (session, parsed, token) =>
        {
            var wanted = new NewAccessKey
            {
                Name = parsed.GetValue(name)!,
                Scopes = Distinct(parsed.GetValue(scopes)),
                Datasets = Distinct(parsed.GetValue(datasets)),
                Days = parsed.GetValue(days),
                RequestsPerDay = parsed.GetValue(day) ?? 0,
            };
            if (parsed.GetValue(second) is { } rate)
            {
                wanted = wanted with { RequestsPerSecond = rate };
            }

            CreatedKey created = await session.Client.CreateKeyAsync(wanted, token);
            await session.ShowAsync(created, static made => new Text($"{made.Secret}\nKey {made.Key.Prefix}, shown this once. Send it as: Authorization: Bearer KEY"));
            return ExitCodes.Success;
        });
    }

    private static Command List(SharedOptions shared, CliSurroundings surroundings) =>
        Session.Runs(new Command("list", "List keys by their prefixes; their secrets are kept nowhere."), shared, surroundings, async (session, _, token) =>
        {
            await session.ShowAsync(await session.Client.ListKeysAsync(token), keys => AccessViews.Keys(keys, surroundings.Time.GetUtcNow()));
            return ExitCodes.Success;
        });

    private static Command Revoke(SharedOptions shared, CliSurroundings surroundings)
    {
        var prefix = new Argument<string>("PREFIX") { Description = "The key's prefix, as 'key list' shows it." };
        return Session.Runs(new Command("revoke", "Revoke a key: it is refused within five seconds.") { prefix }, shared, surroundings, async (session, parsed, token) =>
        {
            // Who has the whole key at hand may give that: the rest is dropped here.
            string given = parsed.GetValue(prefix)!;
            var revoked = new KeyRevoked(AccessSecret.Parse(given)?.Prefix ?? given);
            await session.Client.RevokeKeyAsync(revoked.Prefix, token);
            await session.ShowAsync(revoked, static said => new Text($"Key {said.Prefix}: revoked."));
            return ExitCodes.Success;
        });
    }

    private static string[] Distinct(string[]? given) => [.. (given ?? []).Distinct(StringComparer.Ordinal)];
}
