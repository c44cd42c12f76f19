using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;
using CsCheck;

namespace Breakwater.Proxy.Tests.Repositories.Writing;

/// <summary>What is signed here is what our own strict reader takes, and no other bytes are.</summary>
public sealed class SignedWriterTests : IDisposable
{
    private const string Name = "os.lab.example";
    private static readonly Fqrn s_fqrn = Fqrn.Parse(Name);
    private static readonly DateTimeOffset s_now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<ObjectKey> s_digest = Gen.Byte.Array[20].Select(digest => new ObjectKey(digest, DigestAlgorithm.Sha1, 0));

    private static readonly Gen<ManifestDraft> s_manifest = Gen.Select(
        s_digest, s_digest, s_digest, Gen.Select(s_digest, Gen.Bool, (key, has) => has ? key : (ObjectKey?)null),
        Gen.ULong[0, long.MaxValue], Gen.Int[1, 1 << 30], Gen.Long[0, 1L << 33],
        (root, certificate, history, metainfo, revision, ttl, time) => new ManifestDraft
        {
            RepositoryName = Name,
            Revision = revision,
            RootCatalog = Kind(root, 'C'),
            RootCatalogBytes = 4096,
            Ttl = TimeSpan.FromSeconds(Math.Min(ttl, 86400 * 3650)),
            Certificate = Kind(certificate, 'X'),
            History = Kind(history, 'H'),
            Metainfo = metainfo is { } key ? Kind(key, 'M') : null,
            ReflogSha1 = new string('a', 40),
            PublishedAt = DateTimeOffset.FromUnixTimeSeconds(time),
        });

    private readonly RSA _master = SpareKeys.Take();
    private readonly RSA _signing = SpareKeys.Take();

    public void Dispose()
    {
        SpareKeys.Return(_master);
        SpareKeys.Return(_signing);
    }

    [Fact]
    public void Manifest_AnyDraft_IsReadAsWritten()
    {
        var signer = new RsaSigner(_signing);
        s_manifest.Sample(
            draft =>
            {
                Manifest read = Manifest.Parse(draft.Sign(signer)).Value!;
                Assert.Equal(draft.RepositoryName, read.RepositoryName);
                Assert.Equal(draft.Revision, read.Revision);
                Assert.Equal(draft.RootCatalog, read.RootCatalog);
                Assert.Equal(draft.Ttl, read.Ttl);
                Assert.Equal(draft.Certificate, read.Certificate);
                Assert.Equal(draft.History, read.History);
                Assert.Equal(draft.Metainfo, read.Metainfo);
                Assert.Equal(draft.PublishedAt, read.PublishedAt);
                Assert.True(read.IsGarbageCollectable);
                Assert.False(read.HasAlternativeCatalogPath);
                Assert.True(RsaSignature.FromKey(_signing).Value!.SignsSha1(read.Envelope.HashLine.Span, read.Envelope.Signature.Span));
            },
            iter: 20);
    }

    [Fact]
    public void Manifest_LinesOfARealServer_AreWrittenInTheSameOrderAndForm()
    {
        Fixture tiny = Fixture.Load("tiny.example.org");
        Manifest real = tiny.Manifest;
        byte[] written = new ManifestDraft
        {
            RepositoryName = real.RepositoryName,
            Revision = real.Revision,
            RootCatalog = real.RootCatalog,
            RootCatalogBytes = 57344,
            Ttl = real.Ttl,
            Certificate = real.Certificate!.Value,
            History = real.History!.Value,
            Metainfo = real.Metainfo,
            ReflogSha1 = real.Envelope.Lines.Single(line => line[0] == 'Y')[1..],
            PublishedAt = real.PublishedAt!.Value,
        }.Sign(new RsaSigner(_signing));

        // The fixture was made without garbage collection, the one difference.
        Assert.Equal(real.Envelope.Lines.Select(line => line == "Gno" ? "Gyes" : line), Manifest.Parse(written).Value!.Envelope.Lines);
    }

    [Fact]
    public void Whitelist_LinesOfARealServer_AreWrittenInTheSameForm()
    {
        Whitelist real = Whitelist.Parse(Fixture.Load("tiny.example.org").WhitelistBytes).Value!;
        var draft = new WhitelistDraft
        {
            RepositoryName = real.RepositoryName,
            CreatedAt = real.CreatedAt,
            ExpiresAt = real.ExpiresAt,
            Certificates = [Certificate.Parse(Fixture.Load("tiny.example.org").CertificateBytes).Value!.Der],
        };
        Assert.Equal(
            real.Envelope.Lines.Select(line => line.Split(' ')[0]),
            Whitelist.Parse(draft.Sign(new RsaSigner(_master))).Value!.Envelope.Lines);
    }

