using Breakwater.CacheStore;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>What is kept of contents, for how long, and what is refused.</summary>
public sealed class ContentCacheTests : IAsyncLifetime
{
    private readonly SmallRepository _repository = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly List<string> _said = [];
    private Downloads _downloads = null!;
    private ObjectSource _source = null!;

    public Task InitializeAsync()
    {
        var routes = new Routes(Routes.Parse(SmallRepository.Fqrn, _repository.Server.Address, "DIRECT"), TimeProvider.System);
        _downloads = new Downloads(routes, TimeProvider.System);
        _source = new ObjectSource(_downloads, _directory.Path, TimeSpan.Zero, TimeProvider.System, _ => { });
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _downloads.Dispose();
        _directory.Dispose();
        await _repository.DisposeAsync();
    }

    /// <summary>Up to the quota and the number of files everything is kept; beyond, what was unused for longest goes.</summary>
    [Theory]
    [InlineData(100, 9, 2)]
    [InlineData(149, 9, 2)]
    [InlineData(150, 9, 3)]
    [InlineData(1000, 3, 3)]
    [InlineData(1000, 2, 2)]
    [InlineData(10, 9, 1)] // one that is larger than the quota is kept alone
    public void Read_OfMoreThanFits_DropsWhatWasUnusedForLongest(long quota, int files, int kept)
    {
        var cache = new ContentCache(_source, quota, files, _said.Add);
        ContentKey[] keys = [.. Enumerable.Range(0, 3).Select(i => Put(50, (byte)i))];
        Assert.True(Reads(cache, keys[0]));
        Assert.True(Reads(cache, keys[1]));
        Assert.True(Reads(cache, keys[0])); // now the other one is the oldest
        Assert.True(Reads(cache, keys[2]));
        Assert.Equal(kept * 50, cache.Bytes);
        int[] before = [.. keys.Select(Fetches)];
        Assert.True(Reads(cache, keys[2]));
        Assert.Equal(before[2], Fetches(keys[2]));
        if (kept > 1)
        {
            Assert.True(Reads(cache, keys[0]));
            Assert.Equal(before[0], Fetches(keys[0]));
        }

        Assert.True(Reads(cache, keys[1]));
        Assert.Equal(kept == 3 ? before[1] : before[1] + 1, Fetches(keys[1]));
        Assert.Empty(_said);
    }

    [Theory]
    [InlineData(0, 50, true)]
    [InlineData(49, 1, true)]
    [InlineData(49, 2, false)]
    [InlineData(50, 1, false)]
    public void Read_OfAPiece_IsAllOfItOrNone(long offset, int length, bool expected)
    {
        var cache = new ContentCache(_source, 1000, 9, _said.Add);
        byte[] to = new byte[length];
        Assert.Equal(expected, cache.Read(Put(50, 7), offset, to, CancellationToken.None));
        if (expected)
        {
            Assert.Equal(Content(50, 7)[(int)offset..((int)offset + length)], to);
        }
    }

    [Theory]
    [InlineData(50, false, true)]
    [InlineData(50, true, true)]
    [InlineData(49, false, false)]
    [InlineData(51, false, false)]
    [InlineData(49, true, false)]
    [InlineData(51, true, false)]
    [InlineData(0, false, false)]
    public void Read_OfAContentOfAnotherLength_IsRefusedAndSaid(long catalogSays, bool isPlain, bool expected)
    {
        var cache = new ContentCache(_source, 1000, 9, _said.Add);
        ContentKey key = Put(50, 7, isPlain) with { SizeBytes = catalogSays };
        Assert.Equal(expected, cache.Read(key, 0, new byte[1], CancellationToken.None));
        Assert.Equal(expected ? 50 : 0, cache.Bytes);
        Assert.Equal(
            expected ? [] : [$"{key.Object}: its content has not the {catalogSays} bytes of which the catalog speaks."], _said);
    }

    [Fact]
    public void Read_OfWhatIsNotStoredAsTheCatalogSays_IsRefusedAndSaid()
    {
        var cache = new ContentCache(_source, 1000, 9, _said.Add);
        ContentKey key = Put(50, 7, isPlain: true) with { IsPlain = false };
        Assert.False(cache.Read(key, 0, new byte[1], CancellationToken.None));
        Assert.StartsWith($"{key.Object}: ", Assert.Single(_said), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfALongContent_HasAllOfIt()
    {
        var cache = new ContentCache(_source, 1 << 20, 9, _said.Add);
        ContentKey key = Put(200_001, 9);
        byte[] to = new byte[200_001];
        Assert.True(cache.Read(key, 0, to, CancellationToken.None));
        Assert.Equal(Content(200_001, 9), to);
        Assert.Equal(200_001, cache.Bytes);
    }

    [Fact]
    public async Task Read_ByManyAtOnce_IsOneFetch()
    {
        var cache = new ContentCache(_source, 1000, 9, _said.Add);
        ContentKey key = Put(50, 7);
        Gate gate = new();
        _repository.Server.Everything = UpstreamBehaviour.WaitsBeforeHead(gate);
        using CancellationTokenSource gaveUp = new();
        Task first = Task.Run(() => cache.Read(key, 0, new byte[50], gaveUp.Token));
        await gate.Reached;
        Task<bool>[] others = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() => Reads(cache, key)))];
        await gaveUp.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => first.InTimeAsync());
        Assert.All(others, task => Assert.False(task.IsCompleted));
        gate.Open();
        Assert.All(await Task.WhenAll(others).InTimeAsync(), Assert.True);
        Assert.Equal((1, 50L), (Fetches(key), cache.Bytes));
    }

    /// <summary>What could not be had is asked for again by the next reader.</summary>
    [Fact]
    public void Read_AfterAFailure_FetchesAnew()
    {
        var cache = new ContentCache(_source, 1000, 9, _said.Add);
        ContentKey key = Put(50, 7);
        _repository.Server.Everything = UpstreamBehaviour.NotFound;
        Assert.False(Reads(cache, key));
        _repository.Server.Heal();
        Assert.True(Reads(cache, key));
        Assert.Equal((2, 50L), (Fetches(key), cache.Bytes));
    }

    [Fact]
    public void Read_WhenTheCachesDirectoryIsGone_IsRefusedAndSaid()
    {
        var cache = new ContentCache(_source, 1000, 9, _said.Add);
        ContentKey key = Put(50, 7);
        Directory.Delete(_directory.Path);
        Assert.False(Reads(cache, key));
        Assert.StartsWith($"{key.Object}: ", Assert.Single(_said), StringComparison.Ordinal);
        Directory.CreateDirectory(_directory.Path);
        Assert.True(Reads(cache, key));
    }

    private static byte[] Content(int length, byte seed) => [.. Enumerable.Range(0, length).Select(i => (byte)(i + (i >> 8) + seed))];

    private static bool Reads(ContentCache cache, ContentKey key)
    {
        byte[] to = new byte[key.SizeBytes];
        return cache.Read(key, 0, to, CancellationToken.None);
    }

    private ContentKey Put(int length, byte seed, bool isPlain = false) =>
        new(_repository.Put(Content(length, seed), isPlain, ObjectKind.Plain), isPlain, length);

    private int Fetches(ContentKey key) => _repository.Server.RequestCount(SmallRepository.UrlOf(key.Object));
}
