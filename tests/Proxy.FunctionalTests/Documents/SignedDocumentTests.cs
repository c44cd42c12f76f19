using System.Globalization;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Documents;

/// <summary>Manifests and whitelists through the real proxy, from Stratum 1s that lag, lie or are gone.</summary>
public sealed class SignedDocumentTests : IAsyncLifetime
{
    private const string Fqrn = "minios.example.org";
    private const string ManifestUrl = "/cvmfs/" + Fqrn + "/.cvmfspublished";
    private const string WhitelistUrl = "/cvmfs/" + Fqrn + "/.cvmfswhitelist";

    private static readonly byte[] s_first = FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v1");
    private static readonly byte[] s_second = FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v2");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _one = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private readonly ScriptedUpstream _two = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, _keys.Combine(Fqrn + ".pub"));
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, _time,
            _one, _two);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task Manifest_Tampered_ComesFromTheNextStratum1()
    {
        byte[] tampered = [.. s_second];
        tampered[3] ^= 1;
        _one.Put(ManifestUrl, tampered);

        Assert.Equal(s_second, (await _proxy.GetAsync(ManifestUrl)).Body);
    }

    [Fact]
    public async Task Manifest_TamperedEverywhere_TheLastGoodPairGoesOn()
    {
        await _proxy.GetAsync(ManifestUrl);
        byte[] tampered = [.. s_second];
        tampered[^1] ^= 1;
        _one.Put(ManifestUrl, tampered);
        _two.Put(ManifestUrl, tampered);
        _time.Advance(TimeSpan.FromSeconds(62));

        RawResponse response = await _proxy.GetAsync(ManifestUrl);

        Assert.Equal(s_second, response.Body);
        Assert.True(int.Parse(response.Header("Age")!, CultureInfo.InvariantCulture) >= 62);
        Assert.Contains("ManifestSignature", Signed.Repositories.Single().LastRefusal!.Reason.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Manifest_TamperedFromTheBeginning_IsAnErrorAndNeverServed()
    {
        byte[] tampered = [.. s_second];
        tampered[3] ^= 1;
        _one.Put(ManifestUrl, tampered);
        _two.Put(ManifestUrl, tampered);

        RawResponse response = await _proxy.GetAsync(ManifestUrl);

        Assert.Equal(502, response.Status);
        Assert.False(response.Body.AsSpan().SequenceEqual(tampered));
    }

    // 18: the first 404 of a manifest counted as a hit, so that one such request was "hits 100.0 %".
    [Fact]
    public async Task Manifest_ThatNobodyHas_IsAHitOnlyWhereItIsRemembered()
    {
        const string None = "/cvmfs/none.example.org/.cvmfspublished";

        RawResponse asked = await _proxy.GetAsync(None), remembered = await _proxy.GetAsync(None);

        Assert.Equal((404, 404), (asked.Status, remembered.Status));
        Assert.DoesNotContain("hit", asked.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.Contains("hit; detail=negative", remembered.Header("Cache-Status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Manifest_ThatIsNotHeldOffline_IsNoHit()
    {
        await using ProxyUnderTest offline =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:Offline"] = "true" }, _time, _one);

        RawResponse answer = await offline.GetAsync(ManifestUrl);

        Assert.Equal(404, answer.Status);
        Assert.DoesNotContain("hit", answer.Header("Cache-Status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Manifest_OfALaggingStratum1_DoesNotTakeTheRevisionBack()
    {
        await _proxy.GetAsync(ManifestUrl);
        _one.Put(ManifestUrl, s_first);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(s_second, (await _proxy.GetAsync(ManifestUrl)).Body);

        _two.Put(ManifestUrl, s_first);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(s_second, (await _proxy.GetAsync(ManifestUrl)).Body);
        await _proxy.RestartAsync();
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(s_second, (await _proxy.GetAsync(ManifestUrl)).Body);

        Signed.AllowRollback(Route, floor: 1);
        _time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(s_first, (await _proxy.GetAsync(ManifestUrl)).Body);
    }

    [Fact]
    public async Task Rollback_Allowed_CountsOnce()
    {
        await _proxy.GetAsync(ManifestUrl);
        Signed.AllowRollback(Route, floor: 1);
        Assert.Equal(s_first, await NextAsync(s_first));
        Assert.Equal(s_second, await NextAsync(s_second));
        Assert.Equal(s_second, await NextAsync(s_first));

        // Nor below its floor.
        Signed.AllowRollback(Route, floor: 2);
        Assert.Equal(s_second, await NextAsync(s_first));
    }

    [Fact]
    public async Task Pair_AllStratum1sDead_IsServedStaleAlsoAfterARestart()
    {
        await _proxy.GetAsync(ManifestUrl);
        _one.Everything = UpstreamBehaviour.ResetWithoutAnswer;
        _two.Everything = UpstreamBehaviour.ResetWithoutAnswer;
        _time.Advance(TimeSpan.FromHours(1));
        RawResponse stale = await _proxy.GetAsync(ManifestUrl);
        await _proxy.RestartAsync();
        RawResponse afterRestart = await _proxy.GetAsync(ManifestUrl);

        Assert.Equal(s_second, stale.Body);
        Assert.Equal("3600", stale.Header("Age"));
        Assert.Contains("fwd=stale", stale.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.Equal(s_second, afterRestart.Body);
        Assert.Equal(FixtureRepository.MiniOs.Files[".cvmfswhitelist"], (await _proxy.GetAsync(WhitelistUrl)).Body);
    }

    [Fact]
    public async Task Whitelist_OfAnotherRepository_IsRefused()
    {
        _one.Put(WhitelistUrl, FixtureRepository.Tiny.Files[".cvmfswhitelist"]);

        Assert.Equal(FixtureRepository.MiniOs.Files[".cvmfswhitelist"], (await _proxy.GetAsync(WhitelistUrl)).Body);
    }

    /// <summary>What is served a minute after the Stratum 1s have this.</summary>
    private async Task<byte[]> NextAsync(byte[] manifest)
    {
        _one.Put(ManifestUrl, manifest);
        _two.Put(ManifestUrl, manifest);
        _time.Advance(TimeSpan.FromSeconds(62));
        return (await _proxy.GetAsync(ManifestUrl)).Body;
    }

    private SignedDocuments Signed => _proxy.Services.GetRequiredService<SignedDocuments>();

    private RepositoryRoute Route =>
        _proxy.Services.GetRequiredService<RepositoryRoutes>().TryFind("minios.example.org"u8, out RepositoryRoute? route) ? route : null!;
}
