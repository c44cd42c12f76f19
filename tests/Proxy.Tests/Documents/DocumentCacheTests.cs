using System.Net;
using System.Text;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>Documents from a Stratum 1, below all that listens: when they are asked for, what is kept, what memory they take.</summary>
public sealed class DocumentCacheTests : IAsyncLifetime
{
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("a.example.org"), "test");
    private static readonly DocumentRequest s_reflog = new(DocumentKind.File, s_route, ".cvmfsreflog", null);
    private static readonly DocumentRequest s_geo = new(DocumentKind.Geo, s_route, "api/v1.0/geo/vm.site/s1.site,s2.site", null);

    private readonly BuiltDocuments _proxy = new();

    private DocumentCache Cache => _proxy.Get<DocumentCache>();

    private OverflowBudget Budget => _proxy.Get<OverflowBudget>();

    public Task InitializeAsync() => _proxy.OpenAsync();

    public async Task DisposeAsync() => await _proxy.DisposeAsync();

    [Fact]
    public async Task Get_OfADocument_AsksAgainWhenItsLifetimeIsOverAndKeepsIt()
    {
        byte[] body = [.. Enumerable.Range(0, 100_000).Select(i => (byte)i)];
        _proxy.Upstream.Put(s_reflog.UrlPath, body);

        DocumentAnswer first = await GetAsync(s_reflog);
        Assert.Equal((RequestResult.Miss, null), (first.Result, first.Failure));
        Assert.Equal(body, first.Document!.Body.ToArray());
        await Waiting.UntilAsync(() => _proxy.Store.Documents.TryGet(s_reflog.CacheKey, out _));
        _proxy.Time.Advance(DocumentFetcher.FileLifetime - TimeSpan.FromTicks(1));
        Assert.Equal((RequestResult.Hit, 1), ((await GetAsync(s_reflog)).Result, _proxy.Upstream.Requests.Count));
        Assert.NotNull(Cache.FindFresh(s_reflog));

        _proxy.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(Cache.FindFresh(s_reflog));
        Assert.Equal((RequestResult.Revalidated, 2), ((await GetAsync(s_reflog)).Result, _proxy.Upstream.Requests.Count));
        _proxy.Upstream.Put(s_reflog.UrlPath, null);
        _proxy.Time.Advance(DocumentFetcher.FileLifetime);
        Assert.Equal((RequestResult.Failed, 3), ((await GetAsync(s_reflog)).Result, _proxy.Upstream.Requests.Count)); // it is gone there
        Assert.Equal(0, Budget.Taken);
    }

    [Fact]
    public async Task Get_OfWhatNobodyHas_IsAskedForAgainAfterFiveSeconds()
    {
        Assert.Equal((RequestResult.Failed, 1), ((await GetAsync(s_reflog)).Result, _proxy.Upstream.Requests.Count));
        _proxy.Time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.Equal((RequestResult.Negative, 1), ((await GetAsync(s_reflog)).Result, _proxy.Upstream.Requests.Count));
        Assert.True(Cache.Held is { Documents: 0, Geo: 0, Failures: > 0 });
        _proxy.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal((RequestResult.Failed, 2), ((await GetAsync(s_reflog)).Result, _proxy.Upstream.Requests.Count));
    }

    [Fact]
    public async Task Get_WhereNobodyIsAsked_SaysWhy()
    {
        var published = s_reflog with { Repository = s_route with { Cluster = RepositoryOptions.PublishedCluster } };
        Assert.Equal(new DocumentAnswer(null, RequestResult.Failed, UpstreamFailure.NotPublished), await GetAsync(published));
        _proxy.Get<ProxyOptions>().Offline = true;
        Assert.Equal(new DocumentAnswer(null, RequestResult.Failed, UpstreamFailure.NotHeldOffline), await GetAsync(s_reflog));
        Assert.Equal(RequestResult.Local, (await GetAsync(s_geo)).Result);
        Assert.Empty(_proxy.Upstream.Requests);
    }

    [Fact]
    public async Task Get_OfAnOrderOfServers_IsTheStratum1sWhereItIsOneAndIsNotKept()
    {
        _proxy.Upstream.Put(s_geo.UrlPath, "2,1\n"u8.ToArray());
        DocumentAnswer answer = await GetAsync(s_geo);
        Assert.Equal((RequestResult.Miss, "2,1\n"), (answer.Result, Encoding.ASCII.GetString(answer.Document!.Body.Span)));
        Assert.True(Cache.Held is { Documents: 0, Geo: > 0, Failures: 0 });

        DocumentRequest other = s_geo with { Path = "api/v1.0/geo/vm2.site/s1.site,s2.site" };
        _proxy.Upstream.Put(other.UrlPath, new byte[(64 << 10) + 1]);
        answer = await GetAsync(other);
        Assert.Equal((RequestResult.Local, "1,2\n"), (answer.Result, Encoding.ASCII.GetString(answer.Document!.Body.Span)));
        Assert.Empty(_proxy.Store.Documents.Keys("test/"));
        Assert.Equal(0, Budget.Taken);
    }

    /// <summary>A buffer of 16 KiB, and three times what came: the stream doubles as it grows, and is copied at the end.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Get_WhileOthersTakeTheMemory_NeedsThreeTimesItsLength(int lacking, bool isTaken)
    {
        _proxy.Upstream.Put(s_reflog.UrlPath, new byte[1000]);
        long others = _proxy.Get<ProxyOptions>().MaxUnstoredBytes - (16 << 10) - 3000 + lacking;
        Assert.True(Budget.TryTake(others));

        DocumentAnswer answer = await GetAsync(s_reflog);

        Assert.Equal((isTaken ? 1000 : (int?)null, others), (answer.Document?.Body.Length, Budget.Taken));
        Assert.Equal(!isTaken, answer.Failure?.Detail.Contains("Proxy:MaxUnstoredBytes", StringComparison.Ordinal) ?? false);
    }

    [Fact]
    public async Task Get_WhileItIsAskedFor_HasTheSameAnswer()
    {
        Gate gate = new();
        _proxy.Upstream.Put(s_reflog.UrlPath, new byte[10]);
        _proxy.Upstream.Script(s_reflog.UrlPath, UpstreamBehaviour.WaitsBeforeHead(gate));
        Task<DocumentAnswer> first = GetAsync(s_reflog with { Client = IPAddress.Parse("10.0.0.1") });
        await gate.Reached;

        Task<DocumentAnswer> second = GetAsync(s_reflog with { Client = IPAddress.Parse("10.0.0.2") });
        Assert.False(second.IsCompleted);
        gate.Open();

        Assert.Equal((RequestResult.Miss, RequestResult.Miss), ((await first).Result, (await second).Result));
        Assert.Same((await first).Document, (await second).Document);
        Assert.Single(_proxy.Upstream.Requests);
    }

    /// <summary>Who joins what waits behind all else that another client wants does not wait behind all of it.</summary>
    [Fact]
    public async Task Get_OfTheLastThatAGreedyClientWaitsFor_IsSoonTheTurnOfWhoJoins()
    {
        FetchQueue queue = _proxy.Get<FetchQueue>();
        List<FetchPlace> taken = [new FetchPlace(FetchPriority.Demand)];
        while (queue.TryEnter(taken[^1]))
        {
            taken.Add(new FetchPlace(FetchPriority.Demand));
        }

        Gate gate = new();
        _proxy.Upstream.Everything = UpstreamBehaviour.WaitsBeforeHead(gate);
        List<Task<DocumentAnswer>> answers = [];
        DocumentRequest wanted = s_reflog;
        for (int i = 1; i <= 5; i++)
        {
            wanted = s_reflog with { Path = $"document{i}", Client = IPAddress.Parse("10.0.0.1") };
            _proxy.Upstream.Put(wanted.UrlPath, new byte[10]);
            answers.Add(GetAsync(wanted));
            await Waiting.UntilAsync(() => queue.Load.Waiting == answers.Count);
        }

        answers.Add(GetAsync(wanted with { Client = IPAddress.Parse("10.0.0.2") }));
        queue.Leave(taken[0]);
        queue.Leave(taken[1]);
        await _proxy.Upstream.RequestsArrivedAsync(null, 2);

        Assert.Equal(1, _proxy.Upstream.RequestCount(wanted.UrlPath));
        gate.Open();
        Assert.All(await Task.WhenAll(answers).InTimeAsync(), answer => Assert.Equal(RequestResult.Miss, answer.Result));
    }

    [Fact]
    public async Task Get_WhereNobodyAnswersInTime_IsToldSoOrHasWhatIsThere()
    {
        DocumentRequest unknown = s_reflog with { Path = "unknown" };
        _proxy.Upstream.Put(s_reflog.UrlPath, new byte[10]);
        CachedDocument? held = (await GetAsync(s_reflog)).Document;
        _proxy.Time.Advance(DocumentFetcher.FileLifetime);
        _proxy.Upstream.Everything = UpstreamBehaviour.NeverAnswers;
        Task<DocumentAnswer> known = GetAsync(s_reflog), other = GetAsync(unknown);
        await _proxy.Upstream.RequestsArrivedAsync(unknown.UrlPath);

        _proxy.Time.Advance(_proxy.Get<ProxyOptions>().AnswerTimeout);

        Assert.Equal(new DocumentAnswer(held, RequestResult.Stale, null), await known);
        Assert.Equal((RequestResult.Failed, "no Stratum 1 has answered in time"), ((await other).Result, (await other).Failure!.Detail));
    }

    /// <summary>A document as long as its kind may be, and one byte more.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Fetch_OfTheLongestManifest_IsTakenAndNoLongerOne(int more, bool isTaken)
    {
        DocumentRequest request = s_reflog with { Path = SignedDocuments.ManifestPath };
        _proxy.Upstream.Put(request.UrlPath, new byte[Manifest.MaxBytes + more]);

        (CachedDocument? document, UpstreamFailure? failure) =
            await _proxy.Get<DocumentFetcher>().FetchAsync(request, default).InTimeAsync();

        Assert.Equal((isTaken, !isTaken), (document is not null, failure is not null));
        Assert.Equal(0, Budget.Taken);
    }

    private Task<DocumentAnswer> GetAsync(DocumentRequest request) => Cache.GetAsync(request, default).AsTask().InTimeAsync();
}
