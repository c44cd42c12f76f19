using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>What becomes of what is shown when other keys, or a newer whitelist, are in force.</summary>
public sealed class ShownPairsTrustTests : IDisposable
{
    private const string Name = "forged.example.org";
    private const string WhitelistKey = "test/forged.example.org/.cvmfswhitelist";

    private readonly ForgedRepository _repository = new(Name);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly HeldDocuments _store = new();
    private readonly LogLines<ShownPairs> _log = new();
    private readonly ShownPairs _pairs;
    private readonly ShownPair _entry;

    public ShownPairsTrustTests()
    {
        RepositoryTrust trust = _repository.Trust;
        _pairs = new ShownPairs(new SignedPairFetcher(null!, null!, trust, new ProxyOptions(), null!, _time),
            new DocumentArchive(_store, _time, NullLogger<DocumentArchive>.Instance), trust, new NoGate(), _time, _log);
        _entry = _pairs.Of(new RepositoryRoute(Fqrn.Parse(Name), "test"));
        byte[] manifest = _repository.Own.SignManifest(_repository.ManifestText(5, _repository.OwnCertificate));
        TrustVerdict verdict = trust.JudgeManifest(
            Fqrn.Parse(Name), manifest, _repository.Whitelist, _repository.OwnCertificate, _time.GetUtcNow(), null);
        Assert.Equal(TrustReason.Verified, verdict.Reason);
        _entry.Current =
            new SignedPair(Document(manifest), Document(_repository.Whitelist), verdict, _repository.OwnCertificate);
        _entry.NewestWhitelist = _entry.Current.Whitelist;
        _entry.FailedAt = 77;
    }

    public void Dispose() => _repository.Dispose();

    [Fact]
    public void Show_ByOtherKeys_IsJudgedAgainAndSaidWhereItIsVerifiedNoMoreOrAgain()
    {
        Assert.True(_entry.Show()!.IsVerified);
        Assert.Empty(_log.Said);
        _repository.Trust.Keys = MasterKeys.None;
        Assert.False(_entry.Show()!.IsVerified);
        Assert.False(_entry.Show()!.IsVerified);
        _repository.Trust.Keys = KeysOf(_repository);
        Assert.True(_entry.Show()!.IsVerified);
        _repository.Trust.Keys = KeysOf(_repository);
        Assert.True(_entry.Show()!.IsVerified);

        Assert.Equal(
            new[] { "unverified", "verified" }.Select(trust => $"forged.example.org: revision 5 ({trust}) is shown to clients"), _log.Said);
    }

    [Fact]
    public void Show_ByTheKeysOfAnother_IsWithdrawnAndAskedForAtOnce()
    {
        using ForgedRepository other = new(Name);
        _repository.Trust.Keys = KeysOf(other);

        Assert.Null(_entry.Show());

        Assert.Equal((TrustReason.WhitelistSignature, 0), (_entry.LastRefusal!.Reason, _entry.FailedAt));
        Assert.Contains("what was shown to clients is withdrawn", Assert.Single(_log.Said), StringComparison.Ordinal);
    }

    [Fact]
    public void TakeWhitelist_ThatIsNewerAndListsAnotherCertificate_WithdrawsWhatIsShown()
    {
        CachedDocument newer = Document(_repository.WhitelistOf("20261115000000", "20271101000000", _repository.Certificate(out _)));

        Assert.True(_pairs.TakeWhitelist(_entry, newer));

        Assert.Equal((null, TrustReason.CertificateNotListed, 0), (_entry.Current, _entry.LastRefusal!.Reason, _entry.FailedAt));
        Assert.Same(newer, _entry.NewestWhitelist);
        Assert.True(_store.TryGet(WhitelistKey, out _));
    }

    /// <summary>The one that is there was made on the first of November.</summary>
    [Theory]
    [InlineData("20261031235959", false)]
    [InlineData("20261101000000", false)]
    [InlineData("20261101000001", true)]
    public void TakeWhitelist_ThatListsTheCertificate_IsKeptWhereItIsNewer(string created, bool isKept)
    {
        CachedDocument other = Document(_repository.WhitelistOf(created, "20271101000000", _repository.OwnCertificate));

        Assert.False(_pairs.TakeWhitelist(_entry, other));

        Assert.Equal((isKept, isKept), (_entry.NewestWhitelist == other, _store.TryGet(WhitelistKey, out _)));
        Assert.True(_entry.Show()!.IsVerified);
        Assert.Equal((null, 77), (_entry.LastRefusal, _entry.FailedAt));
    }

    private static MasterKeys KeysOf(ForgedRepository repository) => MasterKeys.Of(Fqrn.Parse(Name), repository.MasterKeyPem).Value!;

    private CachedDocument Document(byte[] body) =>
        new(body, "application/x-cvmfs", TimeSpan.FromSeconds(61), Moment.Now(_time), TimeSpan.Zero, "s1:80", IsVerified: true);

    private sealed class NoGate : IRevisionGate
    {
        public TimeSpan MaxHold => TimeSpan.Zero;

        public Task? Prepare(RepositoryRoute repository, Manifest before, Manifest after) => null;
    }
}