    [Fact]
    public void Chain_MadeHere_IsAcceptedByTheReader_AndNotWithAnotherKey()
    {
        byte[] certificate = CertificateObject(_signing, out ReadOnlyMemory<byte> der);
        var key = new ObjectKey(SHA1.HashData(certificate), DigestAlgorithm.Sha1, ObjectKind.Certificate);
        byte[] whitelist = WhitelistOf(s_now.AddDays(30), der).Sign(new RsaSigner(_master));
        byte[] manifest = s_manifest.Single() is { } any ? (any with { Certificate = key }).Sign(new RsaSigner(_signing)) : [];
        RepositoryTrust trust = TrustIn(_master);

        Assert.Equal(TrustReason.Verified, trust.JudgeManifest(s_fqrn, manifest, whitelist, certificate, s_now, null).Reason);
        Assert.Equal(
            TrustReason.WhitelistExpired, trust.JudgeManifest(s_fqrn, manifest, whitelist, certificate, s_now.AddDays(31), null).Reason);
        Assert.Equal(
            TrustReason.WhitelistSignature, TrustIn(_signing).JudgeManifest(s_fqrn, manifest, whitelist, certificate, s_now, null).Reason);
        byte[] signedByMaster = (Manifest.Parse(manifest).Value is { } parsed ? Draft(parsed, key) : throw new InvalidOperationException())
            .Sign(new RsaSigner(_master));
        Assert.Equal(
            TrustReason.ManifestSignature, trust.JudgeManifest(s_fqrn, signedByMaster, whitelist, certificate, s_now, null).Reason);
    }

    [Fact]
    public void Whitelist_SeveralCertificates_AllAreListed()
    {
        using RSA next = RSA.Create(2048);
        CertificateObject(_signing, out ReadOnlyMemory<byte> first);
        CertificateObject(next, out ReadOnlyMemory<byte> second);
        Whitelist read = Whitelist.Parse(WhitelistOf(s_now.AddDays(1), first, second).Sign(new RsaSigner(_master))).Value!;
        Assert.True(read.Lists(first.Span));
        Assert.True(read.Lists(second.Span));
        Assert.Equal((s_now, s_now.AddDays(1)), (read.CreatedAt, read.ExpiresAt));
    }

    [Fact]
    public void Signatures_OfBothKinds_AreThoseOfTheLibraryAndOfThePadding()
    {
        byte[] text = Encoding.ASCII.GetBytes(new string('7', 40));
        byte[] sha1 = new RsaSigner(_signing).SignSha1(text);
        Assert.Equal(_signing.SignData(text, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1), sha1);
        byte[] raw = new RsaSigner(_master).SignRaw(text);
        Assert.Equal(Forger.RawRsa(_master.ExportParameters(true), Forger.PadType1(text, 256)), raw);
        Assert.True(RsaSignature.FromKey(_master).Value!.SignsRaw(text, raw));
        Assert.False(RsaSignature.FromKey(_master).Value!.SignsRaw([.. text[..^1], (byte)'8'], raw));
    }

    private static WhitelistDraft WhitelistOf(DateTimeOffset expires, params ReadOnlyMemory<byte>[] certificates) =>
        new() { RepositoryName = Name, CreatedAt = s_now, ExpiresAt = expires, Certificates = certificates };

    private static byte[] CertificateObject(RSA key, out ReadOnlyMemory<byte> der)
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("pem");
        File.WriteAllText(file, CertificateDraft.Create(s_fqrn, key, s_now));
        byte[] wire = WrittenDatabase.Wire(file).ToArray();
        der = Certificate.Parse(wire).Value!.Der;
        return wire;
    }

    private static RepositoryTrust TrustIn(RSA master) => new(MasterKeys.Of(s_fqrn, master.ExportSubjectPublicKeyInfoPem()).Value!);

    private static ManifestDraft Draft(Manifest manifest, ObjectKey certificate) => new()
    {
        RepositoryName = manifest.RepositoryName,
        Revision = manifest.Revision,
        RootCatalog = manifest.RootCatalog,
        RootCatalogBytes = 4096,
        Ttl = manifest.Ttl,
        Certificate = certificate,
        History = manifest.History!.Value,
        PublishedAt = manifest.PublishedAt!.Value,
    };

    private static ObjectKey Kind(ObjectKey digest, char kind)
    {
        byte[] bytes = new byte[20];
        digest.CopyDigestTo(bytes);
        return new ObjectKey(bytes, DigestAlgorithm.Sha1, (ObjectKind)kind);
    }
}
