using Breakwater.CacheStore;
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

/// <summary>What is shown of repositories, what is held back, what is forgotten and what is kept over a restart.</summary>
public sealed class ShownPairsTests
{
    private static readonly Fixture s_minios = Fixture.Load("minios.example.org");
    private static readonly RepositoryRoute s_route = new(s_minios.Fqrn, "test");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly HeldDocuments _store = new();
    private readonly LogLines<ShownPairs> _log = new();
    private readonly MasterKeys _keys = s_minios.Keys();

    [Fact]
    public void Switch_ToAnotherRevision_IsSaidOnceAndWhatWentBackIsRemembered()
    {
        ShownPair entry = Open().Of(s_route);
        Assert.Equal(0, entry.Cost);
        Show(Pair("v1"));
        Show(Pair("v1"));
        Assert.Equal((1, false), (_log.Said.Count, entry.WasTakenBack));
        Show(Pair("v2"));
        Assert.Equal((2, false), (_log.Said.Count, entry.WasTakenBack));
        Show(Pair("v1"));
        Assert.Equal((3, true), (_log.Said.Count, entry.WasTakenBack));
        Assert.Equal("minios.example.org: revision 1 (verified) is shown to clients", _log.Said[2]);

        SignedPair shown = entry.Current!;
        Assert.Equal(2 * (shown.Manifest.Cost + HeapCost.Of(shown.Certificate!.Value) + shown.Whitelist!.Cost), entry.Cost);
        entry.Current = null;
        Assert.Equal(2 * shown.Whitelist!.Cost, entry.Cost);

        void Show(SignedPair pair) => entry.Reveal(entry.Hold(pair));
    }

    [Fact]
    public void Hold_OfANewRevision_EndsWhenItIsRevealedDroppedOrOver()
    {
        ShownPair entry = Open().Of(s_route);
        entry.Current = Pair("v1");
        int first = entry.Hold(Pair("v2"));
        int second = entry.Hold(Pair("v2"));
        Assert.Equal((true, true), (entry.IsHolding, entry.IsBusy));
        Assert.Equal((1UL, 2UL), (entry.Show()!.Parsed.Revision, entry.Newest()!.Parsed.Revision));
        entry.Reveal(first);
        entry.DropHeldUpTo(1);
        Assert.Equal((true, 1UL), (entry.IsHolding, entry.Show()!.Parsed.Revision));
        entry.Reveal(second);
        Assert.Equal((false, false, 2UL), (entry.IsHolding, entry.IsBusy, entry.Show()!.Parsed.Revision));

        entry.Current = Pair("v1");
        entry.Hold(Pair("v2"));
        entry.DropHeldUpTo(2);
        Assert.Equal((false, 1UL), (entry.IsHolding, entry.Newest()!.Parsed.Revision));
        entry.Hold(Pair("v2"));
        _time.Advance(Gate.Longest - TimeSpan.FromTicks(1));
        Assert.Equal(1UL, entry.Show()!.Parsed.Revision);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal((2UL, false), (entry.Show()!.Parsed.Revision, entry.IsHolding));
    }

    [Fact]
    public async Task Keep_OfAPair_IsWhatIsShownAfterARestart()
    {
        await Open().KeepAsync(s_route, Pair("v1"));
        Assert.Equal(["test/minios.example.org/.cvmfspublished", "test/minios.example.org/.cvmfswhitelist"],
            _store.Keys().Order(StringComparer.Ordinal));
        await Open().KeepAsync(s_route with { Cluster = "other" }, Pair("v1") with { Whitelist = null });
        Assert.Equal(["other/minios.example.org/.cvmfspublished"], _store.Keys("other/"));

        ShownPairs pairs = Open();
        Assert.Null(pairs.TryFind(s_route));
        SignedPair shown = pairs.Of(s_route).Show()!;
        Assert.Equal((1UL, true), (shown.Parsed.Revision, shown.IsVerified));
        Assert.Same(pairs.Of(s_route), pairs.TryFind(s_route));
        Assert.Null(pairs.Of(s_route with { Cluster = "other" }).Current); // nobody vouches for it
        Assert.Contains("is withdrawn", Assert.Single(_log.Said), StringComparison.Ordinal);
    }

