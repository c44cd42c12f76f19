using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.WorkingSets;

/// <summary>The real proxy, real boots of minios.example.org, a real publish.</summary>
public sealed class WorkingSetTests : IAsyncLifetime
{
    private const string Name = "minios.example.org";
    private const string ManifestUrl = "/cvmfs/" + Name + "/.cvmfspublished";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs, FixtureRepository.Tiny);
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, _keys.Combine(Name + ".pub"));
        Publish(1);
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, _time,
            _stratum1);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task Publish_AfterThreeLearnedBoots_FetchesExactlyWhatIsNewAndTheNextVmAsksNothing()
    {
        await Task.WhenAll(
            BootAsync(1, "127.0.0.11"),
            BootAsync(1, "127.0.0.12"),
            BootAsync(1, "127.0.0.12"),
            OtherTrafficAsync("127.0.0.11"));
        await LearnAsync(boots: 3);

        await PublishAndExpectExactlyTheNewObjectsAsync();
    }

    [Fact]
    public async Task Publish_AfterImportOfAClientsTraceAlone_FetchesExactlyWhatIsNewAndTheNextVmAsksNothing()
    {
        WorkingSetImport import = new(_proxy.Services.GetRequiredService<SnapshotSource>(), Signed, _time);
        WorkingSet set =
            (await import.ReadAsync(Route, "boot", "HEAD4", null, FixtureRepository.ReadFixtureFile("minios/boot-trace.v1.csv"),
            default)).Value!.Set;
        await Sets.PutAsync(set);
        await WarmAsync();
        Assert.Equal(Objects(1).ToHashSet(), Asked(0).ToHashSet());

        await PublishAndExpectExactlyTheNewObjectsAsync();
    }

    [Fact]
    public async Task Publish_WhileTheWorkingSetIsOnItsWay_ShowsTheOldRevisionUntilItIsHereOrTheHoldIsOver()
    {
        Gate gate = await PublishWhoseWorkingSetIsOnItsWayAsync();

        RawResponse held = await _proxy.GetAsync(ManifestUrl);
        _time.Advance(TimeSpan.FromSeconds(31));
        RawResponse shown = await _proxy.GetAsync(ManifestUrl);
        gate.Open();

        Assert.Equal(FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v1"), held.Body);
        Assert.Equal(FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v2"), shown.Body);
    }

    [Fact]
    public async Task Publish_WithoutHold_ShowsTheNewRevisionWhileItsWorkingSetIsOnItsWay()
    {
        await RestartWithAsync("WorkingSets:Hold", "00:00:00");
        Gate gate = await PublishWhoseWorkingSetIsOnItsWayAsync();

        RawResponse shown = await _proxy.GetAsync(ManifestUrl);
        gate.Open();

        Assert.Equal(FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v2"), shown.Body);
    }

    [Fact]
    public async Task Publish_WithoutPrefetch_FetchesWhenAVmAsks()
    {
        await RestartWithAsync("WorkingSets:Prefetch", "false");
        await BootAsync(1, "127.0.0.11");
        await LearnAsync(boots: 1);
        Publish(2);
        _time.Advance(TimeSpan.FromSeconds(62));
        await _proxy.GetAsync(ManifestUrl);
        int before = _stratum1.Requests.Count;

        await BootAsync(2, "127.0.0.21");

        Assert.Equal(Objects(2).Except(Objects(1)).ToHashSet(), Asked(before).ToHashSet());
    }

    [Fact]
    public async Task Sets_AfterARestart_AreKeptAndGoOnLearning()
    {
        await BootAsync(1, "127.0.0.11");
        await LearnAsync(boots: 1);
        WorkingSet before = Sets.All.Single();
        await Waiting.UntilAsync(() =>
            _proxy.Services.GetRequiredService<Breakwater.CacheStore.Documents.IDocumentStore>().Keys("workingset/").Count == 1);

        await _proxy.RestartAsync();

        Assert.Equal(before.Entries.Select(entry => entry.Path), Sets.All.Single().Entries.Select(entry => entry.Path));
        await BootAsync(1, "127.0.0.12");
        await LearnAsync(boots: 2);
    }

    [Fact]
    public async Task Admin_ListExportImportWarmNamesRemove_Work()
    {
        using var client = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());
        using var pins = new MemoryStream();
        WorkingSetView imported = await client.UploadAsync<WorkingSetView>(
            $"working-sets/{Name}/pins?tag=HEAD4&pinFile=%2Fcvm4%2F.ucernvm_pinfiles", pins, default);
        List<WarmReport> reports = [];
        await foreach (WarmReport report
            in client.StreamAsync<WarmReport>(HttpMethod.Post, "warm", new WarmOrder(Name, WorkingSet: "pins"), default))
        {
            reports.Add(report);
        }

        int before = _stratum1.ObjectRequestCount;
        string[] names =
            await client.GetAsync<string[]>($"repositories/{Name}/names/{Objects(1).First(key => key.Kind == ObjectKind.Chunk)}", default);

        Assert.Equal((4, null, WorkingSetSource.Repository), (imported.Entries, imported.SkippedLines, imported.Source));
        Assert.True(reports[^1] is { IsDone: true, Failed: 0, Problem: null });
        Assert.Equal(reports[^1].Total, reports[^1].Present + reports[^1].Fetched);
        Assert.Equal("/cvm4/bin/busybox", Assert.Single(names));
        Assert.Equal(before, _stratum1.ObjectRequestCount);
        Assert.Single(await client.GetAsync<WorkingSetView[]>("working-sets", default));
        Assert.Equal("verified", (await client.GetAsync<RepositoryView[]>("repositories", default)).Single().Trust);
        await client.DeleteAsync<object>($"working-sets/{Name}/pins", default);
        Assert.Empty(await client.GetAsync<WorkingSetView[]>("working-sets", default));
    }

    [Fact]
    public async Task Warm_WholeSnapshotByTag_BringsAndPinsEveryObjectOfIt()
    {
        using var client = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());
        WarmReport last = null!;
        await foreach (WarmReport report
            in client.StreamAsync<WarmReport>(HttpMethod.Post, "warm", new WarmOrder(Name, Tag: "v1", All: true), default))
        {
            last = report;
        }

        Assert.True(last is { IsDone: true, Failed: 0, Problem: null }, last.ToString());
        Assert.All(Objects(1), key => Assert.True(_proxy.Store.Contains(key)));
        Assert.All(Objects(1), key => Assert.True(_proxy.Store.Pins.IsPinned(key)));
    }

    [Theory]
    [InlineData("nosuch", null, null, "no tag 'nosuch'")]
    [InlineData("nosuch", "/**", null, "no tag 'nosuch'")]
    [InlineData("nosuch", null, "pins", "no tag 'nosuch'")]
    [InlineData(null, "/no/such/file", null, "nothing at /no/such/file")]
    [InlineData("v1", "/no/such/*", null, "nothing at /no/such/*")]
    public async Task Warm_OfWhatDoesNotExist_IsAnErrorAndChangesNoPin(string? tag, string? path, string? set, string says)
    {
        using var client = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());
        using var pins = new MemoryStream();
        await client.UploadAsync<WorkingSetView>($"working-sets/{Name}/pins?tag=HEAD4&pinFile=%2Fcvm4%2F.ucernvm_pinfiles", pins, default);
        Assert.Null((await WarmAsync(client, new WarmOrder(Name))).Problem);
        Assert.Null((await WarmAsync(client, new WarmOrder(Name, Tag: tag == "v1" ? tag : null, All: true))).Problem);
        Dictionary<string, int> before = Pinned();
        Assert.All(before.Values, objects => Assert.True(objects > 0));

        WarmReport report =
            await WarmAsync(client,
            new WarmOrder(Name, Tag: tag, Paths: path is null ? null : [path, "/cvm4/bin/busybox"], WorkingSet: set));

        Assert.True(report.IsDone);
        Assert.Contains(says, report.Problem, StringComparison.Ordinal);
        Assert.Equal(before, Pinned());
    }

    // /etc/passwd was taken, and then was "100.0 % complete".
    [Theory]
    [InlineData("")]
    [InlineData("root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")]
    [InlineData("/no/such/file\n/nor/this/one\n")]
    [InlineData("{}")]
    public async Task Import_OfWhatIsNoTrace_IsRefusedAndMakesNoSet(string text)
    {
        using var client = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(text));

        await Assert.ThrowsAsync<AdminException>(() => client.UploadAsync<WorkingSetView>($"working-sets/{Name}/strange", file, default));

        Assert.DoesNotContain(await client.GetAsync<WorkingSetView[]>("working-sets", default), set => set.Name == "strange");
    }

    [Fact]
    public async Task Warm_OneWorkingSet_LeavesThePinOfAllOfThem()
    {
        using var client = new AdminClient(_proxy.Services.GetRequiredService<BreakwaterSettings>());
        using var pins = new MemoryStream();
        await client.UploadAsync<WorkingSetView>($"working-sets/{Name}/pins?tag=HEAD4&pinFile=%2Fcvm4%2F.ucernvm_pinfiles", pins, default);
        using var other = new MemoryStream("/cvm4/bin/busybox\n"u8.ToArray());
        await client.UploadAsync<WorkingSetView>($"working-sets/{Name}/other", other, default);
        Assert.Null((await WarmAsync(client, new WarmOrder(Name))).Problem);
        Dictionary<string, int> before = Pinned();

        Assert.Null((await WarmAsync(client, new WarmOrder(Name, WorkingSet: "other"))).Problem);
        Assert.Null((await WarmAsync(client, new WarmOrder(Name, Tag: "v1"))).Problem);

        Assert.All(before, pin => Assert.Equal(pin.Value, Pinned()[pin.Key]));
    }

    private Dictionary<string, int> Pinned() => _proxy.Store.Pins.List().ToDictionary(set => set.Name, set => set.Objects);

    private static async Task<WarmReport> WarmAsync(AdminClient client, WarmOrder order)
    {
        WarmReport last = null!;
        await foreach (WarmReport report in client.StreamAsync<WarmReport>(HttpMethod.Post, "warm", order, default))
        {
            last = report;
        }

        return last;
    }

    private WorkingSetStore Sets => _proxy.Services.GetRequiredService<WorkingSetStore>();

    private SignedDocuments Signed => _proxy.Services.GetRequiredService<SignedDocuments>();

    private RepositoryRoute Route =>
        _proxy.Services.GetRequiredService<RepositoryRoutes>().TryFind("minios.example.org"u8, out RepositoryRoute? route) ? route : null!;

    private static List<ObjectKey> Objects(int revision) => [.. FixtureRepository.BootRequests(revision)
        .Select(url => FixtureRepository.TryParseObjectPath(url.AsSpan()[$"/cvmfs/{Name}/".Length..], out ObjectKey key)
        ? key
        : (ObjectKey?)null).OfType<ObjectKey>()];

    private async Task PublishAndExpectExactlyTheNewObjectsAsync()
    {
        int before = _stratum1.Requests.Count;
        Publish(2);
        _time.Advance(TimeSpan.FromSeconds(62)); // once: more would end the hold before its objects are here
        await Waiting.UntilAsync(() => Signed.Find(Route)?.Parsed.Revision == 2);

        List<ObjectKey> fetched = Asked(before);
        Assert.Equal(13, fetched.Count);
        Assert.Equal(Objects(2).Except(Objects(1)).ToHashSet(), fetched.ToHashSet());

        int afterPrefetch = _stratum1.Requests.Count;
        await BootAsync(2, "127.0.0.21");
        Assert.Empty(Asked(afterPrefetch));
    }

    /// <summary>Publishes revision 2, of whose working set one object comes when the gate is opened.</summary>
    private async Task<Gate> PublishWhoseWorkingSetIsOnItsWayAsync()
    {
        await BootAsync(1, "127.0.0.11");
        await LearnAsync(boots: 1);
        Gate gate = new();
        ObjectKey late = Objects(2).Except(Objects(1)).First(key => key.Kind == 0);
        _stratum1.Script(FixtureRepository.MiniOs.UrlPath(late), UpstreamBehaviour.Default with { HeadGate = gate });
        Publish(2);
        _time.Advance(TimeSpan.FromSeconds(62));
        await _stratum1.RequestsArrivedAsync(FixtureRepository.MiniOs.UrlPath(late));
        return gate;
    }

    private async Task RestartWithAsync(string setting, string value)
    {
        await _proxy.DisposeAsync();
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path, [setting] = value }, _time, _stratum1);
    }

    private async Task LearnAsync(int boots)
    {
        _time.Advance(TimeSpan.FromSeconds(25));
        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100)); // a round of learning that came before the records did is followed by another
            return Sets.Of(Fqrn.Parse(Name)) is [{ } set] && set.Boots == boots;
        });
    }

    private async Task WarmAsync()
    {
        await Signed.GetAsync(new DocumentRequest(DocumentKind.File, Route, SignedDocuments.ManifestPath, null), default);
        Assert.Null(await _proxy.Services.GetRequiredService<WorkingSetPreparer>().PrepareAsync(
            Route, Sets.Of(Fqrn.Parse(Name)), Signed.Find(Route)!.Parsed, new PrefetchProgress(), PrefetchAim.Store, null, default));
    }

    private List<ObjectKey> Asked(int since) => [.. _stratum1.Requests.Skip(since)
        .Where(request => request.Path.StartsWith($"/cvmfs/{Name}/", StringComparison.Ordinal))
        .Select(request => FixtureRepository.TryParseObjectPath(request.Path.AsSpan()[$"/cvmfs/{Name}/".Length..], out ObjectKey key)
        ? key
        : (ObjectKey?)null)
        .OfType<ObjectKey>()];

    private void Publish(int revision) =>
        _stratum1.Put(ManifestUrl, FixtureRepository.ReadFixtureFile($"minios/cvmfspublished.v{revision}"));

    /// <summary>One VM: one connection from an address of its own, the recorded requests in order, every body compared.</summary>
    private async Task BootAsync(int revision, string address)
    {
        using var vm = ClientAt(address);
        foreach (string url in FixtureRepository.BootRequests(revision))
        {
            byte[] body = await vm.GetByteArrayAsync(url);
            byte[] expected = url == ManifestUrl
                ? FixtureRepository.ReadFixtureFile($"minios/cvmfspublished.v{revision}")
                : FixtureRepository.MiniOs.Files[url[$"/cvmfs/{Name}/".Length..]];
            Assert.True(expected.AsSpan().SequenceEqual(body), url);
        }
    }

    private async Task OtherTrafficAsync(string address)
    {
        using var client = ClientAt(address);
        foreach (string file in FixtureRepository.Tiny.Files.Keys.Where(file => file.StartsWith("data/", StringComparison.Ordinal)))
        {
            await client.GetByteArrayAsync(FixtureRepository.Tiny.UrlPath(file));
        }
    }

    private HttpClient ClientAt(string address) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        MaxConnectionsPerServer = 1,
        ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(_proxy.EndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri($"http://{_proxy.EndPoint}/") };
}
