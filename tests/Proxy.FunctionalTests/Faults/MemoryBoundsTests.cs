using System.Globalization;
using System.Text;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>Each collection that clients or a Stratum 1 can fill is filled, beyond its bound (docs/develop/memory-bounds.md).</summary>
public sealed class MemoryBoundsTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync() => _proxy = await ProxyUnderTest.StartAsync(
        new Dictionary<string, string?> { ["Proxy:MaxConcurrentFetches"] = "4" }, null, _upstream);

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task GeoQuestions_WithLongNames_CostLittleEach()
    {
        _upstream.Everything = new UpstreamBehaviour { ReplaceBody = "1,2\n"u8.ToArray(), CacheControl = "max-age=21600" };
        string tail = new('x', 3900);
        await AskAllAsync(Enumerable.Range(0, 2_000).Select(i => $"/cvmfs/tiny.example.org/api/v1.0/geo/{i}-{tail}/a,b"), 200);

        Assert.InRange(Held.Geo, 1, 2_000 * 1024);
    }

    [Fact]
    public async Task GeoAnswers_AsLongAsTheyMayBe_StayWithinTheirBytes()
    {
        _upstream.Everything = new UpstreamBehaviour { ReplaceBody = Fill(60 << 10, (byte)'1'), CacheControl = "max-age=21600" };
        await AskAllAsync(Enumerable.Range(0, 400).Select(i => $"/cvmfs/tiny.example.org/api/v1.0/geo/{i}/a,b"), 200);
        Assert.InRange(Held.Geo, 0, DocumentCache.MaxGeoBytes);

        // One that is too long is not an order of Stratum 1s: an answer is made here.
        _upstream.Everything = new UpstreamBehaviour { ReplaceBody = Fill(1 << 20, (byte)'1') };
        RawResponse answer = await _proxy.GetAsync("/cvmfs/tiny.example.org/api/v1.0/geo/long/a,b");
        Assert.Equal((200, true), (answer.Status, answer.Body.Length < 100));
    }

    [Fact]
    public async Task Documents_OfMadeUpRepositories_StayWithinTheirBytesInMemoryAndInTheStore()
    {
        _upstream.Everything = new UpstreamBehaviour { ReplaceBody = Fill(100 << 10, (byte)'d') };
        await AskAllAsync(Enumerable.Range(0, 1_500).Select(i => $"/cvmfs/made-up-{i}.example.org/.cvmfsreflog"), 200);

        Assert.InRange(Held.Documents, 1, DocumentCache.MaxDocumentBytes);
        Assert.InRange(_proxy.Services.GetRequiredService<DocumentArchive>().Held.Bytes, 1, DocumentArchive.MaxBytes);
        Assert.InRange(_proxy.Store.Documents.Keys().Count, 1, (int)(DocumentArchive.MaxBytes / (100 << 10)));
    }

    [Fact]
    public async Task Documents_ThatNobodyHas_AreRememberedWithinTheirBytes()
    {
        string tail = new('x', 3900);
        await AskAllAsync(Enumerable.Range(0, 3_000).Select(i => $"/cvmfs/tiny.example.org/.cvmfs{i}-{tail}"), 404);

        Assert.InRange(Held.Failures, 1, Math.Min(DocumentCache.MaxFailureBytes, 3_000 * 2048));
    }

    [Fact]
    public async Task Manifests_OfMadeUpRepositories_AreForgottenAgain()
    {
        SignedDocuments documents = _proxy.Services.GetRequiredService<SignedDocuments>();
        DocumentArchive archive = _proxy.Services.GetRequiredService<DocumentArchive>();
        IEnumerable<RepositoryRoute> routes = Enumerable.Range(0, 2 * ShownPairs.MaxRepositories)
            .Select(i => new RepositoryRoute(Fqrn.Parse($"made-up-{i}.example.org"), "test"));
        foreach (RepositoryRoute[] some in routes.Chunk(32))
        {
            await Task.WhenAll(some.Select(route => Task.Run(() =>
                archive.KeepAsync($"test/{route.Fqrn}/{SignedDocuments.ManifestPath}", Manifest(route.Fqrn.ToString())))));
            Assert.All(some, route => Assert.NotNull(documents.Find(route)));
        }

        Assert.InRange(documents.Repositories.Count, 1, ShownPairs.MaxRepositories);
    }

    [Fact]
    public async Task ObjectNames_AskedForInMadeUpRepositories_AreNotKept()
    {
        ObjectNames names = _proxy.Services.GetRequiredService<ObjectNames>();
        var key = new SyntheticObject(1_000).Key;
        for (int i = 0; i < 50_000; i++)
        {
            Assert.Null(names.Find(Fqrn.Parse($"made-up-{i}.example.org"), key));
        }

        // the reader of names has had its turn by then, or has nothing to read anyway
        await _proxy.GetAsync("/cvmfs/tiny.example.org/.cvmfspublished");
        Assert.Equal((0, 0L), names.Held);
    }

    [Fact]
    public async Task WorkingSets_LearnedOfMadeUpRepositories_MakeRoomForEachOther()
    {
        WorkingSetStore sets = _proxy.Services.GetRequiredService<WorkingSetStore>();
        await sets.PutAsync(Set("given.example.org", WorkingSetSource.Given, 0));
        for (int i = 0; i < WorkingSetStore.MaxLearned + 100; i++)
        {
            await sets.PutAsync(Set($"made-up-{i}.example.org", WorkingSetSource.Learned, i));
        }

        Assert.Equal(WorkingSetStore.MaxLearned + 1, sets.All.Count);
        Assert.Equal(WorkingSetStore.MaxLearned + 1, _proxy.Store.Documents.Keys("workingset/").Count);
        Assert.NotNull(sets.Find(Fqrn.Parse("given.example.org"), "boot"));
        Assert.Null(sets.Find(Fqrn.Parse("made-up-0.example.org"), "boot"));
    }

    [Fact]
    public async Task Clients_ThatAskAndLeave_DoNotMakeTheLineLonger()
    {
        _upstream.Everything = UpstreamBehaviour.NeverAnswers;
        FetchCoordinator fetches = _proxy.Services.GetRequiredService<FetchCoordinator>();
        for (int i = 0; i < 300; i++)
        {
            using RawHttpClient client = await _proxy.ConnectAsync();
            await client.SendAsync(RawHttpClient.Request("GET", new SyntheticObject(1_000 + i).Url));
        }

        // Those that run go on for the store's sake; those that had not begun are given up with their only client.
        await Waiting.UntilAsync(() => fetches.InFlight.Count <= 4);
    }

    private (long Documents, long Geo, long Failures) Held => _proxy.Services.GetRequiredService<DocumentCache>().Held;

    private async Task AskAllAsync(IEnumerable<string> targets, int status) => await Task.WhenAll(targets.Chunk(100).Select(async chunk =>
    {
        using RawHttpClient client = await _proxy.ConnectAsync();
        foreach (string target in chunk)
        {
            await client.SendAsync(RawHttpClient.Request("GET", target));
            Assert.Equal(status, (await client.ReadResponseAsync()).Status);
        }
    }));

    private static byte[] Fill(int count, byte value)
    {
        byte[] bytes = new byte[count];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    private static WorkingSet Set(string repository, WorkingSetSource source, int age) => new()
    {
        Repository = Fqrn.Parse(repository),
        Name = "boot",
        Source = source,
        Snapshots = [WorkingSet.Trunk],
        UpdatedAt = DateTimeOffset.UnixEpoch.AddMinutes(age),
        Entries = [new WorkingSetEntry { Path = "/bin/sh", IsLiteral = true }],
    };

    private static CachedDocument Manifest(string fqrn)
    {
        string text =
            string.Create(CultureInfo.InvariantCulture,
            $"C{0:x40}\nB100\nRd41d8cd98f00b204e9800998ecf8427e\nD240\nS1\nGno\nAno\nN{fqrn}\nT1700000000\n");
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA1.HashData(Encoding.ASCII.GetBytes(text)));
        return new CachedDocument(Encoding.ASCII.GetBytes($"{text}--\n{hash}\nsig"), "application/x-cvmfs", TimeSpan.FromSeconds(61),
            Moment.Now(TimeProvider.System), TimeSpan.Zero, "s1");
    }
}
