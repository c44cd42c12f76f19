using Breakwater.CacheStore;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Mount.Tests;

/// <summary>Which way is asked when, how long, and what is left of it.</summary>
public sealed class ObjectSourceTests : IAsyncLifetime
{
    private readonly SmallRepository _first = new();
    private readonly SmallRepository _second = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly PausedTime _time = new();
    private readonly List<string> _said = [];
    private ObjectKey _key;
    private string _url = "";

    public Task InitializeAsync()
    {
        _key = _first.Put("content"u8.ToArray(), isPlain: true, ObjectKind.Plain);
        _second.Put("content"u8.ToArray(), isPlain: true, ObjectKind.Plain);
        _url = SmallRepository.UrlOf(_key);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _directory.Dispose();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task Fetch_OfAnObject_IsAFileAtItsBeginningThatNobodyElseSees()
    {
        using Downloads downloads = NewDownloads();
        await using FileStream file = (await NewSource(downloads, TimeSpan.Zero).FetchAsync(_key).InTimeAsync())!;
        Assert.Equal((0L, 7L), (file.Position, file.Length));
        Assert.Equal("content", await new StreamReader(file).ReadToEndAsync());
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
        Assert.Equal((1, 0), (_first.Server.RequestCount(_url), _second.Server.RequestCount(_url)));
        Assert.Empty(_said);
    }

    /// <summary>Wrong bytes are asked for once more past every cache, then of the next way; who has nothing is not asked again.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fetch_OfWrongBytesOrNone_AsksTheNextWay(bool isWrong)
    {
        _first.Server.Everything = isWrong ? UpstreamBehaviour.FlipsBitAt(3) : UpstreamBehaviour.NotFound;
        using Downloads downloads = NewDownloads();
        await using FileStream? file = await NewSource(downloads, TimeSpan.Zero).FetchAsync(_key).InTimeAsync();
        Assert.NotNull(file);
        Assert.Equal(
            isWrong ? [null, "no-cache"] : [null], _first.Server.Requests.Select(request => request.Header("Cache-Control")));
        Assert.Equal([null], _second.Server.Requests.Select(request => request.Header("Cache-Control")));
        string what = isWrong ? "wrong bytes" : "status 404";
        Assert.Equal(
            Enumerable.Repeat(
                $"{_key} from {_first.Server.Address}cvmfs/{SmallRepository.Fqrn} by no proxy: {what}.", isWrong ? 2 : 1),
            _said);
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    /// <summary>Two seconds of patience are a try at once, and one after each second.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(999, 1)]
    [InlineData(1000, 2)]
    [InlineData(2000, 3)]
    public async Task Fetch_WhenNobodyHasIt_TriesAgainUntilPatienceEnds(int patienceMs, int tries)
    {
        _first.Server.Everything = _second.Server.Everything = UpstreamBehaviour.NotFound;
        using Downloads downloads = NewDownloads();
        Task<FileStream?> fetching = NewSource(downloads, TimeSpan.FromMilliseconds(patienceMs)).FetchAsync(_key);
        for (int i = 1; i < tries; i++)
        {
            await Waiting.UntilAsync(() => _time.Pauses == i);
            _time.Advance(TimeSpan.FromSeconds(1)); // once: the pause has begun
        }

        Assert.Null(await fetching.InTimeAsync());
        Assert.Equal((tries, tries), (_first.Server.RequestCount(_url), _second.Server.RequestCount(_url)));
    }

    /// <summary>Wrong bytes everywhere do not get right by waiting: the reader has its error at once.</summary>
    [Fact]
    public async Task Fetch_OfWrongBytesEverywhere_EndsInSpiteOfPatience()
    {
        _first.Server.Everything = UpstreamBehaviour.FlipsBitAt(3);
        _second.Server.Everything = UpstreamBehaviour.NotFound;
        using Downloads downloads = NewDownloads();
        Assert.Null(await NewSource(downloads, TimeSpan.FromHours(1)).FetchAsync(_key).InTimeAsync());
        Assert.Equal((2, 1), (_first.Server.RequestCount(_url), _second.Server.RequestCount(_url)));
    }

    private Downloads NewDownloads() => new(
        new Routes(Routes.Parse(SmallRepository.Fqrn, $"{_first.Server.Address};{_second.Server.Address}", "DIRECT"), _time), _time);

    private ObjectSource NewSource(Downloads downloads, TimeSpan patience) => new(downloads, _directory.Path, patience, _time, _said.Add);

    /// <summary>A clock that counts the pauses of a second that have begun.</summary>
    private sealed class PausedTime : FakeTimeProvider
    {
        private int _pauses;

        public int Pauses => Volatile.Read(ref _pauses);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == TimeSpan.FromSeconds(1))
            {
                Interlocked.Increment(ref _pauses);
            }

            return timer;
        }
    }
}
