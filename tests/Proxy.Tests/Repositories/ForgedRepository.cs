using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>A repository with master key, whitelist and certificate made on the spot.</summary>
internal sealed class ForgedRepository : IDisposable
{
    private readonly List<RSA> _keys = [];
    private readonly Forger _master;
    private readonly string _fingerprint;

    public ForgedRepository(string name, string whitelistExtra = "")
    {
        Name = name;
        RSA master = NewKey();
        OwnCertificate = Certificate(out Forger own);
        Own = own;
        _fingerprint = Fingerprint(OwnCertificate);
        _master = new Forger(master);
        Whitelist = WhitelistUntil("20271101000000", whitelistExtra);
        MasterKeyPem = master.ExportSubjectPublicKeyInfoPem();
        using var keys = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(keys.Path, name + ".pub"), MasterKeyPem);
        Trust = new RepositoryTrust(MasterKeys.Load(keys.Path));
    }

    public string Name { get; }

    public Forger Own { get; }

    public byte[] OwnCertificate { get; }

    public byte[] Whitelist { get; }

    public string MasterKeyPem { get; }

    public RepositoryTrust Trust { get; }

    /// <summary>A certificate object as on the wire, and the key that it certifies.</summary>
    public byte[] Certificate(out Forger forger)
    {
        RSA key = NewKey();
        forger = new Forger(key);
        var request = new CertificateRequest("CN=release manager", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        using var wire = new MemoryStream();
        using (var zlib = new ZLibStream(wire, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));
        }

        return wire.ToArray();
    }

    /// <summary>A whitelist that lists <see cref="OwnCertificate"/>.</summary>
    public byte[] WhitelistUntil(string expires, string extra = "") =>
        _master.SignWhitelist($"20261101000000\nE{expires}\nN{Name}\n{extra}{_fingerprint} # release manager\n");

    /// <summary>A whitelist made at a time, which lists these certificates.</summary>
    public byte[] WhitelistOf(string created, string expires, params IReadOnlyList<byte[]> certificates) =>
        _master.SignWhitelist($"{created}\nE{expires}\nN{Name}\n"
        + string.Concat(certificates.Select(certificate => Fingerprint(certificate) + "\n")));

    /// <summary>Where a Stratum 1 has a certificate.</summary>
    public string CertificateUrl(byte[] certificate) =>
        $"/cvmfs/{Name}/{new ObjectKey(SHA1.HashData(certificate), DigestAlgorithm.Sha1, ObjectKind.Certificate).ToPath()}";

    public string ManifestText(ulong revision, byte[] certificate) =>
        $"C{new string('a', 40)}\nB4096\nRd41d8cd98f00b204e9800998ecf8427e\nD240\nS{revision}\nGno\nAno\nN{Name}\n"
        + $"X{Convert.ToHexStringLower(SHA1.HashData(certificate))}\nT1795454721\n";

    public void Dispose()
    {
        _keys.ForEach(SpareKeys.Return);
        _keys.Clear();
    }

    private static string Fingerprint(byte[] certificate) => string.Join(
        ':',
        SHA1.HashData(Breakwater.Repositories.Certificate.Parse(certificate).Value!.Der.Span)
        .Select(part => part.ToString("X2", CultureInfo.InvariantCulture)));

    private RSA NewKey()
    {
        RSA key = SpareKeys.Take();
        _keys.Add(key);
        return key;
    }
}
