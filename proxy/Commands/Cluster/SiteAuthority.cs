using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Breakwater.CacheStore.Disk;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Cluster;

/// <summary>
/// The certificates of a site's nodes in a folder: <c>site-ca.pem</c>, the authority, of which there may be an old one behind the new one;
/// <c>site-ca.key</c>, its private key, which may be elsewhere; <c>NODE.pem</c>, a node's certificate with its private key. Private keys
/// are readable by their owner alone. Each file is there as a whole or not at all.
/// </summary>
/// <param name="folder">The folder; made when it is not there.</param>
/// <param name="key">Path of the authority's private key; null: in the folder.</param>
/// <param name="time">The clock.</param>
internal sealed class SiteAuthority(string folder, string? key, TimeProvider time)
{
    private const int SerialBytes = 16;
    private static readonly TimeSpan s_authorityValidity = TimeSpan.FromDays(3650);

    /// <summary>A node whose clock is behind takes a new certificate all the same.</summary>
    private static readonly TimeSpan s_backdated = TimeSpan.FromDays(2);

    /// <summary>The authority's certificate.</summary>
    public string CertificatePath => Path.Combine(folder, "site-ca.pem");

    /// <summary>The authority's private key.</summary>
    public string KeyPath => key ?? Path.Combine(folder, "site-ca.key");

    /// <summary>Is it a node's id that a certificate can carry?</summary>
    public static bool IsNodeName(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_')
        && Array.TrueForAll(name.Split('.'), label => label.Length is > 0 and <= 63) && name != "site-ca";

    /// <summary>Makes the authority, if there is none yet, or a new one beside it.</summary>
    /// <exception cref="IOException">It is there by half, or the disk refuses.</exception>
    public WrittenCertificate Prepare(bool isNewWanted)
    {
        MakeFolder();
        string before = NamedPath.IsFile(CertificatePath) ? File.ReadAllText(CertificatePath) : "";
        if (before.Length > 0 && !isNewWanted)
        {
            using X509Certificate2 there = ReadAuthority();
            return new WrittenCertificate(NameOf(there), CertificatePath, there.NotAfter.ToUniversalTime(), false);
        }

        if (before.Length == 0 && NamedPath.IsFile(KeyPath))
        {
            throw new IOException($"{KeyPath} is there and {CertificatePath} is not: bring the authority's certificate back, or move the "
                + $"key away to begin anew with certificates that no running node takes.");
        }

        using ECDsa pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = time.GetUtcNow();
        var request = new CertificateRequest(
            $"CN=Breakwater site {now.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture)}",
            pair,
            HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using X509Certificate2 made = request.CreateSelfSigned(now - s_backdated, now + s_authorityValidity);

        // The key first: a certificate without its key could make nothing. What was trusted stays so behind the new one.
        WholeFile.Write(KeyPath, Encoding.ASCII.GetBytes(pair.ExportPkcs8PrivateKeyPem() + "\n"), WholeFile.Secret);
        WholeFile.Write(CertificatePath, Encoding.ASCII.GetBytes(made.ExportCertificatePem() + "\n" + StillValid(before)),
            WholeFile.Readable);
        return new WrittenCertificate(NameOf(made), CertificatePath, made.NotAfter.ToUniversalTime(), true);
    }

    /// <summary>Makes a node's certificate, if there is none of this authority that is good for a while.</summary>
    /// <param name="node">The node's id.</param>
    /// <param name="validity">How long it is valid.</param>
    /// <param name="renew">Make it whatever the one that is there has left.</param>
    /// <exception cref="IOException">The authority's key is not there, is open to others, or the disk refuses.</exception>
    public WrittenCertificate Issue(string node, TimeSpan validity, bool renew)
    {
        string path = Path.Combine(folder, node + ".pem");
        using X509Certificate2 authority = ReadAuthority();
        if (!renew && EndOf(path, node, authority, validity) is { } end)
        {
            return new WrittenCertificate(node, path, end, false);
        }

        using ECDsa signing = ReadKey(authority);
        using ECDsa pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={node}", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(node);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false)); // TLS as server and as client
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset authorityEnd = authority.NotAfter.ToUniversalTime();
        if (authorityEnd <= now + TimeSpan.FromDays(1))
        {
            throw new IOException($"The authority in {CertificatePath} ends at {authorityEnd:u}: make a new one with --new-authority.");
        }

        DateTimeOffset begin = now - s_backdated;
        DateTimeOffset authorityBegin = authority.NotBefore.ToUniversalTime();
        DateTimeOffset until = now + validity < authorityEnd ? now + validity : authorityEnd;
        using X509Certificate2 made = request.Create(
            authority.SubjectName, X509SignatureGenerator.CreateForECDsa(signing), begin > authorityBegin ? begin : authorityBegin, until,
            RandomNumberGenerator.GetBytes(SerialBytes));
        string text = made.ExportCertificatePem() + "\n" + pair.ExportPkcs8PrivateKeyPem() + "\n";
        WholeFile.Write(path, Encoding.ASCII.GetBytes(text), WholeFile.Secret);
        return new WrittenCertificate(node, path, made.NotAfter.ToUniversalTime(), true);
    }

    /// <summary>When the certificate that is there ends; null: it is not good enough to be left.</summary>
    private DateTimeOffset? EndOf(string path, string node, X509Certificate2 authority, TimeSpan validity)
    {
        if (!NamedPath.IsFile(path))
        {
            return null;
        }

        try
        {
            using var there = X509Certificate2.CreateFromPemFile(path, path);
            DateTimeOffset end = there.NotAfter.ToUniversalTime();
            return NameOf(there) == node && there.Issuer == authority.Subject && end - time.GetUtcNow() > validity / 3 ? end : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private X509Certificate2 ReadAuthority()
    {
        try
        {
            return X509Certificate2.CreateFromPem(File.ReadAllText(CertificatePath));
        }
        catch (CryptographicException)
        {
            throw new IOException($"{CertificatePath} is not a certificate in PEM.");
        }
    }

    private ECDsa ReadKey(X509Certificate2 authority)
    {
        if (!NamedPath.IsFile(KeyPath))
        {
            throw new IOException($"The authority's private key is not at {KeyPath}: name it with --authority-key.");
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(KeyPath) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0)
        {
            throw new IOException($"{KeyPath} is open to others than its owner: chmod 600 it.");
        }

        ECDsa read = ECDsa.Create();
        try
        {
            read.ImportFromPem(File.ReadAllText(KeyPath));
            using ECDsa? wanted = authority.GetECDsaPublicKey();
            return wanted is not null && read.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(wanted.ExportSubjectPublicKeyInfo())
                ? read
                : throw new IOException($"{KeyPath} is not the key of the first certificate in {CertificatePath}.");
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            throw new IOException($"{KeyPath} is not a private key in PEM without a passphrase.");
        }
    }

    private string StillValid(string pem)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            throw new IOException($"{CertificatePath} is not a certificate in PEM.");
        }

        DateTimeOffset now = time.GetUtcNow();
        return string.Concat(all.Where(one => one.NotAfter.ToUniversalTime() > now).Select(one => one.ExportCertificatePem() + "\n"));
    }

    private void MakeFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else if (!NamedPath.IsFolder(folder))
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static string NameOf(X509Certificate2 certificate) => certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
}
