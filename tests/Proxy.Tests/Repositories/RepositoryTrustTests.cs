using System.Security.Cryptography;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Repositories;

public sealed class RepositoryTrustTests
{
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [MemberData(nameof(Fixture.All), MemberType = typeof(Fixture))]
    public void JudgeManifest_RealRepository_IsAccepted(string name)
    {
        Fixture fixture = Fixture.Load(name);

        TrustVerdict verdict = Judge(fixture);

        Assert.Equal(TrustReason.Verified, verdict.Reason);
        Assert.Equal(TrustOutcome.Accepted, verdict.Outcome);
        Assert.Equal(name, verdict.Manifest!.RepositoryName);
    }

    [Fact]
    public void JudgeManifest_BothRevisionsOfMinios_AreAccepted()
    {
        Fixture fixture = Fixture.Load("minios.example.org");

        Assert.Equal(1UL, Judge(fixture, ReadManifest("v1")).Manifest!.Revision);
        Assert.Equal(TrustReason.Verified, Judge(fixture, ReadManifest("v1")).Reason);
        Assert.Equal(TrustReason.Verified, Judge(fixture, ReadManifest("v2"), highestRevision: 1).Reason);
    }

    [Theory]
    [MemberData(nameof(Fixture.All), MemberType = typeof(Fixture))]
    public void JudgeManifest_AnyByteOfManifestFlipped_IsRefused(string name)
    {
        Fixture fixture = Fixture.Load(name);
        RepositoryTrust trust = new(fixture.Keys());
        ForEachFlip(fixture, fixture.ManifestBytes,
            flipped => trust.JudgeManifest(Fqrn.Parse(name), flipped, fixture.WhitelistBytes, fixture.CertificateBytes, Now, null));
    }

    [Theory]
    [MemberData(nameof(Fixture.All), MemberType = typeof(Fixture))]
    public void JudgeManifest_AnyByteOfWhitelistFlipped_IsRefused(string name)
    {
        Fixture fixture = Fixture.Load(name);
        RepositoryTrust trust = new(fixture.Keys());
        ForEachFlip(fixture, fixture.WhitelistBytes,
            flipped => trust.JudgeManifest(Fqrn.Parse(name), fixture.ManifestBytes, flipped, fixture.CertificateBytes, Now, null));
    }

    [Theory]
    [MemberData(nameof(Fixture.All), MemberType = typeof(Fixture))]
    public void JudgeManifest_AnyByteOfCertificateFlipped_IsRefused(string name)
    {
        Fixture fixture = Fixture.Load(name);
        RepositoryTrust trust = new(fixture.Keys());
        ForEachFlip(fixture, fixture.CertificateBytes,
            flipped => trust.JudgeManifest(Fqrn.Parse(name), fixture.ManifestBytes, fixture.WhitelistBytes, flipped, Now, null));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void JudgeManifest_ByteAddedOrMissingAtTheEnd_IsRefused(int change)
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        byte[] manifest = fixture.ManifestBytes;
        byte[] whitelist = fixture.WhitelistBytes;
        Array.Resize(ref manifest, manifest.Length + change);
        Array.Resize(ref whitelist, whitelist.Length + change);

        Assert.Equal(TrustReason.ManifestSignature, Judge(fixture, manifest).Reason);
        Assert.Equal(TrustReason.WhitelistSignature, Judge(fixture, whitelist: whitelist).Reason);
    }

    [Fact]
    public void JudgeManifest_ExpiredWhitelist_IsRefusedByName()
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        DateTimeOffset end = Whitelist.Parse(fixture.WhitelistBytes).Value!.ExpiresAt;

