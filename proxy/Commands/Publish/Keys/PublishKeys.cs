using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore.Disk;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Keys;

/// <summary>
/// The keys of a repository in a folder, named as the usual server names them: <c>fqrn.pub</c> for clients, <c>fqrn.key</c> and
/// <c>fqrn.crt</c> to
/// sign revisions, <c>fqrn.masterkey</c> to sign the whitelist, which belongs on another machine.
/// </summary>
/// <param name="folder">The folder.</param>
/// <param name="fqrn">The repository.</param>
internal sealed class PublishKeys(string folder, string fqrn)
{
    private const int MasterBits = 4096;
    private const int SigningBits = 2048;

    /// <summary>The folder.</summary>
    public string Folder => folder;

    /// <summary>Public master key, for clients.</summary>
    public string PublicPath => PathOf("pub");

    /// <summary>Secret key that signs manifests.</summary>
    public string SigningPath => PathOf("key");

    /// <summary>Certificate of that key.</summary>
    public string CertificatePath => PathOf("crt");

    /// <summary>Secret master key, when it is kept here.</summary>
    public string MasterPath => PathOf("masterkey");

    /// <summary>A whitelist signed elsewhere, brought here.</summary>
    public string WhitelistPath => PathOf("whitelist");

    /// <summary>The public master key in PEM.</summary>
    /// <exception cref="PublishException">It is not here.</exception>
    public string ReadPublic() => Encoding.ASCII.GetString(Read(PublicPath));

    /// <summary>The certificate in PEM.</summary>
    /// <exception cref="PublishException">It is not here.</exception>
    public byte[] ReadCertificate() => Read(CertificatePath);

    /// <summary>DER form of a certificate in PEM.</summary>
    /// <exception cref="PublishException">It is none.</exception>
    public static byte[] DerOf(byte[] pem, string path)
    {
        string text = Encoding.Latin1.GetString(pem);
        return PemEncoding.TryFind(text, out PemFields fields) && text[fields.Label] == "CERTIFICATE"
            ? Convert.FromBase64String(text[fields.Base64Data])
            : throw new PublishException($"{path} is not a certificate in PEM.");
    }

    /// <summary>The key that signs manifests.</summary>
    /// <exception cref="PublishException">It is not here, or cannot be read.</exception>
    public RsaSigner ReadSigning() => ReadKey(SigningPath);

    /// <summary>A secret key in PEM.</summary>
    /// <exception cref="PublishException">It is not there, or cannot be read.</exception>
    public RsaSigner ReadKey(string path)
    {
        using RSA key = RSA.Create();
        try
        {
            key.ImportFromPem(Encoding.ASCII.GetString(Read(path)));
            return new RsaSigner(key);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            throw new PublishException($"{path} is not an RSA private key in PEM without a passphrase.");
        }
    }

    /// <summary>Makes new keys and a first whitelist.</summary>
    /// <param name="master">Where the secret master key goes.</param>
    /// <param name="now">The time.</param>
    /// <param name="validity">How long the whitelist is valid.</param>
    /// <param name="masterBits">Length of the master key.</param>
    /// <exception cref="PublishException">There are keys already.</exception>
    public void Create(string master, DateTimeOffset now, TimeSpan validity, int masterBits = MasterBits)
    {
        foreach (string path in (string[])[PublicPath, SigningPath, CertificatePath, MasterPath, master])
        {
            if (NamedPath.IsFile(path))
            {
                throw new PublishException(
                    $"{path} is there already: clients trust a repository by its keys, so they are not replaced. Move it away first.");
            }
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        using RSA masterKey = RSA.Create(masterBits);
        using RSA signing = RSA.Create(SigningBits);
        byte[] certificate = Encoding.ASCII.GetBytes(CertificateDraft.Create(Fqrn.Parse(fqrn), signing, now));
        WholeFile.Write(master, Pem(masterKey.ExportRSAPrivateKeyPem()), WholeFile.Secret);
        WholeFile.Write(SigningPath, Pem(signing.ExportRSAPrivateKeyPem()), WholeFile.Secret);
        WholeFile.Write(CertificatePath, certificate, WholeFile.Readable);
        WholeFile.Write(PublicPath, Pem(masterKey.ExportSubjectPublicKeyInfoPem()), WholeFile.Readable);
        byte[] whitelist = SignWhitelist(new RsaSigner(masterKey), [DerOf(certificate, CertificatePath)], now, validity);
        WholeFile.Write(WhitelistPath, whitelist, WholeFile.Readable);
    }

    /// <summary>Signs a whitelist.</summary>
    /// <param name="master">The master key.</param>
    /// <param name="certificates">DER forms of the certificates that may sign.</param>
    /// <param name="now">The time.</param>
    /// <param name="validity">How long it is valid.</param>
    public byte[] SignWhitelist(RsaSigner master, IReadOnlyList<byte[]> certificates, DateTimeOffset now, TimeSpan validity) =>
        new WhitelistDraft
        {
            RepositoryName = fqrn,
            CreatedAt = now,
            ExpiresAt = now + validity,
            Certificates = [.. certificates.Select(der => (ReadOnlyMemory<byte>)der)],
        }.Sign(master);

    /// <summary>
    /// Is it a whitelist of this repository by its master key, that lists the certificate here? Null: it is. Else why not.
    /// </summary>
    public string? Judge(byte[] whitelist, DateTimeOffset now)
    {
        if (!MasterKeys.Of(Fqrn.Parse(fqrn), ReadPublic()).TryGet(out MasterKeys? keys, out string? problem))
        {
            throw new PublishException($"{PublicPath}: {problem}");
        }

        TrustVerdict verdict = new RepositoryTrust(keys).JudgeWhitelist(Fqrn.Parse(fqrn), whitelist, now);
        return verdict.Outcome != TrustOutcome.Accepted ? verdict.Explanation
            : verdict.Whitelist!.Lists(DerOf(ReadCertificate(), CertificatePath)) ? null
            : $"It does not list the certificate {CertificatePath}.";
    }

    private static byte[] Pem(string text) => Encoding.ASCII.GetBytes(text + "\n");

    private byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PublishException(
                $"There is no {path}. Make keys with 'breakwater publish keys --new --repository {fqrn}', "
                    + "or name their folder with --keys.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PublishException($"{e.Message} Run this as the user who owns the keys.");
        }
    }

    private string PathOf(string extension) => Path.Combine(folder, $"{fqrn}.{extension}");
}
