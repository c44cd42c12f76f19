using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Guessing;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Boots;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.Hosting;

namespace Breakwater.Proxy.Tests.Guessing;

/// <summary>For which repositories there are guesses, and what is said of them in the end.</summary>
public sealed class GuesserTests : IAsyncLifetime
{
    private readonly BuiltDocuments _proxy = new();
    private readonly LogLines<Guesser> _log = new();
    private readonly WorkingSetOptions _options = new() { Guess = true };
    private Guesser _guesser = null!;

    public async Task InitializeAsync()
    {
        await _proxy.OpenAsync();
        _guesser = new Guesser(
            _proxy.Get<GuessServices>(), _proxy.Get<GuessCounters>(), _options, _proxy.Get<IHostApplicationLifetime>(), _log);
    }

    public async Task DisposeAsync() => await _proxy.DisposeAsync();

    [Fact]
    public void Observe_OfARequest_BeginsAtACatalogOfWhatIsNotKnownForFourRepositoriesAtMost()
    {
        ObjectKey catalog = BootFeed.Key(1, ObjectKind.Catalog);
        _guesser.Observe(Route(0), BootFeed.Key(1), _ => false);
        _guesser.Observe(Route(0), catalog, _ => true);
        _options.Guess = false;
        _guesser.Observe(Route(0), catalog, _ => false);
        _options.Guess = true;
        Assert.Equal(0, _guesser.Sessions);

        foreach (int number in (int[])[0, 0, 1, 2])
        {
            _guesser.Observe(Route(number), catalog, fqrn => fqrn != Route(number).Fqrn);
        }

        Assert.Equal(3, _guesser.Sessions);
        _guesser.Observe(Route(3), catalog, _ => false);
        _guesser.Observe(Route(4), catalog, _ => false);
        Assert.Equal(Guesser.MaxSessions, _guesser.Sessions);
    }

    [Fact]
    public async Task Session_ThatEnds_IsToldOfWhereAnythingWasGuessed()
    {
        await BootAsync(Route(0), hasNested: false);
        await BootAsync(Route(1), hasNested: true);
        await Waiting.UntilAsync(() => _log.Said.Count > 0);

        Assert.StartsWith("r1.example.org: nothing was known of its boots", Assert.Single(_log.Said), StringComparison.Ordinal);
        Assert.Contains("of 1 objects asked for, 0 were guessed; 1 guesses", _log.Said[0], StringComparison.Ordinal);
    }

    private static RepositoryRoute Route(int number) => new(Fqrn.Parse($"r{number}.example.org"), "test");

    /// <summary>A client asks for the root catalog, and for nothing more.</summary>
    private async Task BootAsync(RepositoryRoute route, bool hasNested)
    {
        using var repository = new WrittenRepository(_proxy.Upstream, route.Fqrn.ToString());
        ObjectKey nested = repository.PutCatalog("/n", []);
        ObjectKey root = hasNested ? repository.PutCatalog("", [], ("/n", nested, 4096)) : repository.PutCatalog("", []);
        repository.Publish(1, root);
        var manifest = new DocumentRequest(DocumentKind.File, route, SignedDocuments.ManifestPath, null);
        Assert.NotNull((await _proxy.Get<SignedDocuments>().GetAsync(manifest, default).AsTask().InTimeAsync()).Document);

        _guesser.Observe(route, root, _ => false);
        await Waiting.UntilAsync(() => _proxy.Store.Contains(hasNested ? nested : root)); // no transfer is late when the clock goes
        await Waiting.UntilAsync(() =>
        {
            _proxy.Time.Advance(TimeSpan.FromSeconds(20));
            return _guesser.Sessions == 0;
        });
    }
}
