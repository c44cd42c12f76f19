using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Observability;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>What is counted and said of documents that are refused, and who may check one.</summary>
public sealed class PairChecksTests : IAsyncLifetime
{
    private static readonly FixtureRepository s_minios = FixtureRepository.MiniOs;
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse(s_minios.Fqrn), "test");
    private static readonly DocumentRequest s_manifest = new(DocumentKind.File, s_route, SignedDocuments.ManifestPath, null);

    private readonly BuiltDocuments _proxy = new();
    private readonly Measured _measured = new();
    private readonly LogLines<PairChecks> _log = new();

    public Task InitializeAsync() => _proxy.OpenAsync(s_minios);

    public async Task DisposeAsync()
    {
        _measured.Dispose();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task Check_OfWhatIsRefused_IsCountedEachTimeAndSaidOnceUntilOneIsGood()
    {
        using var counters = new ProxyCounters(_measured.Meters);
        PairChecks checks = Checks(counters);
        byte[] good = s_minios.Files[SignedDocuments.ManifestPath];
        List<RequestResult> results = [];
        foreach (byte[] manifest in (byte[][])["no manifest"u8.ToArray(), "none either"u8.ToArray(), good, "nor this"u8.ToArray()])
        {
            _proxy.Upstream.Put(s_manifest.UrlPath, manifest);
            results.Add(await checks.JoinOrStart(_proxy.Get<ShownPairs>().Of(s_route), s_manifest).InTimeAsync());
        }

        Assert.Equal([RequestResult.Failed, RequestResult.Failed, RequestResult.Miss, RequestResult.Failed], results);
        Assert.Equal(Enumerable.Repeat("breakwater.documents.refused reason=ManifestMalformed 1", 3), _measured.Lines);
        Assert.Equal(2, _log.Said.Count);
        Assert.EndsWith("Clients get none until one is good", _log.Said[0], StringComparison.Ordinal);
        Assert.EndsWith("The last good pair goes on being served", _log.Said[1], StringComparison.Ordinal);
    }

    /// <summary>Each gives its place back: as many at a time as there may be, and any number one after the other.</summary>
    [Fact]
    public async Task Check_OfWhatIsNotKnownAgainAndAgain_IsNeverOneTooMany()
    {
        using var counters = new ProxyCounters(_measured.Meters);
        PairChecks checks = Checks(counters);
        RepositoryRoute nobodys = s_route with { Cluster = "none" };
        ShownPair entry = _proxy.Get<ShownPairs>().Of(nobodys);
        for (int i = 0; i <= ShownPairs.MaxRepositories; i++)
        {
            await checks.JoinOrStart(entry, s_manifest with { Repository = nobodys }).InTimeAsync();
        }

        Assert.Equal(FailureKind.NoUpstream, entry.Failure?.Kind);
    }

    [Fact]
    public async Task Check_OfAManifestWhoseTypeIsNone_SaysSo()
    {
        using var counters = new ProxyCounters(_measured.Meters);
        ShownPair entry = _proxy.Get<ShownPairs>().Of(s_route);
        _proxy.Upstream.Script(s_manifest.UrlPath, new UpstreamBehaviour { ContentType = "nonsense" });

        Assert.Equal(RequestResult.Failed, await Checks(counters).JoinOrStart(entry, s_manifest).InTimeAsync());

        Assert.Equal(FailureKind.BadHead, entry.Failure?.Kind);
    }

    private PairChecks Checks(ProxyCounters counters) => new(
        _proxy.Get<ShownPairs>(), _proxy.Get<SignedPairFetcher>(), _proxy.Get<IRevisionGate>(), _proxy.Get<AllowedRevisions>(),
        counters, _proxy.Time, _log);
}
