using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>A repository's manifest and whitelist, checked with a Stratum 1: to the moment, and to the revision.</summary>
public sealed class SignedDocumentsTests : IAsyncLifetime
{
    private static readonly FixtureRepository s_minios = FixtureRepository.MiniOs;
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse(s_minios.Fqrn), "test");
    private static readonly DocumentRequest s_manifest = new(DocumentKind.File, s_route, SignedDocuments.ManifestPath, null);

    private static readonly DateTimeOffset s_end =
        Whitelist.Parse(s_minios.Files[SignedDocuments.WhitelistPath]).Value!.ExpiresAt;

    private BuiltDocuments _proxy = null!;

    private SignedDocuments Signed => _proxy.Get<SignedDocuments>();

    private ShownPair Entry => _proxy.Get<ShownPairs>().Of(s_route);

    public Task InitializeAsync() => OpenAsync(TrustVerdict.ExpiryWarning + TimeSpan.FromMinutes(2));

    /// <summary>So long before the whitelist's end: to let days pass takes seconds, for timers tick all the way.</summary>
    private async Task OpenAsync(TimeSpan before)
    {
        _proxy = new BuiltDocuments(s_end - before);
        await _proxy.OpenAsync(s_minios);
        Publish(1);
    }

    public async Task DisposeAsync() => await _proxy.DisposeAsync();

    [Fact]
    public async Task Get_OfAManifest_IsCheckedWhenItsLifetimeIsOverAndNeverGoesBack()
    {
        Assert.Equal((RequestResult.Miss, 1UL), await GetAsync());
        Publish(2);
        _proxy.Time.Advance(DocumentFetcher.FileLifetime - TimeSpan.FromTicks(1));
        Assert.Equal((RequestResult.Hit, 1UL), await GetAsync());
        Assert.NotNull(Signed.FindFresh(s_manifest));
        _proxy.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(Signed.FindFresh(s_manifest));
        Assert.Equal((RequestResult.Revalidated, 2UL), await GetAsync());
        Assert.Equal((2, 2), (Asked(SignedDocuments.ManifestPath), Asked(SignedDocuments.WhitelistPath)));

        Publish(1);
        _proxy.Time.Advance(DocumentFetcher.FileLifetime);
        Assert.Equal((RequestResult.Stale, 2UL), await GetAsync());
        Assert.Equal(TrustReason.RevisionWentBack, Entry.LastRefusal!.Reason);
        Signed.AllowRollback(s_route, floor: 1);
        Assert.Equal((RequestResult.Revalidated, 1UL), await GetAsync());
        Assert.Equal((true, null, null), (Entry.WasTakenBack, Entry.LastRefusal, Entry.RollbackFloor));
        Assert.Equal([KeyValuePair.Create(s_route.Fqrn, 1UL)], Signed.VerifiedRevisions());
    }

    /// <summary>For five seconds nobody asks again, and who is told so is told of a remembered answer.</summary>
    [Fact]
    public async Task Get_OfAManifestThatNobodyHas_IsAskedForAgainAfterFiveSeconds()
    {
        _proxy.Upstream.Everything = UpstreamBehaviour.NotFound;
        Assert.Equal((RequestResult.Failed, null), await GetAsync());
        int asked = _proxy.Upstream.Requests.Count;
        _proxy.Time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.Equal((RequestResult.Negative, null), await GetAsync());
        Assert.Equal(asked, _proxy.Upstream.Requests.Count);
        _proxy.Upstream.Heal();
        _proxy.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal((RequestResult.Miss, 1UL), await GetAsync());
        Assert.Null(Entry.Failure);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Get_WhenTheWhitelistHasEnded_IsServedOnOrNotAsTheSettingSays(bool servesExpired)
    {
        await _proxy.DisposeAsync();
        await OpenAsync(TimeSpan.FromMinutes(2));
        await GetAsync();
        _proxy.Get<TrustOptions>().ServeExpired = servesExpired;
        _proxy.Upstream.Everything = UpstreamBehaviour.WithStatus(503);
        _proxy.Time.Advance(s_end - _proxy.Time.GetUtcNow() - TimeSpan.FromTicks(1));
        Assert.Equal((RequestResult.Stale, 1UL), await GetAsync());
        _proxy.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(servesExpired ? (RequestResult.Stale, 1UL) : (RequestResult.Failed, null), await GetAsync());

        _proxy.Get<ProxyOptions>().Offline = true;
        Assert.Equal(servesExpired, Signed.FindFresh(s_manifest) is not null);
        Assert.Equal(servesExpired ? (RequestResult.Hit, 1UL) : (RequestResult.Failed, null), await GetAsync());
    }

    /// <summary>Of what a command and the settings allow, the lower revision counts.</summary>
    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public async Task Get_OfARevisionThatOneOfTwoPermissionsAllows_IsTaken(long declared, ulong given)
    {
        Publish(2);
        await GetAsync();
        Publish(1);
        _proxy.Get<AllowedRevisions>().Take(new BreakwaterSettings
        {
            Proxy = new(),
            Access = new(),
            Store = new(),
            Repositories = new Dictionary<string, RepositoryOptions> { [s_minios.Fqrn] = new() { AllowRevision = declared } },
        });
        Signed.AllowRollback(s_route, given);
        _proxy.Time.Advance(DocumentFetcher.FileLifetime);

        Assert.Equal((RequestResult.Revalidated, 1UL), await GetAsync());
    }

    /// <summary>By it a repository is forgotten before others.</summary>
    [Fact]
    public async Task Get_OfADocument_IsTheLastQuestionForItsRepository()
    {
        Entry.AskedAt = -1;
        await GetAsync();
        Assert.NotEqual(-1, Entry.AskedAt);
    }

    /// <summary>Seven days before its end, and once a day from then on.</summary>
    [Fact]
    public async Task Check_OfAWhitelistThatEndsSoon_IsSaidOnceADay()
    {
        await GetAsync();
        DateTimeOffset due = s_end - TrustVerdict.ExpiryWarning;
        Assert.Equal(0, await WarnedAsync(due - TimeSpan.FromTicks(1)));
        long first = await WarnedAsync(due + DocumentFetcher.FileLifetime);
        Assert.NotEqual(0, first);
        DateTimeOffset said = _proxy.Time.GetUtcNow();
        Assert.Equal(first, await WarnedAsync(said.AddDays(1) - TimeSpan.FromTicks(1)));
        Assert.NotEqual(first, await WarnedAsync(said.AddDays(1) + DocumentFetcher.FileLifetime));
    }

    [Fact]
    public async Task Replace_ByAPairFromElsewhere_IsTakenAndKeptUnlessItGoesBack()
    {
        await GetAsync();
        SignedPair first = Entry.Show()!;
        Publish(2);
        _proxy.Time.Advance(DocumentFetcher.FileLifetime);
        await GetAsync();
        SignedPair second = Entry.Show()!;

        Assert.False(await Signed.ReplaceAsync(s_route, _ => null).InTimeAsync());
        Assert.False(await Signed.ReplaceAsync(s_route, _ => first).InTimeAsync());
        Entry.Hold(second);
        Assert.True(Entry.IsHolding);
        Assert.True(await Signed.ReplaceAsync(s_route, before => before == second ? second : null).InTimeAsync());
        Assert.False(Entry.IsHolding);
        Assert.True(_proxy.Store.Documents.TryGet($"test/{s_route.Fqrn}/{SignedDocuments.WhitelistPath}", out _));
        Assert.Equal(second.Manifest.Body.ToArray(), Signed.Find(s_route)!.Manifest.Body.ToArray());
    }

    [Fact]
    public async Task FindForNode_OfAPair_AsksAStratum1WhereItMayAndGivesNoUnverifiedOne()
    {
        Assert.Null(await Signed.FindForNodeAsync(s_route, mayCheck: false, default).InTimeAsync());
        Assert.Equal(1UL, (await Signed.FindForNodeAsync(s_route, mayCheck: true, default).InTimeAsync())!.Parsed.Revision);
        await Signed.FindForNodeAsync(s_route, mayCheck: true, default).InTimeAsync();
        Assert.Equal(1, Asked(SignedDocuments.ManifestPath));
        Entry.Current = Entry.Current! with { Verdict = Entry.Current.Verdict with { Outcome = TrustOutcome.Unverified } };
        Assert.Null(await Signed.FindForNodeAsync(s_route, mayCheck: false, default).InTimeAsync());
        Assert.Empty(Signed.VerifiedRevisions());
    }

    private void Publish(int revision) => _proxy.Upstream.Put(s_manifest.UrlPath,
        File.ReadAllBytes(Path.Combine(FixtureRepository.FixturesDirectory, "minios", $"cvmfspublished.v{revision}")));

    private int Asked(string path) => _proxy.Upstream.RequestCount(s_minios.UrlPath(path));

    private async Task<long> WarnedAsync(DateTimeOffset moment)
    {
        _proxy.Time.SetUtcNow(moment);
        await GetAsync();
        return Entry.WarnedAt;
    }

    /// <summary>How the manifest came, and its revision; null: there was none.</summary>
    private async Task<(RequestResult Result, ulong? Revision)> GetAsync()
    {
        DocumentAnswer answer = await Signed.GetAsync(s_manifest, default).AsTask().InTimeAsync();
        return (answer.Result, answer.Document is { } document ? Manifest.Parse(document.Body.Span).Value!.Revision : null);
    }
}
