using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace Shoal.Storage.Tests;

public sealed class BlobContainersTests
{
    [Theory]
    [InlineData("https://account.blob.core.windows.net", "https://account.blob.core.windows.net/shoal")]
    [InlineData("https://account.blob.core.windows.net/", "https://account.blob.core.windows.net/shoal")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=account;AccountKey=a2V5;EndpointSuffix=core.windows.net", "https://account.blob.core.windows.net/shoal")]
    [InlineData("AccountName=dev;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/dev;", "http://127.0.0.1:10000/dev/shoal")]
    public void An_account_is_named_by_its_address_or_by_a_connection_string(string account, string container)
    {
        Assert.Null(BlobContainers.Problem(account));
        Assert.Equal(container, BlobContainers.Client(account, "shoal").Uri.ToString());
    }

    [Theory]
    [InlineData("http://account.blob.core.windows.net")]
    [InlineData("file:///srv/blobs")]
    public void An_address_that_no_token_may_be_sent_to_is_refused(string account) =>
        Assert.Contains("https://ACCOUNT.blob.core.windows.net", BlobContainers.Problem(account), StringComparison.Ordinal);

    [Fact]
    public void No_account_is_no_problem() => Assert.Null(BlobContainers.Problem(null));

    [Fact]
    public async Task A_store_whose_identity_gets_no_token_is_away_and_says_what_to_do()
    {
        var store = new AzureBlobObjectStore(new BlobContainerClient(new Uri("https://127.0.0.1:1/shoal"), new NoToken()));

        StorageUnavailableException read = await Assert.ThrowsAsync<StorageUnavailableException>(() => store.GetAsync("a"));
        StorageUnavailableException append = await Assert.ThrowsAsync<StorageUnavailableException>(() => store.AppendAsync("a", 0, new byte[1]));

        Assert.StartsWith("Cannot read 'a': The federated token file is missing. Give this process an identity", read.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', append.Message);
        Assert.Equal((true, false), (append.OutcomeUnknown, read.OutcomeUnknown));
    }

    private sealed class NoToken : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new CredentialUnavailableException("The federated token file is missing.\r\n- and much more that was tried");

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new CredentialUnavailableException("The federated token file is missing.\r\n- and much more that was tried");
    }
}
