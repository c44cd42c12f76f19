using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.Repositories;
using CsCheck;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>
/// Whatever the bytes are, a reader ends with a value or a sentence. The seeds of failures are printed; sizes are bounded for CI.
/// </summary>
public sealed class UntrustedInputTests
{
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Manifest_AnyBytes_ParsesOrSaysWhy() =>
        Gen.OneOf(Gen.Byte.Array[0, 400], Signed(Gen.Char[" \n-CSNDRXHabcdef0123456789"].Array[0, 300].Select(text => new string(text))))
            .Sample(bytes => Ends(Manifest.Parse(bytes)), iter: 20_000);

    [Fact]
    public void Whitelist_AnyBytes_ParsesOrSaysWhy() =>
        Gen.OneOf(Gen.Byte.Array[0, 400], Signed(Gen.Char["\n-ENVW:# 0123456789ABCDEF"].Array[0, 300].Select(text => new string(text))))
            .Sample(bytes => Ends(Whitelist.Parse(bytes)), iter: 20_000);

    [Fact]
    public void Certificate_AnyBytes_ParsesOrSaysWhy() =>
        Gen.Byte.Array[0, 300].Sample(
            bytes =>
            {
                Ends(Certificate.Parse(bytes));
                Parsed<Certificate> inside = Certificate.Parse(
                    Packed.Zlib([.. "-----BEGIN CERTIFICATE-----\n"u8, .. Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)),
                    .. "\n-----END CERTIFICATE-----\n"u8]));
                return Ends(inside) && (inside.Value is null || Ends(inside.Value.ReadKey()));
            },
            iter: 2_000);

    [Fact]
    public void Manifest_WellFormed_RoundTrips() =>
        Gen.Select(Gen.ULong, Gen.Byte.Array[20], Gen.Enum<DigestAlgorithm>().Where(a => a != DigestAlgorithm.Named),
        Gen.UInt[0, 1_000_000])
        .Sample((revision, digest, algorithm, ttl) =>
        {
            var key = new ObjectKey(digest, algorithm, ObjectKind.Catalog);
            byte[] bytes =
                Sign($"C{key.ToString()[..^1]}\nRd41d8cd98f00b204e9800998ecf8427e\nD{ttl}\nS{revision}\nNa.b\nZunknown\n", algorithm);
            Manifest manifest = Manifest.Parse(bytes).Value!;
            Assert.Equal((revision, key, ttl), (manifest.Revision, manifest.RootCatalog, (uint)manifest.Ttl.TotalSeconds));
            Assert.Null(manifest.History);
        });

    [Fact]
    public void Ratchet_AnySequence_NeverGoesBackUnlessAllowed() =>
        Gen.Select(Gen.ULong[0, 20], Gen.Bool).Array[1, 50].Sample(offers =>
        {
            ulong? highest = null;
            foreach ((ulong offered, bool isAllowed) in offers)
            {
                RevisionStep step = RevisionRatchet.Decide(highest, offered, isAllowed ? 5UL : null);
                if (step != RevisionStep.Back)
                {
                    Assert.True(highest is null || offered >= highest || (isAllowed && offered >= 5));
                    highest = offered;
                }
                else
                {
                    Assert.True(offered < highest && !(isAllowed && offered >= 5));
                }
            }
        });

    [Fact]
    public async Task Trust_DocumentsWithRandomDamage_AreRefused()
    {
        Fixture fixture = Fixture.Load("rmd.example.org");
        RepositoryTrust trust = new(fixture.Keys());
        await RandomDamage.ReadAsync(fixture.ManifestBytes,
            bytes => Refused(trust.JudgeManifest(fixture.Fqrn, bytes, fixture.WhitelistBytes, fixture.CertificateBytes, Now, null)), 400);
        await RandomDamage.ReadAsync(fixture.WhitelistBytes,
            bytes => Refused(trust.JudgeManifest(fixture.Fqrn, fixture.ManifestBytes, bytes, fixture.CertificateBytes, Now, null)), 400);
        await RandomDamage.ReadAsync(fixture.CertificateBytes,
            bytes => Refused(trust.JudgeManifest(fixture.Fqrn, fixture.ManifestBytes, fixture.WhitelistBytes, bytes, Now, null)), 400);
    }

    [Fact]
    public async Task History_RandomDamage_EndsWithTagsOrASentence()
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        byte[] original = fixture.Content(fixture.Manifest.History!.Value, isStoredPlain: false);

        await RandomDamage.ReadAsync(original,
            async bytes => Ends(await History.ReadAsync(new MemoryStream(bytes), CatalogLimits.Default)), RandomDamage.Runs);
    }

    private static Task<bool> Refused(TrustVerdict verdict) =>
        Task.FromResult(verdict.Outcome == TrustOutcome.Refused && verdict.Explanation.Length > 0);

    private static bool Ends<T>(Parsed<T> parsed)
        where T : class => parsed.Value is null ? parsed.Problem is { Length: > 0 } : parsed.Problem is null;

    private static Gen<byte[]> Signed(Gen<string> text) => text.Select(lines => Sign(lines + "\n", DigestAlgorithm.Sha1));

    private static byte[] Sign(string text, DigestAlgorithm algorithm)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        var hash = new ObjectKey(ObjectHasher.Hash(algorithm, bytes), algorithm, 0);
        return [.. bytes, .. Encoding.ASCII.GetBytes($"--\n{hash}\nsignature")];
    }
}
