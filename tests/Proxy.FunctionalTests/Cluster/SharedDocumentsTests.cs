using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>Manifests and whitelists among nodes: checked once a site, the highest verified revision wins, none goes back.</summary>
public sealed class SharedDocumentsTests : IAsyncLifetime
{
    private const string Fqrn = "minios.example.org";
    private const string ManifestUrl = "/cvmfs/" + Fqrn + "/.cvmfspublished";

    private static readonly byte[] s_first = FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v1");
    private static readonly byte[] s_second = FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v2");

    private readonly SteppedTime _time = new(TimeProvider.System);
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private SiteOfNodes? _site;

    public Task InitializeAsync()
    {
        _time.SetWall(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero)); // the fixture's whitelist is in force
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, _keys.Combine(Fqrn + ".pub"));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        if (_site is not null)
        {
            await _site.DisposeAsync();
        }

        await _upstream.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task Manifest_AskedOfEveryNode_IsCheckedOnceASite()
    {
        await StartAsync();
        int owner = _site!.OwnerOf(Ring.KeyOf(Fqrn));

        foreach (int node in _site.Running)
        {
            Assert.Equal(s_second, (await _site[node].GetAsync(ManifestUrl)).Body);
        }

        Assert.Equal(1, _upstream.RequestCount(ManifestUrl));
        Assert.NotNull(Signed(owner).Find(RouteOf(owner)));
    }

    [Fact]
    public async Task Revision_ThatOnlyOneNodeHas_ComesToAllByItself()
    {
        await StartAsync();
        _upstream.Put(ManifestUrl, s_first);
        foreach (int node in _site!.Running)
        {
            Assert.Equal(s_first, (await _site[node].GetAsync(ManifestUrl)).Body);
        }

        // One node gets the new revision, as after a partition; to the others nobody tells it, and their Stratum 1 is behind.
        int ahead = (_site.OwnerOf(Ring.KeyOf(Fqrn)) + 1) % 3;
        _upstream.Put(ManifestUrl, s_second);
        await Signed(ahead).CheckAtAsync(RouteOf(ahead), Stratum1Of(ahead));
        _upstream.Put(ManifestUrl, s_first);

        await Waiting.UntilAsync(() => _site.Running.All(HasSecond));
    }

    [Fact]
    public async Task Manifest_OfANodeThatIsBehind_IsNotTaken()
    {
        await StartAsync();
        int owner = _site!.OwnerOf(Ring.KeyOf(Fqrn));
        int other = (owner + 1) % 3;
        _upstream.Put(ManifestUrl, s_first);
        await _site[owner].GetAsync(ManifestUrl);
        _upstream.Put(ManifestUrl, s_second);
        await Signed(other).CheckAtAsync(RouteOf(other), Stratum1Of(other));

        await Signed(other).CheckAtAsync(RouteOf(other), _site.Nodes(other).View.Others[$"n{owner}"]);

        Assert.True(Signed(other).Find(RouteOf(other))!.Manifest.Body.Span.SequenceEqual(s_second));
    }

    [Fact]
    public async Task Node_WhoseClockIsADayAhead_WinsNothing()
    {
        var ahead = new SteppedTime(TimeProvider.System);
        ahead.SetWall(new DateTimeOffset(2026, 12, 2, 0, 0, 0, TimeSpan.Zero));
        int wrong = 1;
        _site = await SiteOfNodes.StartAsync(3, [_upstream], _ => new() { ["Repositories:KeysDirectory"] = _keys.Path },
            times: node => node == wrong ? ahead : _time);
        _upstream.Put(ManifestUrl, s_first);
        foreach (int node in _site.Running)
        {
            Assert.Equal(s_first, (await _site[node].GetAsync(ManifestUrl)).Body);
        }

        // What the others found out is newer by its revision, whatever a clock says: it comes to this one, and the old one to nobody.
        int right = (wrong + 1) % 3;
        _upstream.Put(ManifestUrl, s_second);
        await Signed(right).CheckAtAsync(RouteOf(right), Stratum1Of(right));
        _upstream.Put(ManifestUrl, s_first);
        await Waiting.UntilAsync(() => _site.Running.All(HasSecond));
        await Signed(right).CheckAtAsync(RouteOf(right), _site.Nodes(right).View.Others[$"n{wrong}"]);

        Assert.All(_site.Running, node => Assert.True(HasSecond(node)));
        Assert.All(_site.Running, node => Assert.Equal(3, _site.Nodes(node).View.Ring.Members.Count));
    }

    private bool HasSecond(int node) => Signed(node).Find(RouteOf(node))!.Manifest.Body.Span.SequenceEqual(s_second);

    private async Task StartAsync() => _site = await SiteOfNodes.StartAsync(3, [_upstream],
        _ => new() { ["Repositories:KeysDirectory"] = _keys.Path }, _time);

    private SignedDocuments Signed(int node) => _site![node].Services.GetRequiredService<SignedDocuments>();

    private RepositoryRoute RouteOf(int node)
    {
        RepositoryRoutes routes = _site![node].Services.GetRequiredService<RepositoryRoutes>();
        Assert.True(routes.TryFind("minios.example.org"u8, out RepositoryRoute? route));
        return route;
    }

    private Stratum1 Stratum1Of(int node) => _site![node].Services.GetRequiredService<Stratum1Directory>().Order("test", null)[0];
}
