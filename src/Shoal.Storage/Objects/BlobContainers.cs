using Azure;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace Shoal.Storage;

/// <summary>Opens blob containers of a storage account that is named by a connection string, or by its address alone.</summary>
/// <remarks>By its address it is entered with the identity that the process has: in a pod with workload identity, on a machine of Azure, or as whoever is logged in with <c>az</c>.</remarks>
public static class BlobContainers
{
    /// <summary>What is wrong with the name of an account; null when nothing is.</summary>
    /// <param name="account">A connection string, or an address.</param>
    public static string? Problem(string? account) =>
        Uri.TryCreate(account, UriKind.Absolute, out Uri? address) && !string.Equals(address.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal)
            ? $"'{account}' is no storage account: its address is like https://ACCOUNT.blob.core.windows.net, and with a key it is a connection string."
            : null;

    /// <summary>Opens a container, made when it is missing.</summary>
    /// <param name="account">The account's connection string, or its address.</param>
    /// <param name="name">The container's name.</param>
    /// <exception cref="StorageUnavailableException">The account does not answer, or does not let this process in.</exception>
    /// <exception cref="FormatException">It is no connection string.</exception>
    public static IObjectStore Open(string account, string name)
    {
        BlobContainerClient container = Client(account, name);
        try
        {
            container.CreateIfNotExists();
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or AuthenticationFailedException)
        {
            var why = (e as RequestFailedException)?.ErrorCode ?? AzureBlobObjectStore.FirstLine(e).TrimEnd('.');
            throw new StorageUnavailableException($"The container '{name}' cannot be opened: {why}. {AzureBlobObjectStore.Remedy(e)}.", e, outcomeUnknown: false);
        }

        return new AzureBlobObjectStore(container);
    }

    /// <summary>The client of a container.</summary>
    /// <param name="account">The account's connection string, or its address.</param>
    /// <param name="name">The container's name.</param>
    internal static BlobContainerClient Client(string account, string name)
    {
        // A store that does not answer must be known to be away before the caller's own time is up.
        var options = new BlobClientOptions
        {
            Retry = { MaxRetries = 1, Delay = TimeSpan.FromMilliseconds(300), MaxDelay = TimeSpan.FromSeconds(2), NetworkTimeout = TimeSpan.FromSeconds(5) },
        };
        return Uri.TryCreate(account, UriKind.Absolute, out Uri? address)
            ? new BlobServiceClient(address, new DefaultAzureCredential(), options).GetBlobContainerClient(name)
            : new BlobContainerClient(account, name, options);
    }
}
