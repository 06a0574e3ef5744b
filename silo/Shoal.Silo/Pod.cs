namespace Shoal.Silo;

/// <summary>What Kubernetes puts into a pod whose service account may ask it about others.</summary>
internal static class Pod
{
    /// <summary>The folder of the service account.</summary>
    public const string Account = "/var/run/secrets/kubernetes.io/serviceaccount";

    private static readonly string[] Variables = ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"];
    private static readonly string[] Files = ["token", "ca.crt", "namespace"];

    /// <summary>What is missing here; null when nothing is.</summary>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <param name="exists">Whether there is a file.</param>
    public static string? Problem(Func<string, string?> variable, Func<string, bool> exists)
    {
        string[] missing =
        [
            .. Variables.Where(name => string.IsNullOrWhiteSpace(variable(name))).Select(name => $"the variable {name}"),
            .. Files.Select(name => $"{Account}/{name}").Where(file => !exists(file)).Select(file => $"the file {file}"),
        ];
        return missing.Length == 0
            ? null
            : $"--kubernetes is for a pod of Kubernetes with a service account's token (automountServiceAccountToken: true); missing here: {string.Join(", ", missing)}. Elsewhere leave it out.";
    }
}
