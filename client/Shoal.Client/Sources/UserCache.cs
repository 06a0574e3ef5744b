namespace Shoal.Client;

/// <summary>Where what is fetched for the user is kept: <c>$XDG_CACHE_HOME/shoal</c>, else <c>~/.cache/shoal</c>.</summary>
internal static class UserCache
{
    /// <summary>The path of one of its folders, which there need not be yet.</summary>
    /// <param name="name">The folder's name.</param>
    public static string Folder(string name)
    {
        var home = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(home, "shoal", name);
    }
}