        Assert.Equal(TrustReason.Verified, Judge(fixture, now: end.AddSeconds(-1)).Reason);
        Assert.Equal(TrustReason.WhitelistExpired, Judge(fixture, now: end).Reason);
    }

    [Fact]
    public void WhitelistExpiresSoon_SevenDaysAhead_IsTold()
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        TrustVerdict verdict = Judge(fixture);
        DateTimeOffset end = verdict.Whitelist!.ExpiresAt;

        Assert.False(verdict.WhitelistExpiresSoon(end.AddDays(-7).AddSeconds(-1)));
        Assert.True(verdict.WhitelistExpiresSoon(end.AddDays(-7)));
    }

    [Fact]
    public void JudgeManifest_ManifestOfAnotherRepository_IsRefusedByName()
    {
        Fixture tiny = Fixture.Load("tiny.example.org");
        Fixture minios = Fixture.Load("minios.example.org");

        Assert.Equal(TrustReason.WrongName, Judge(tiny, minios.ManifestBytes).Reason);
        Assert.Equal(TrustReason.WrongName, Judge(tiny, whitelist: minios.WhitelistBytes).Reason);
    }

    [Fact]
    public void JudgeManifest_ForeignKey_IsRefusedByName()
    {
        Fixture tiny = Fixture.Load("tiny.example.org");
        using var keys = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(keys.Path, "tiny.example.org.pub"), Fixture.Load("minios.example.org").PublicKeyPem);

        TrustVerdict verdict = Judge(tiny, keys: MasterKeys.Load(keys.Path));

        Assert.Equal(TrustReason.WhitelistSignature, verdict.Reason);
    }

    [Fact]
    public void JudgeManifest_ForeignCertificate_IsRefusedByName()
    {
        // A manifest whose own certificate is sound but not in the whitelist: whoever owns that key wants to speak for the repository.
        using var forged = new ForgedRepository("tiny.example.org");
        byte[] foreign = forged.Certificate(out Forger stranger);
        byte[] manifest = stranger.SignManifest(forged.ManifestText(revision: 9, foreign));

        Assert.Equal(TrustReason.CertificateNotListed,
            forged.Trust.JudgeManifest(Fqrn.Parse(forged.Name), manifest, forged.Whitelist, foreign, Now, null).Reason);
    }

    [Fact]
    public void JudgeManifest_SignedByAnotherKeyThanTheCertificateNamed_IsRefusedByName()
    {
        using var forged = new ForgedRepository("tiny.example.org");
        forged.Certificate(out Forger stranger);
        byte[] manifest = stranger.SignManifest(forged.ManifestText(revision: 9, forged.OwnCertificate));

        Assert.Equal(
            TrustReason.ManifestSignature,
            forged.Trust.JudgeManifest(Fqrn.Parse(forged.Name), manifest, forged.Whitelist, forged.OwnCertificate, Now, null).Reason);
    }

    [Fact]
    public void JudgeManifest_CertificateOfAnotherRepository_IsRefusedByItsHash()
    {
        Fixture tiny = Fixture.Load("tiny.example.org");
        byte[] other = Fixture.Load("minios.example.org").CertificateBytes;

        TrustVerdict verdict =
            new RepositoryTrust(tiny.Keys()).JudgeManifest(tiny.Fqrn, tiny.ManifestBytes, tiny.WhitelistBytes, other, Now, null);

        Assert.Equal(TrustReason.CertificateHash, verdict.Reason);
    }

    [Fact]
    public void JudgeManifest_NoCertificateAtHand_SaysWhichOneItNeeds()
    {
        Fixture tiny = Fixture.Load("tiny.example.org");

        TrustVerdict verdict =
            new RepositoryTrust(tiny.Keys()).JudgeManifest(tiny.Fqrn, tiny.ManifestBytes, tiny.WhitelistBytes, null, Now, null);

        Assert.Equal(TrustReason.CertificateMissing, verdict.Reason);
        Assert.True(tiny.Has(verdict.Manifest!.Certificate!.Value));
    }

    [Fact]
    public void JudgeManifest_LowerRevision_IsRefusedByNameUnlessAllowed()
    {
        Fixture minios = Fixture.Load("minios.example.org");
        byte[] old = ReadManifest("v1");
        RepositoryTrust trust = new(minios.Keys());

        Assert.Equal(TrustReason.RevisionWentBack, Judge(minios, old, highestRevision: 2).Reason);
        Assert.Equal(TrustReason.Verified, Judge(minios, old, highestRevision: 1).Reason);
        Assert.Equal(
            TrustReason.Verified,
            trust.JudgeManifest(minios.Fqrn, old, minios.WhitelistBytes, minios.CertificateBytes, Now, 2, rollbackFloor: 1).Reason);
    }

    [Fact]
    public void JudgeManifest_NoKey_IsUnverifiedAndHasNoRatchet()
    {
        Fixture minios = Fixture.Load("minios.example.org");
        RepositoryTrust trust = new(MasterKeys.None);

        TrustVerdict verdict = trust.JudgeManifest(minios.Fqrn, ReadManifest("v1"), minios.WhitelistBytes, null, Now, highestRevision: 99);

        Assert.Equal(TrustOutcome.Unverified, verdict.Outcome);
        Assert.Equal(TrustReason.NoKey, verdict.Reason);
        Assert.Equal(TrustReason.ManifestMalformed,
            trust.JudgeManifest(minios.Fqrn, "<html>"u8.ToArray(), minios.WhitelistBytes, null, Now, null).Reason);
        Assert.Equal(TrustReason.WhitelistMalformed,
            trust.JudgeManifest(minios.Fqrn, ReadManifest("v1"), "<html>"u8.ToArray(), null, Now, null).Reason);
        Assert.Equal(TrustOutcome.Unverified, trust.JudgeManifest(minios.Fqrn, ReadManifest("v1"), default, null, Now, null).Outcome);
    }

    [Fact]
    public void JudgeManifest_OnlyUnreadableKeys_IsRefusedRatherThanUnverified()
    {
        Fixture tiny = Fixture.Load("tiny.example.org");
        using var keys = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(keys.Path, "tiny.example.org.pub"), "no key");

        MasterKeys loaded = MasterKeys.Load(keys.Path);

        Assert.Equal(TrustReason.KeysUnreadable, Judge(tiny, keys: loaded).Reason);
        Assert.Contains("tiny.example.org.pub", Assert.Single(loaded.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void JudgeManifest_WhitelistThatWantsPkcs7_IsRefusedByName()
    {
        using var forged = new ForgedRepository("tiny.example.org", whitelistExtra: "Vpkcs7\n");

        byte[] manifest = forged.Own.SignManifest(forged.ManifestText(1, forged.OwnCertificate));

        Assert.Equal(
            TrustReason.WhitelistWantsPkcs7,
            forged.Trust.JudgeManifest(Fqrn.Parse(forged.Name), manifest, forged.Whitelist, forged.OwnCertificate, Now, null).Reason);
    }

    [Fact]
    public void JudgeManifest_DomainKeysWithRotation_OneThatFitsIsEnough()
    {
        Fixture tiny = Fixture.Load("tiny.example.org");
        using var keys = new TemporaryDirectory();
        Directory.CreateDirectory(Path.Combine(keys.Path, "example.org"));
        File.WriteAllText(Path.Combine(keys.Path, "example.org", "old.pub"), Fixture.Load("rmd.example.org").PublicKeyPem);
        File.WriteAllText(Path.Combine(keys.Path, "example.org", "current.pub"), tiny.PublicKeyPem);

        MasterKeys loaded = MasterKeys.Load(keys.Path);

        Assert.Equal(TrustReason.Verified, Judge(tiny, keys: loaded).Reason);
        Assert.Equal(2, loaded.For(Fqrn.Parse("other.example.org"))!.Count);
        Assert.Null(loaded.For(Fqrn.Parse("tiny.example.com")));
    }

    [Fact]
    public void SignsRaw_PaddingThatALenientReaderWouldTake_IsRefused()
    {
        // Bleichenbacher 2006: a short run of ff, then the text, then anything. With exponent 3 such a block can be made without the key;
        // here the key makes it, and the verifier must still say no.
        using RSA key = RSA.Create(2048);
        RSAParameters secret = key.ExportParameters(true);
        RsaSignature verifier = RsaSignature.FromKey(key).Value!;
        byte[] text = "0123456789012345678901234567890123456789"u8.ToArray();
        byte[] good = Forger.PadType1(text, 256);
        byte[] shortRun = new byte[256];
        good.AsSpan(0, 10).CopyTo(shortRun);
        text.CopyTo(shortRun.AsSpan(11));
        byte[] type2 = [.. good];
        type2[1] = 2;

        Assert.True(verifier.SignsRaw(text, Forger.RawRsa(secret, good)));
        Assert.False(verifier.SignsRaw(text, Forger.RawRsa(secret, shortRun)));
        Assert.False(verifier.SignsRaw(text, Forger.RawRsa(secret, type2)));
        Assert.False(verifier.SignsSha1(text, Forger.RawRsa(secret, good)));
        Assert.True(verifier.SignsSha1(text, key.SignData(text, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1)));
        Assert.False(verifier.SignsSha1(text, key.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
    }

    private static byte[] ReadManifest(string revision) =>
        File.ReadAllBytes(Path.Combine(Fixture.Directory, "minios", "cvmfspublished." + revision));

    private static TrustVerdict Judge(
        Fixture fixture,
        byte[]? manifest = null,
        byte[]? whitelist = null,
        ulong? highestRevision = null,
        DateTimeOffset? now = null,
        MasterKeys? keys = null) =>
        new RepositoryTrust(keys ?? fixture.Keys()).JudgeManifest(
            fixture.Fqrn,
            manifest ?? fixture.ManifestBytes,
            whitelist ?? fixture.WhitelistBytes,
            fixture.CertificateBytes,
            now ?? Now,
            highestRevision);

    /// <summary>Every bit of one repository's documents; of the others, which differ in the hash, one bit of every byte.</summary>
    private static void ForEachFlip(Fixture fixture, byte[] original, Func<byte[], TrustVerdict> judge) =>
        Parallel.For(0, original.Length * 8, bit =>
    {
        int index = bit / 8;
        if (bit % 8 != index % 8 && fixture.Name != "shake.example.org")
        {
            return;
        }

        byte[] flipped = [.. original];
        flipped[index] ^= (byte)(1 << (bit % 8));
        TrustVerdict verdict = judge(flipped);
        Assert.True(verdict.Outcome == TrustOutcome.Refused, $"bit {bit % 8} of byte {index} was {verdict.Outcome}");
    });
}
