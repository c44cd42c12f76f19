using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Repositories;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Seeding;

public sealed class SeedRevealTests : IDisposable
{
    private const string Fqrn = "forged.example.org";
    private static readonly DateTimeOffset s_now = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ForgedRepository _repository = new(Fqrn);
    private readonly SeedTrust _trust;

    public SeedRevealTests() => _trust = new SeedTrust(_repository.Trust, new FakeTimeProvider(s_now));

    public void Dispose() => _repository.Dispose();

    [Fact]
    public void Seed_WhereNothingIsShown_IsShownVerified()
    {
        SignedPair pair = Reveal(Files(5, _repository.Whitelist), shown: null)!;
        Assert.True(pair.IsVerified && pair.Manifest.IsVerified);
        Assert.Equal(5UL, pair.Parsed.Revision);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Seed_NotNewerThanWhatIsShown_ChangesNothing(ulong revision) =>
        Assert.Null(Reveal(Files(revision, _repository.Whitelist), Shown(5, _repository.Whitelist)));

    [Fact]
    public void Seed_NewerWithAWhitelistThatEndsEarlier_IsShownUnderTheOneThatIsThere()
    {
        SignedPair pair = Reveal(Files(6, _repository.WhitelistUntil("20270101000000")), Shown(5, _repository.Whitelist))!;
        Assert.Equal(6UL, pair.Parsed.Revision);
        Assert.Equal(_repository.Whitelist, pair.Whitelist!.Body.ToArray());
    }

    /// <summary>Another one that is good for just as long is no reason for a change.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void Seed_WithAWhitelistThatEndsAtTheSameTime_LeavesTheOneThatIsThere(ulong revision)
    {
        byte[] other = _repository.WhitelistOf("20261102000000", "20271101000000", _repository.OwnCertificate);
        SignedPair? pair = Reveal(Files(revision, other), Shown(5, _repository.Whitelist));
        Assert.Equal(revision > 5, pair is not null);
        Assert.Equal(_repository.Whitelist, pair?.Whitelist!.Body.ToArray() ?? _repository.Whitelist);
    }

    [Fact]
    public void OlderSeed_WithAWhitelistThatEndsLater_RenewsItUnderTheManifestThatIsThere()
    {
        byte[] renewed = _repository.WhitelistUntil("20280101000000");
        SignedPair pair = Reveal(Files(4, renewed), Shown(5, _repository.Whitelist))!;
        Assert.Equal(5UL, pair.Parsed.Revision);
        Assert.Equal(renewed, pair.Whitelist!.Body.ToArray());
        Assert.Equal(2028, pair.Verdict.Whitelist!.ExpiresAt.Year);
    }

    [Fact]
    public void Renewal_NeverBringsAManifest()
    {
        byte[] renewed = _repository.WhitelistUntil("20280101000000");
        Assert.Null(Reveal(Files(9, renewed), shown: null, isRenewal: true));
        SignedPair pair = Reveal(Files(9, renewed), Shown(5, _repository.Whitelist), isRenewal: true)!;
        Assert.Equal(5UL, pair.Parsed.Revision);
        Assert.Equal(renewed, pair.Whitelist!.Body.ToArray());
    }

    [Fact]
    public void Seed_SignedByAnotherMasterKeyThanTheSites_IsRefusedAlsoWithItsOwnKeyInTheBundle()
    {
        using var site = new ForgedRepository(Fqrn);
        var trust = new SeedTrust(site.Trust, new FakeTimeProvider(s_now));
        Assert.Throws<SeedRefusedException>(() =>
            SeedReveal.Choose(trust, Record(5, false), Files(5, _repository.Whitelist), default, null, _ => _repository.OwnCertificate));
    }

    [Fact]
    public void Seed_WithoutAKeyOfTheSite_IsShownUnverifiedAndNeverOverWhatIsVerified()
    {
        var trust = new SeedTrust(new RepositoryTrust(MasterKeys.None), new FakeTimeProvider(s_now));
        SignedPair? Choose(SignedPair? shown) =>
            SeedReveal.Choose(trust, Record(6, false), Files(6, _repository.Whitelist), default, shown, _ => _repository.OwnCertificate);
        Assert.False(Choose(null)!.IsVerified);
        Assert.Null(Choose(Shown(5, _repository.Whitelist)));
    }

    [Fact]
    public void Seed_WhoseWhitelistHasExpired_IsShown()
    {
        var trust = new SeedTrust(_repository.Trust, new FakeTimeProvider(s_now.AddYears(5)));
        SignedPair pair =
            SeedReveal.Choose(trust, Record(5, false), Files(5, _repository.Whitelist), default, null, _ => _repository.OwnCertificate)!;
        Assert.True(pair.IsVerified);
        Assert.Equal(2027, pair.Verdict.Whitelist!.ExpiresAt.Year);
    }

    private SignedPair? Reveal(Dictionary<string, byte[]> files, SignedPair? shown, bool isRenewal = false) =>
        SeedReveal.Choose(_trust, Record(Manifest.Parse(files[SeedPath.OfDocument(Fqrn, SeedPath.Manifest)]).Value!.Revision, isRenewal),
        files, default, shown, Wire);

    private SignedPair Shown(ulong revision, byte[] whitelist) => Reveal(Files(revision, whitelist), null)!;

    private byte[]? Wire(ObjectKey key) => _repository.OwnCertificate;

    private Dictionary<string, byte[]> Files(ulong revision, byte[] whitelist) => new()
    {
        [SeedPath.OfDocument(Fqrn, SeedPath.Manifest)] =
            _repository.Own.SignManifest(_repository.ManifestText(revision, _repository.OwnCertificate)),
        [SeedPath.OfDocument(Fqrn, SeedPath.Whitelist)] = whitelist,
    };

    private static SeedRecordRepository Record(ulong revision, bool isRenewal) =>
        new(Fqrn, revision, true, s_now, isRenewal ? [] : [new SeedSnapshot("", revision, new string('a', 40) + "C", "all", true)]);
}
