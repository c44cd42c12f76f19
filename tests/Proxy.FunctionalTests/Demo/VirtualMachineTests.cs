using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Demo;

/// <summary>
/// The demo's VM must see every fault that a proxy can show it: a client that overlooks one would call a broken proxy good. A scripted
/// server stands in for the proxy.
/// </summary>
public sealed class VirtualMachineTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _server = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private readonly DemoRepository _repository = DemoRepository.Load();
    private readonly StallWatch _watch = new();
    private BootPlan _plan = null!;
    private PhaseTally _tally = null!;
    private string _file = "";

    public Task InitializeAsync()
    {
        _server.Put(DemoRepository.ManifestPath, _repository.Find(DemoRepository.ManifestPath, 1));
        _plan = _repository.Boots[0];
        _tally = new PhaseTally(_plan);
        _file = _plan.Files[40].Path;
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _watch.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public void DemoRepository_RecordedBoots_AreTheFixtures()
    {
        Assert.Equal((213, 211), (_plan.Count, _plan.Objects.Count));
        Assert.Equal((214, 212), (_repository.Boots[1].Count, _repository.Boots[1].Objects.Count));
        Assert.Equal(13, _repository.ObjectsNewInRevision2);
        Assert.Equal(".cvmfspublished", Path.GetFileName(_plan.Mount[0].Path));
        Assert.All(_plan.Files, f => Assert.True(f.IsObject && f.Key.Kind is 0 or ObjectKind.Chunk));
    }

    [Fact]
    public async Task Boot_GoodServer_AsksOnceForEverythingInOrderOfTheMount()
    {
        await BootAsync();
        AssertCounts(boots: 1, wrongBodies: 0, errors: 0, exiles: 0);
        Assert.Equal((213, 211, 211), (_tally.Requests, _tally.ObjectRequests, _tally.DistinctObjects));
        Assert.Equal(_plan.Mount.Select(r => r.Path), _server.Requests.Take(_plan.Mount.Count).Select(r => r.Path));
        Assert.All(_server.Requests, r => Assert.StartsWith("http://s1.example.org/cvmfs/", r.Target, StringComparison.Ordinal));
        Assert.True(_server.ConnectionsAccepted <= VirtualMachine.MaxConnections);
    }

    [Fact]
    public async Task Boot_ChunkedAndUnframedBodies_AreRight()
    {
        _server.Everything = new UpstreamBehaviour { Chunked = true };
        _server.Script(_file, new UpstreamBehaviour { EndsWithConnection = true });
        await BootAsync();
        AssertCounts(boots: 1, wrongBodies: 0, errors: 0, exiles: 0);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(502)]
    [InlineData(504)]
    public async Task Boot_ErrorStatusOnce_NextHostAndNoExile(int status)
    {
        _server.ScriptNext(_file, UpstreamBehaviour.WithStatus(status));
        await BootAsync();
        AssertCounts(boots: 1, wrongBodies: 0, errors: 0, exiles: 0);
        Assert.Equal(
            ["http://s1.example.org" + _file, "http://s2.example.org" + _file],
            _server.Requests.Where(r => r.Path == _file).Select(r => r.Target));
    }

    [Fact]
    public async Task Boot_ErrorStatusAlways_IsAnErrorAndNotAnExile()
    {
        _server.Script(_file, UpstreamBehaviour.WithStatus(503));
        await BootAsync();
        AssertCounts(boots: 0, wrongBodies: 0, errors: 1, exiles: 0);
    }

    [Fact]
    public async Task Boot_WrongBodyOnce_IsCountedAndAskedForAgainWithNoCache()
    {
        _server.ScriptNext(_file, UpstreamBehaviour.FlipsBitAt(3));
        await BootAsync();
        AssertCounts(boots: 1, wrongBodies: 1, errors: 0, exiles: 0);
        Assert.Equal([null, "no-cache"], _server.Requests.Where(r => r.Path == _file).Select(r => r.Header("Cache-Control")));
    }

    [Fact]
    public async Task Boot_DoubledHtmlOrCodedBodies_AreWrongBodies()
    {
        _server.ScriptNext(_plan.Files[1].Path, UpstreamBehaviour.Doubled);
        _server.ScriptNext(_plan.Files[2].Path, UpstreamBehaviour.HtmlPage);
        _server.ScriptNext(_plan.Files[3].Path, new UpstreamBehaviour { GzipEncode = true });
        _server.ScriptNext(DemoRepository.ManifestPath,
            new UpstreamBehaviour { ReplaceBody = _repository.Find(DemoRepository.ManifestPath, 2) });
        await BootAsync();
        AssertCounts(boots: 1, wrongBodies: 4, errors: 0, exiles: 0);
    }

    [Fact]
    public async Task Boot_Truncated_IsAnExile() => await BootWithAsync(UpstreamBehaviour.TruncatesAt(5));

    [Fact]
    public async Task Boot_Reset_IsAnExile() => await BootWithAsync(new UpstreamBehaviour { ResetAt = 5 });

    [Fact]
    public async Task Boot_Forbidden_IsAnExile() => await BootWithAsync(UpstreamBehaviour.WithStatus(403));

    [Fact]
    public async Task Boot_StallsInTheBody_IsAnExile() => await BootWithAsync(UpstreamBehaviour.StallsAt(5));

    [Fact]
    public async Task Boot_NeverAnswers_IsAnExile() => await BootWithAsync(UpstreamBehaviour.NeverAnswers);

    [Fact]
    public async Task Boot_Drips_IsAnExile() => await BootWithAsync(new UpstreamBehaviour { BytesPerSecond = 200 });

    [Fact]
    public async Task Boot_IdleConnectionWasClosed_IsSentAgainAndNoExile()
    {
        // The server says nothing of closing; the client finds out when it uses the connection again.
        _server.Script(_plan.Mount[2].Path, new UpstreamBehaviour { CloseAfterAnswer = true, ExtraHeaders = ["Connection: keep-alive"] });
        await BootAsync();
        AssertCounts(boots: 1, wrongBodies: 0, errors: 0, exiles: 0);
    }

    private Task BootAsync() =>
        new VirtualMachine(_plan, _server.EndPoint, null, _tally, _watch).BootAsync(CancellationToken.None);

    private async Task BootWithAsync(UpstreamBehaviour fault)
    {
        // The largest, so that no fault is over before its body has begun to matter.
        string path = FixtureRepository.MiniOs.UrlPath(_plan.Files.MaxBy(f => f.Expected.Length)!.Key);
        _server.Script(path, fault);
        await BootAsync();
        AssertCounts(boots: 0, wrongBodies: 0, errors: 0, exiles: 1);
        Assert.Contains(path, Assert.Single(_tally.Messages), StringComparison.Ordinal);
    }

    private void AssertCounts(int boots, int wrongBodies, int errors, int exiles) => Assert.Equal(
        (boots, wrongBodies, errors, exiles),
        (_tally.Boots.Count, _tally.WrongBodies, _tally.Errors, _tally.Exiles));
}
