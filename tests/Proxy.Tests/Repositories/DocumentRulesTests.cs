using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>What the signed documents, certificates and keys may have, on both sides of each limit.</summary>
public sealed class DocumentRulesTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef01234567";
    private const string ManifestText = "C" + Hash + "\nB1\nRd41d8cd98f00b204e9800998ecf8427e\nD240\nS7\nNa.b\n";
    private const string WhitelistText = "20261101000000\nE20271101000000\nNa.b\n";
    private const string Printed = "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67";

    [Theory]
    [InlineData("", "", null)]
    [InlineData("Na.b", "N", "Manifest: the repository's name (N) is missing.")]
    [InlineData("Na.b\n", "", "Manifest: the repository's name (N) is missing.")]
    [InlineData("C" + Hash, "C" + Hash + "C", "Manifest: the root catalog (C) is missing or is not a hash.")]
    [InlineData("C" + Hash, "C", "Manifest: the root catalog (C) is missing or is not a hash.")]
    [InlineData("C" + Hash, "C" + Hash + "-rmd160", null)]
    [InlineData("C" + Hash, "Zany", "Manifest: the root catalog (C) is missing or is not a hash.")]
    [InlineData("S7", "S18446744073709551615", null)]
    [InlineData("S7", "S18446744073709551616", "Manifest: the revision (S) is missing or is not a number.")]
    [InlineData("S7", "S-1", "Manifest: the revision (S) is missing or is not a number.")]
    [InlineData("S7\n", "", "Manifest: the revision (S) is missing or is not a number.")]
    [InlineData("D240", "D315360000", null)]
    [InlineData("D240", "D315360001", "Manifest: the time to live (D) is missing or is not a number of seconds.")]
    [InlineData("D240\n", "", "Manifest: the time to live (D) is missing or is not a number of seconds.")]
    [InlineData("Rd4", "Rd5", "Manifest: the root path (R) is missing or is not that of a whole repository.")]
    [InlineData("R", "Z", "Manifest: the root path (R) is missing or is not that of a whole repository.")]
    [InlineData("B1", "Xnone", "Manifest: the certificate (X), history (H) or metainfo (M) is not a hash.")]
    [InlineData("B1", "Hnone", "Manifest: the certificate (X), history (H) or metainfo (M) is not a hash.")]
    [InlineData("B1", "Mnone", "Manifest: the certificate (X), history (H) or metainfo (M) is not a hash.")]
    [InlineData("B1", "", null)] // an empty line
    public void Manifest_OfTheseLines_IsTakenOrSaysWhatIsWrong(string what, string instead, string? expected)
    {
        string text = what.Length == 0 ? ManifestText : ManifestText.Replace(what, instead, StringComparison.Ordinal);
        Assert.Equal(expected, Manifest.Parse(Sign(text)).Problem);
    }

    [Theory]
    [InlineData("", null, false, false)]
    [InlineData("T0\nAyes\nGyes\n", 0L, true, true)]
    [InlineData("T8589934588\nAno\nGyes\n", 8589934588L, false, true)]
    [InlineData("T8589934589\nAyes\nGno\n", null, true, false)]
    [InlineData("Tx\n", null, false, false)]
    public void Manifest_OfALine_HasWhatItSays(string lines, long? published, bool hasAlternative, bool isCollectable)
    {
        Manifest manifest = Manifest.Parse(Sign($"{ManifestText}X{Hash}\nH{Hash}\nM{Hash}\n{lines}")).Value!;
        Assert.Equal(published, manifest.PublishedAt?.ToUnixTimeSeconds());
        Assert.Equal((hasAlternative, isCollectable), (manifest.HasAlternativeCatalogPath, manifest.IsGarbageCollectable));
        Assert.Equal(
            (Hash + "C", Hash + "X", Hash + "H", Hash + "M"),
            (manifest.RootCatalog.ToString(), manifest.Certificate.ToString(), manifest.History.ToString(), manifest.Metainfo.ToString()));
        Assert.Equal(("a.b", 7UL, TimeSpan.FromMinutes(4)), (manifest.RepositoryName, manifest.Revision, manifest.Ttl));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("S", true)]
    [InlineData("C", false)]
    [InlineData("X", false)]
    [InlineData("H", false)]
    [InlineData("M", false)]
    public void NamesWhat_OfAnotherManifest_ComparesTheObjectsAlone(string changed, bool expected)
    {
        string text = $"{ManifestText}X{Hash}\nH{Hash}\nM{Hash}\n";
        string other = changed switch
        {
            "" => text,
            "S" => text.Replace("S7", "S8", StringComparison.Ordinal),
            _ => text.Replace(changed + Hash, changed + new string('a', 40), StringComparison.Ordinal),
        };
        Manifest one = Manifest.Parse(Sign(text)).Value!;
        Assert.Equal(expected, one.NamesWhat(Manifest.Parse(Sign(other)).Value!));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Documents_OfTheGreatestLength_AreTakenAndOneByteMoreIsNot(int more)
    {
        string? Full(string kind, int maxBytes) => more == 0
            ? null
            : $"{kind}: It is {maxBytes + more} bytes long; {maxBytes} are the most.";
        byte[] manifest = Sign(ManifestText, Manifest.MaxBytes + more);
        Assert.Equal(Full("Manifest", 64 << 10), Manifest.Parse(manifest).Problem);
        byte[] whitelist = Sign(WhitelistText, Whitelist.MaxBytes + more);
        Assert.Equal(Full("Whitelist", 256 << 10), Whitelist.Parse(whitelist).Problem);
    }

    [Theory]
    [InlineData("Na.b\nx", "Manifest: There is no line '--' between text and signature.")]
    [InlineData("Na.b\n--\nx", "Manifest: There is no hash line behind '--'.")]
    [InlineData("Na.b\n--\nx\n", "Manifest: The line behind '--' is not a hash.")]
    [InlineData("Na.b\n--\n" + Hash + "C\n", "Manifest: The line behind '--' is not a hash.")]
    [InlineData("Na.b\n--\n" + Hash + "\n", "Manifest: The text does not have the hash that it states.")]
    public void Envelope_ThatIsNone_IsSaid(string text, string expected) =>
        Assert.Equal(expected, Manifest.Parse(Encoding.ASCII.GetBytes(text)).Problem);

    [Fact]
    public void Envelope_OfADocument_HasItsPartsToTheByte()
    {
        byte[] bytes = Sign("a\n\nb\n");
        Assert.True(SignedText.Parse(bytes, bytes.Length).TryGet(out SignedText? parsed, out string? problem), problem);
        Assert.Equal(["a", "", "b"], parsed.Lines);
        Assert.Equal(40, parsed.HashLine.Length);
        Assert.Equal("signature", Encoding.ASCII.GetString(parsed.Signature.Span));
    }

    [Theory]
    [InlineData("", "", null)]
    [InlineData("20261101000000", "20261301000000", "Whitelist: the first line is not the time of its making (YYYYMMDDhhmmss).")]
    [InlineData("\nNa.b", "", "Whitelist: the first line is not the time of its making (YYYYMMDDhhmmss).")]
    [InlineData("E2027", "X2027", "Whitelist: the second line is not the expiry (EYYYYMMDDhhmmss).")]
    [InlineData("E20271101000000", "", "Whitelist: the second line is not the expiry (EYYYYMMDDhhmmss).")]
    [InlineData("E20271101000000", "E2027110100000", "Whitelist: the second line is not the expiry (EYYYYMMDDhhmmss).")]
    [InlineData("Na.b", "N", "Whitelist: the third line is not the repository's name (N…).")]
    [InlineData("Na.b", "Xa.b", "Whitelist: the third line is not the repository's name (N…).")]
    [InlineData("Na.b", "Na", null)]
    public void Whitelist_OfTheseLines_IsTakenOrSaysWhatIsWrong(string what, string instead, string? expected)
    {
        string text = what.Length == 0 ? WhitelistText : WhitelistText.Replace(what, instead, StringComparison.Ordinal);
        Assert.Equal(expected, Whitelist.Parse(Sign(text)).Problem);
    }

    [Theory]
    [InlineData("{0}", true, false)]
    [InlineData("{0} remark", true, false)]
    [InlineData("{0}\tremark", true, false)]
    [InlineData("{0}# remark", true, false)]
    [InlineData("{0}:00", false, false)]
    [InlineData("{0}x", false, false)]
    [InlineData(" {0}", false, false)]
    [InlineData("#{0}", false, false)]
    [InlineData("other\n{0}", true, false)]
    [InlineData("Vpkcs7\n{0}", true, true)]
    [InlineData("{0}\nWchain", true, true)]
    [InlineData("v\n{0}", true, false)]
    public void Whitelist_OfAFingerprint_ListsItOrNot(string lines, bool isListed, bool wantsOther)
    {
        byte[] certificate = [1, 2, 3];
        string printed = string.Join(':', Convert.ToHexString(ObjectHasher.Hash(DigestAlgorithm.Sha1, certificate)).Chunk(2)
            .Select(pair => new string(pair)));
        string text = lines.Replace("{0}", printed, StringComparison.Ordinal);
        Whitelist whitelist = Whitelist.Parse(Sign($"{WhitelistText}{text}\n")).Value!;
        Assert.Equal((isListed, wantsOther), (whitelist.Lists(certificate), whitelist.WantsOtherVerification));
        Assert.False(whitelist.Lists([1, 2, 4]));
        Assert.Equal(
            (new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2027, 11, 1, 0, 0, 0, TimeSpan.Zero), "a.b"),
            (whitelist.CreatedAt, whitelist.ExpiresAt, whitelist.RepositoryName));
    }

    [Theory]
    [InlineData("-RMD160", DigestAlgorithm.RipeMd160)]
    [InlineData("-SHAKE128", DigestAlgorithm.Shake128)]
    public void Whitelist_OfAnotherAlgorithm_ListsByIt(string suffix, DigestAlgorithm algorithm)
    {
        byte[] certificate = [1, 2, 3];
        string hash = Convert.ToHexString(ObjectHasher.Hash(algorithm, certificate));
        Assert.True(Whitelist.Parse(Sign($"{WhitelistText}{hash}{suffix}\n")).Value!.Lists(certificate));
        Assert.False(Whitelist.Parse(Sign($"{WhitelistText}{Printed}{suffix}\n")).Value!.Lists(certificate));
    }

    [Theory]
    [InlineData("no stream", "Certificate: it is not a zlib or zstd stream of at most 64 KiB.")]
    [InlineData("empty", "Certificate: it is not a zlib or zstd stream of at most 64 KiB.")]
    [InlineData("long", "Certificate: it is not a zlib or zstd stream of at most 64 KiB.")]
    [InlineData("full", null)]
    [InlineData("key", "Certificate: it is not a certificate in PEM.")]
    [InlineData("text", "Certificate: it is not a certificate in PEM.")]
    public void Certificate_OfTheseBytes_IsTakenOrSaysWhatIsWrong(string what, string? expected)
    {
        const string Pem = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        byte[] wire = what switch
        {
            "no stream" => Encoding.ASCII.GetBytes(Pem),
            "empty" => Packed.Zlib([]),
            "full" => Packed.Zlib(Encoding.ASCII.GetBytes(Pem + new string('\n', (64 << 10) - Pem.Length))),
            "long" => Packed.Zlib(Encoding.ASCII.GetBytes(Pem + new string('\n', (64 << 10) - Pem.Length + 1))),
            "key" => Packed.Zlib(Encoding.ASCII.GetBytes(Pem.Replace("CERTIFICATE", "PUBLIC KEY", StringComparison.Ordinal))),
            _ => Packed.Zlib("text"u8.ToArray()),
        };
        Parsed<Certificate> parsed = Certificate.Parse(wire);
        Assert.Equal(expected, parsed.Problem);
        if (parsed.Value is { } certificate)
        {
            Assert.Equal([1, 2, 3], certificate.Der.ToArray());
            Assert.Equal("Certificate: it is not an X.509 certificate of an RSA key.", certificate.ReadKey().Problem);
        }
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(9, false)]
    public void Content_OfAsMuchAsIsAllowed_IsRead(int maxBytes, bool isRead)
    {
        byte[] content = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        Assert.Equal(isRead ? content : null, WireContent.TryRead(Packed.Zlib(content), maxBytes));
    }

    [Fact]
    public void Keys_OfADirectory_AreByNameInAnyCaseAndSayWhatIsNone()
    {
        using var keys = new TemporaryDirectory();
        string pem = Fixture.Load("tiny.example.org").PublicKeyPem;
        File.WriteAllText(keys.Combine("Tiny.Example.org.pub"), pem + new string('\n', MasterKeys.MaxKeyFileBytes - pem.Length));
        File.WriteAllText(keys.Combine("long.example.org.pub"), pem + new string('\n', MasterKeys.MaxKeyFileBytes - pem.Length + 1));
        File.WriteAllText(keys.Combine("other.pem"), pem);
        Directory.CreateDirectory(keys.Combine("example.com"));
        File.WriteAllText(keys.Combine("example.com", "b.pub"), "none");
        File.WriteAllText(keys.Combine("example.com", "a.pub"), pem);

        MasterKeys loaded = MasterKeys.Load(keys.Path);

        Assert.False(loaded.IsEmpty);
        Assert.Equal(1, loaded.For(Fqrn.Parse("tiny.example.org"))?.Count);
        Assert.Equal(0, loaded.For(Fqrn.Parse("long.example.org"))?.Count);
        Assert.Equal(1, loaded.For(Fqrn.Parse("x.EXAMPLE.com"))?.Count);
        Assert.Null(loaded.For(Fqrn.Parse("x.y.example.com")));
        Assert.Equal(1, loaded.For(Fqrn.Parse("example.com"))?.Count);
        Assert.Null(loaded.For(Fqrn.Parse("com")));
        Assert.Null(loaded.For(Fqrn.Parse("other")));
        string[] files = [keys.Combine("long.example.org.pub"), keys.Combine("example.com", "b.pub")];
        Assert.Equal(
            [
                $"Repositories:KeysDirectory: {files[0]}: it is too long for a key. Replace or remove the file.",
                $"Repositories:KeysDirectory: {files[1]}: It is not an RSA public key in PEM (-----BEGIN PUBLIC KEY-----). "
                    + "Replace or remove the file.",
            ],
            loaded.Problems);
    }

    [Fact]
    public void Keys_OfADirectoryThatIsNotThereOrEmpty_AreNone()
    {
        using var keys = new TemporaryDirectory();
        Assert.Same(MasterKeys.None, MasterKeys.Load(keys.Combine("absent")));
        Assert.True(MasterKeys.Load(keys.Path).IsEmpty);
        Assert.Empty(MasterKeys.None.Problems);
        File.WriteAllText(keys.Combine("a.pub"), "none");
        Assert.False(MasterKeys.Load(keys.Path).IsEmpty); // a file that should be a key
        Assert.NotNull(MasterKeys.Of(Fqrn.Parse("a.b"), "none").Problem);
        MasterKeys one = MasterKeys.Of(Fqrn.Parse("a.b"), Fixture.Load("tiny.example.org").PublicKeyPem).Value!;
        Assert.Equal(1, one.For(Fqrn.Parse("a.b"))?.Count);
        Assert.Null(one.For(Fqrn.Parse("a.c")));
    }

    /// <summary>A document of these lines, filled up behind the hash line to a length.</summary>
    private static byte[] Sign(string text, int length = 0)
    {
        string head = $"{text}--\n{Convert.ToHexStringLower(ObjectHasher.Hash(DigestAlgorithm.Sha1, Encoding.ASCII.GetBytes(text)))}\n";
        return Encoding.ASCII.GetBytes(head + (length == 0 ? "signature" : new string('s', length - head.Length)));
    }
}
