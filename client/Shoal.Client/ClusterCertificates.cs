using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orleans.Connections.Security;
using Shoal.Contracts;

namespace Shoal.Client;

/// <summary>The certificates by which the members of a cluster and its clients know each other.</summary>
/// <remarks>
/// Every connection is encrypted, and both sides show a certificate of the one authority; what it names is not looked at, since silos are
/// known by addresses that change. The files have the names that Kubernetes gives to secrets of the kind <c>tls</c>.
/// </remarks>
public sealed class ClusterCertificates
{
    private const string AuthorityFile = "ca.crt";
    private const string CertificateFile = "tls.crt";
    private const string KeyFile = "tls.key";

    private readonly X509Certificate2Collection _authorities = [];
    private readonly X509Certificate2 _own;

    private ClusterCertificates(string folder)
    {
        _authorities.ImportFromPemFile(Path.Combine(folder, AuthorityFile));
        _own = X509Certificate2.CreateFromPemFile(Path.Combine(folder, CertificateFile), Path.Combine(folder, KeyFile));
    }

    /// <summary>Reads <c>ca.crt</c>, <c>tls.crt</c> and <c>tls.key</c>, all PEM.</summary>
    /// <param name="folder">The folder that they are in.</param>
    /// <exception cref="ShoalException">Invalid: a file is missing or no certificate; the message says which.</exception>
    public static ClusterCertificates Load(string folder)
    {
        try
        {
            return new ClusterCertificates(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ShoalException(
                ShoalErrorKind.Invalid, $"'{folder}' must hold {AuthorityFile}, {CertificateFile} and {KeyFile} in PEM (infra/test-certificates.sh makes some for a trial): {e.Message}", e);
        }
    }

    /// <summary>Shows the own certificate, and takes others only with one of the same authority.</summary>
    /// <param name="options">What to set.</param>
    public void Apply(TlsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.LocalCertificate = _own;
        options.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.RemoteCertificateValidation = (certificate, chain, _) => IsMember(certificate, chain);
        options.OnAuthenticateAsClient = (_, client) => client.TargetHost = "shoal";
    }

    private bool IsMember(X509Certificate2 certificate, X509Chain? sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (X509ChainElement element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return chain.Build(certificate);
    }
}