    /// <summary>A sixteenth and one: unknown ones first, then unverified ones, by the time of the last question; busy ones stay.</summary>
    [Fact]
    public void Of_OneMoreThanAreRemembered_ForgetsASixteenthOfTheOthers()
    {
        ShownPairs pairs = Open();
        SignedPair verified = Pair("v1");
        SignedPair unverified = verified with { Verdict = verified.Verdict with { Outcome = TrustOutcome.Unverified } };
        List<ShownPair> entries = [];
        for (int i = 0; i < ShownPairs.MaxRepositories; i++)
        {
            ShownPair entry = pairs.Of(Made(i));
            entry.AskedAt = i;
            entry.Current = i < 100 ? verified : i < 300 ? null : unverified;
            entry.RollbackFloor = i is 100 or 301 ? 1UL : (ulong?)null;
            entries.Add(entry);
        }

        Assert.Same(entries[100], pairs.Of(Made(100))); // for one that is known nobody makes room
        Assert.Equal(ShownPairs.MaxRepositories, pairs.All.Count());
        pairs.Of(Made(ShownPairs.MaxRepositories));

        // 199 of whom nothing is known, and of 58 more, who are unverified, one is busy.
        int[] gone = [.. Enumerable.Range(101, 199), 300, .. Enumerable.Range(302, 57)];
        Assert.Equal((ShownPairs.MaxRepositories / 16) + 1, gone.Length);
        Assert.Equal(gone, entries.Index().Where(one => pairs.TryFind(one.Item.Repository) is null).Select(one => one.Index));
    }

    /// <summary>Large manifests make room earlier; that is looked at with each 64th repository.</summary>
    [Fact]
    public void Of_RepositoriesWithLargeManifests_ForgetsSomeOfThemAtTheSixtyFourth()
    {
        ShownPairs pairs = Open();
        SignedPair small = Pair("v1");
        SignedPair large = small with { Manifest = small.Manifest with { Body = new byte[1 << 20] } };
        for (int i = 0; i < 64; i++)
        {
            pairs.Of(Made(i)).Current = large;
        }

        Assert.Equal(64, pairs.All.Count());
        pairs.Of(Made(64));
        Assert.Equal(64 - 5 + 1, pairs.All.Count());
    }

    private static RepositoryRoute Made(int number) => new(Fqrn.Parse($"made-up-{number}.example.org"), "test");

    private SignedPair Pair(string revision)
    {
        byte[] manifest = File.ReadAllBytes(Path.Combine(Fixture.Directory, "minios", "cvmfspublished." + revision));
        TrustVerdict verdict = new RepositoryTrust(_keys)
            .JudgeManifest(s_minios.Fqrn, manifest, s_minios.WhitelistBytes, s_minios.CertificateBytes, _time.GetUtcNow(), null);
        Assert.Equal(TrustReason.Verified, verdict.Reason);
        return new SignedPair(Document(manifest), Document(s_minios.WhitelistBytes), verdict, s_minios.CertificateBytes);
    }

    private CachedDocument Document(byte[] body) =>
        new(body, "application/x-cvmfs", TimeSpan.FromSeconds(61), Moment.Now(_time), TimeSpan.Zero, "s1:80", IsVerified: true);

    /// <summary>Nothing is fetched here, and all that is judged comes with its certificate.</summary>
    private ShownPairs Open()
    {
        var trust = new RepositoryTrust(_keys);
        return new ShownPairs(new SignedPairFetcher(null!, null!, trust, new ProxyOptions(), null!, _time),
            new DocumentArchive(_store, _time, NullLogger<DocumentArchive>.Instance), trust, new Gate(), _time, _log);
    }

    private sealed class Gate : IRevisionGate
    {
        public static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

        public TimeSpan MaxHold => Longest;

        public Task? Prepare(RepositoryRoute repository, Manifest before, Manifest after) => null;
    }
}
