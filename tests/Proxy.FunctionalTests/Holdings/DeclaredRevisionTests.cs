using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Holdings;

/// <summary><c>Repositories:&lt;name&gt;:AllowRevision</c>: back once, on each machine that has the settings.</summary>
public sealed class DeclaredRevisionTests : IAsyncLifetime
{
    private const string Fqrn = "minios.example.org";
    private const string ManifestUrl = "/cvmfs/" + Fqrn + "/.cvmfspublished";

    private static readonly byte[] s_first = FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v1");
    private static readonly byte[] s_second = FixtureRepository.ReadFixtureFile("minios/cvmfspublished.v2");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, _keys.Combine(Fqrn + ".pub"));
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Repositories:KeysDirectory"] = _keys.Path }, _time, _stratum1);
        Assert.Equal(s_second, await NextAsync(s_second));
        Assert.Equal(s_second, await NextAsync(s_first));
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task AllowRevision_AtAReload_CountsOnce_AlsoAfterARestart()
    {
        Allow("1");
        Assert.Equal(s_second, await NextAsync(s_second)); // it waits until it is needed
        Assert.Equal(s_first, await NextAsync(s_first));
        Assert.Equal(s_second, await NextAsync(s_second));
        Assert.Equal(s_second, await NextAsync(s_first));

        await _proxy.RestartAsync();
        Assert.Equal(s_second, await NextAsync(s_first));
        Assert.Equal(DeclaredState.Done, Declared().State);

        // Taken out and put back it is a new permission.
        Allow(null);
        Allow("1");
        Assert.Equal(DeclaredState.Waits, Declared().State);
        Assert.Equal(s_first, await NextAsync(s_first));
    }

    [Fact]
    public async Task AllowRevision_OfANodeThatWasAway_IsTakenAtItsStart_AndNotBelowIt()
    {
        await _proxy.RestartAsync(Setting("2"));
        Assert.Equal(s_second, await NextAsync(s_first));

        await _proxy.RestartAsync(Setting("1"));
        Assert.Equal(s_first, await NextAsync(s_first));
    }

    [Fact]
    public async Task AllowRevision_TakenOutBeforeItWasUsed_AllowsNothing()
    {
        Allow("1");
        Allow(null);

        Assert.Equal(s_second, await NextAsync(s_first));
    }

    private void Allow(string? revision) => _proxy.Change(Setting(revision));

    private static Dictionary<string, string?> Setting(string? revision) =>
        new() { [$"Repositories:{Fqrn}:AllowRevision"] = revision };

    private Declared Declared() => Assert.Single(_proxy.Services.GetRequiredService<Declarations>().All);

    /// <summary>What is served a minute after the Stratum 1 has this.</summary>
    private async Task<byte[]> NextAsync(byte[] manifest)
    {
        _stratum1.Put(ManifestUrl, manifest);
        _time.Advance(TimeSpan.FromSeconds(62));
        return (await _proxy.GetAsync(ManifestUrl)).Body;
    }
}
