using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Holdings;

/// <summary>What is said of a pin that is as declared, minute after minute.</summary>
public sealed class DeclaredAgainTests : IAsyncLifetime
{
    private static readonly FixtureRepository s_minios = FixtureRepository.MiniOs;

    private readonly BuiltDocuments _proxy = new();
    private readonly LogLines<Declarations> _log = new();

    public Task InitializeAsync()
    {
        _proxy.Upstream.Serve(s_minios);
        return _proxy.OpenAsync();
    }

    public async Task DisposeAsync() => await _proxy.DisposeAsync();

    [Fact]
    public async Task Pin_ThatIsAsDeclared_IsToldOfOnceHoweverOftenItIsLookedAt()
    {
        var settings = new BreakwaterSettings
        {
            Proxy = new ProxyOptions(),
            Access = new AccessOptions(),
            Store = new StoreOptions(),
            Repositories = new Dictionary<string, RepositoryOptions>(),
            Pins = new Dictionary<string, PinOptions>
            {
                ["x"] = new PinOptions { Repository = s_minios.Fqrn, Paths = ["/cvm4/etc/release"] },
            },
        };
        using Declarations declarations = new(
            settings, _proxy.Get<DeclaredSeeds>(), _proxy.Get<DeclaredPins>(), _proxy.Get<AllowedRevisions>(), _proxy.Time, _log);

        await declarations.StartAsync(default).InTimeAsync();
        await Waiting.UntilAsync(() => _log.Said.Count > 0);
        await Waiting.UntilAsync(() =>
        {
            _proxy.Time.Advance(TimeSpan.FromSeconds(62)); // the next look, and the manifest is to be checked by then
            return _proxy.Upstream.RequestCount(s_minios.UrlPath(SignedDocuments.ManifestPath)) > 3;
        });

        Assert.Equal("Pins:x is as declared", Assert.Single(_log.Said));
        Assert.Empty(declarations.Find());
        Assert.Equal(DeclaredState.Done, declarations.All.Single().State);
        await declarations.StopAsync(default).InTimeAsync();
    }
}
