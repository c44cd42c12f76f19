using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.WorkingSets;

/// <summary>
/// How images are rolled out: a revision is published and tested, then the tag that VMs boot is moved to it. The manifest's revision and
/// root stay.
/// </summary>
public sealed class MovedTagTests : IAsyncLifetime
{
    private const string Fqrn = "minios.example.org";
    private const string ManifestUrl = "/cvmfs/" + Fqrn + "/.cvmfspublished";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryDirectory _keys = new();
    private readonly ForgedRepository _publisher = new(Fqrn);
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private readonly Manifest _first = Manifest.Parse(FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v1")).Value!;
    private readonly Manifest _second = Manifest.Parse(FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v2")).Value!;
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        File.WriteAllText(_keys.Combine(Fqrn + ".pub"), _publisher.MasterKeyPem);
        _stratum1.Put("/cvmfs/" + Fqrn + "/.cvmfswhitelist", _publisher.Whitelist);
        _stratum1.Put(_publisher.CertificateUrl(_publisher.OwnCertificate), _publisher.OwnCertificate);
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, _time,
            _stratum1);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
        _keys.Dispose();
        _publisher.Dispose();
    }

    [Fact]
    public async Task Tag_MovedAlone_IsHeldBackUntilItsObjectsAreHereAndBothImagesStayPinned()
    {
        Publish(_second.RootCatalog, _first.History!.Value);
        await WarmAsync("HEAD4");
        Gate gate = new();
        ObjectKey late = Objects(2).Except(Objects(1)).First(key => key.Kind == 0);
        _stratum1.Script(FixtureRepository.MiniOs.UrlPath(late), UpstreamBehaviour.Default with { HeadGate = gate });

        byte[] moved = Publish(_second.RootCatalog, _second.History!.Value);
        _time.Advance(TimeSpan.FromSeconds(62));
        byte[] held = (await _proxy.GetAsync(ManifestUrl)).Body;
        await _stratum1.RequestsArrivedAsync(FixtureRepository.MiniOs.UrlPath(late));
        Assert.NotEqual(moved, held);
        Assert.NotEqual(moved, (await _proxy.GetAsync(ManifestUrl)).Body);
        gate.Open();

        await Waiting.UntilAsync(() => Signed.Find(Route)?.Parsed.History == _second.History);
        Assert.Equal(moved, (await _proxy.GetAsync(ManifestUrl)).Body);
        Assert.All(Objects(2), key => Assert.True(_proxy.Store.Contains(key), key.ToString()));
        Assert.All(Objects(1).Concat(Objects(2)), key => Assert.True(_proxy.Store.Pins.IsPinned(key), key.ToString()));
    }

    [Fact]
    public async Task RootCatalog_ChangedUnderTheSameRevision_IsPreparedToo()
    {
        Publish(_first.RootCatalog, _first.History!.Value);
        await WarmAsync(null);

        byte[] changed = Publish(_second.RootCatalog, _first.History!.Value);
        _time.Advance(TimeSpan.FromSeconds(62));
        await _proxy.GetAsync(ManifestUrl);

        await Waiting.UntilAsync(() => Signed.Find(Route)?.Parsed.RootCatalog == _second.RootCatalog);
        Assert.Equal(changed, (await _proxy.GetAsync(ManifestUrl)).Body);
        Assert.All(Objects(2).Where(key => key.Kind == 0), key => Assert.True(_proxy.Store.Contains(key), key.ToString()));
    }

    [Theory]
    [InlineData('C')]
    [InlineData('H')]
    [InlineData('X')]
    [InlineData('M')]
    public void Manifest_AnyObjectItNames_MakesADifference(char letter)
    {
        string text = _publisher.ManifestText(7, _publisher.OwnCertificate) + $"H{new string('b', 40)}\nM{new string('c', 40)}\n";
        string other = string.Join('\n', text.Split('\n').Select(line => line.StartsWith(letter) ? letter + new string('d', 40) : line));
        Manifest before = Manifest.Parse(_publisher.Own.SignManifest(text)).Value!;

        Assert.True(before.NamesWhat(Manifest.Parse(_publisher.Own.SignManifest(text.Replace("S7", "S8", StringComparison.Ordinal)))
            .Value!));
        Assert.False(before.NamesWhat(Manifest.Parse(_publisher.Own.SignManifest(other)).Value!));
    }

    private SignedDocuments Signed => _proxy.Services.GetRequiredService<SignedDocuments>();

    private RepositoryRoute Route =>
        _proxy.Services.GetRequiredService<RepositoryRoutes>().TryFind("minios.example.org"u8, out RepositoryRoute? route) ? route : null!;

    /// <summary>What a boot of an image asks for, but the certificate: here it is the publisher's of this test.</summary>
    private static List<ObjectKey> Objects(int revision) => [.. FixtureRepository.BootRequests(revision)
        .Select(url => FixtureRepository.TryParseObjectPath(url.AsSpan()[$"/cvmfs/{Fqrn}/".Length..], out ObjectKey key)
        ? key
        : (ObjectKey?)null)
        .OfType<ObjectKey>().Where(key => key.Kind != ObjectKind.Certificate)];

    private byte[] Publish(ObjectKey root, ObjectKey history)
    {
        string text = _publisher.ManifestText(2, _publisher.OwnCertificate)
            .Replace(new string('a', 40), root.ToString()[..^1], StringComparison.Ordinal)
            .Replace("T1795454721",
            string.Create(CultureInfo.InvariantCulture, $"H{history.ToString()[..^1]}\nT{_time.GetUtcNow().ToUnixTimeSeconds()}"),
            StringComparison.Ordinal);
        byte[] signed = _publisher.Own.SignManifest(text);
        _stratum1.Put(ManifestUrl, signed);
        return signed;
    }

    private async Task WarmAsync(string? tag)
    {
        var import = new WorkingSetImport(_proxy.Services.GetRequiredService<SnapshotSource>(), Signed, _time);
        WorkingSet set =
            (await import.ReadAsync(Route, "boot", tag, null, FixtureRepository.ReadFixtureFile("minios/boot-trace.v1.csv"),
            default)).Value!.Set;
        await _proxy.Services.GetRequiredService<WorkingSetStore>().PutAsync(set);
        await Signed.GetAsync(new DocumentRequest(DocumentKind.File, Route, SignedDocuments.ManifestPath, null), default);
        Assert.Null(await _proxy.Services.GetRequiredService<WorkingSetPreparer>().PrepareAsync(
            Route, [set], Signed.Find(Route)!.Parsed, new PrefetchProgress(), PrefetchAim.Store, null, default));
    }
}
