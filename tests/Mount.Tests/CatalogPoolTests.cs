using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>How many catalogs are open, which are closed first, and what is done with one that fails.</summary>
public sealed class CatalogPoolTests : IAsyncLifetime
{
    private readonly SmallRepository _repository = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly List<string> _said = [];
    private readonly ObjectKey[] _keys = new ObjectKey[3];
    private readonly CatalogLimits _limits;
    private Downloads _downloads = null!;
    private CatalogPool _pool = null!;

    public CatalogPoolTests() => _limits = new CatalogLimits { TemporaryDirectory = _directory.Path };

    public Task InitializeAsync()
    {
        for (int i = 0; i < 3; i++)
        {
            _repository.Add(SmallRepository.Row("", CatalogFlags.Directory, 0x41ed) with { ModifiedAt = i });
            _keys[i] = _repository.WriteCatalog();
        }

        var routes = new Routes(Routes.Parse(SmallRepository.Fqrn, _repository.Server.Address, "DIRECT"), TimeProvider.System);
        _downloads = new Downloads(routes, TimeProvider.System);
        var source = new ObjectSource(_downloads, _directory.Path, TimeSpan.Zero, TimeProvider.System, _ => { });
        _pool = new CatalogPool(source, _limits, maxOpen: 2, _said.Add);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _pool.Dispose();
        _downloads.Dispose();
        _directory.Dispose();
        await _repository.DisposeAsync();
    }

    [Fact]
    public void Ask_OfMoreThanMayBeOpen_ClosesWhatWasUnusedForLongest()
    {
        Assert.True(Asks(0));
        Assert.True(Asks(1));
        Assert.True(Asks(0));
        Assert.Equal((1, 1, 0), Fetches());
        long two = _limits.OpenBytes.Taken;
        Assert.True(Asks(2)); // in the place of 1
        Assert.Equal(two, _limits.OpenBytes.Taken);
        Assert.True(Asks(0));
        Assert.True(Asks(2));
        Assert.Equal((1, 1, 1), Fetches());
        Assert.True(Asks(1));
        Assert.Equal((1, 2, 1), Fetches());
        _pool.Dispose();
        Assert.Equal(0, _limits.OpenBytes.Taken);
    }

    /// <summary>A catalog has a bound on its work: one that cannot answer is opened anew once, and its room is given back.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Ask_WithoutAnAnswer_OpensTheCatalogOnceMore(int failures, bool isAnswered)
    {
        Assert.True(Asks(1));
        long one = _limits.OpenBytes.Taken;
        int asked = 0;
        Assert.Equal(isAnswered, _pool.Ask(_keys[0], _ => asked++ < failures ? "worn out" : null));
        Assert.Equal((2, 2), (asked, Fetches().First));
        Assert.Equal(Enumerable.Repeat("worn out", failures), _said);
        Assert.Equal(isAnswered ? 2 * one : one, _limits.OpenBytes.Taken);
        Assert.True(Asks(1));
        Assert.Equal(1, Fetches().Second);
    }

    [Fact]
    public void Ask_OfWhatCannotBeHad_IsFalseAndSaidWhereItIsDamaged()
    {
        ObjectKey damaged = _repository.Put("no database"u8.ToArray(), isPlain: false, ObjectKind.Catalog);
        Assert.False(_pool.Ask(damaged, _ => throw new InvalidOperationException("There is none to ask.")));
        Assert.StartsWith($"{damaged}: Catalog: ", Assert.Single(_said), StringComparison.Ordinal);
        var absent = new ObjectKey(new byte[20], DigestAlgorithm.Sha1, ObjectKind.Catalog);
        Assert.False(_pool.Ask(absent, _ => throw new InvalidOperationException("There is none to ask.")));
        Assert.Single(_said);
        Directory.Delete(_directory.Path);
        Assert.False(Asks(0));
        Assert.StartsWith($"{_keys[0]}: ", _said[1], StringComparison.Ordinal);
        Directory.CreateDirectory(_directory.Path);
    }

    private bool Asks(int which)
    {
        long seen = -1;
        bool isAnswered = _pool.Ask(_keys[which], catalog =>
        {
            string? problem = catalog.ReadAttributes(PathKey.Of(""), out CatalogAttributes? root);
            seen = root?.ModifiedAt ?? -1;
            return problem;
        });
        Assert.Equal(isAnswered ? which : -1, seen);
        return isAnswered;
    }

    private (int First, int Second, int Third) Fetches()
    {
        int[] counts = [.. _keys.Select(key => _repository.Server.RequestCount(SmallRepository.UrlOf(key)))];
        return (counts[0], counts[1], counts[2]);
    }
}
