using System.Globalization;
using Breakwater.Proxy.FunctionalTests.Http;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Serving;

/// <summary>External files are kept, shared and healed, and no answer is of two generations.</summary>
public sealed class ExternalFileTests : IAsyncLifetime
{
    private const string Path = "/cvmfs/synthetic.example.org/store/run1/file.dat";
    private const string Old = "Last-Modified: Mon, 03 Mar 2025 10:00:00 GMT";

    private readonly ScriptedUpstream _first = ScriptedUpstream.Start();
    private readonly ScriptedUpstream _second = ScriptedUpstream.Start();
    private readonly byte[] _bytes = new SyntheticObject((2 << 20) + 300_000).Bytes;

    /// <summary>What the two Stratum 1s say of the same file beside its length.</summary>
    public static TheoryData<string[], string[]> Validators => new()
    {
        { ["ETag: \"one\"", Old], ["ETag: \"one\"", Old] },
        { ["ETag: \"inode-1\"", Old], ["ETag: \"inode-2\"", Old] },
        { ["ETag: \"one\""], ["ETag: \"two\""] },
        { [Old], [Old] },
        { ["ETag: W/\"one\""], ["ETag: W/\"one\""] },
        { [], [] },
    };

    public Task InitializeAsync()
    {
        _first.Put(Path, _bytes);
        _second.Put(Path, _bytes);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task File_AskedForAgain_IsAHitInBothFormsAndAfterARestart()
    {
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);

        RawResponse first = await proxy.GetAsync(Path);
        RawResponse[] again =
            [await proxy.GetAsync("http://s1.example.org" + Path), await proxy.GetAsync("http://other.example.org" + Path)];
        await proxy.RestartAsync();
        RawResponse last = await proxy.GetAsync(Path, "Range: bytes=1500000-1500009");

        Assert.All([first, .. again], response => Assert.True(response.IsComplete && response.Body.AsSpan().SequenceEqual(_bytes)));
        Assert.StartsWith("breakwater; fwd=uri-miss; fwd-status=200; stored", first.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.All([.. again, last], response =>
            Assert.StartsWith("breakwater; hit", response.Header("Cache-Status"), StringComparison.Ordinal));
        Assert.Equal((206, "bytes 1500000-1500009/" + _bytes.Length), (last.Status, last.Header("Content-Range")));
        Assert.Equal(_bytes[1_500_000..1_500_010], last.Body);
        Assert.Equal(1, _first.RequestCount(Path));
    }

    [Fact]
    public async Task Cold_ForManyClients_IsAskedForOnce()
    {
        Gate head = new();
        Gate rest = new();
        _first.Script(Path, new UpstreamBehaviour { HeadGate = head, BodyGates = [(1_200_000, rest)] });
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(ProxyUnderTest.Patient, null, _first);
        Task<RawResponse>[] clients = [.. Enumerable.Range(0, 20).Select(_ => proxy.GetAsync(Path))];
        await Waiting.UntilAsync(() => ExchangeTests.Waiters(proxy) == 20);
        head.Open();
        await rest.Reached.InTimeAsync();
        rest.Open();

        RawResponse[] answers = await Task.WhenAll(clients).InTimeAsync();

        Assert.All(answers, response => Assert.True(response.IsComplete && response.Body.AsSpan().SequenceEqual(_bytes)));
        Assert.Equal(1, _first.RequestCount(Path));
    }

    [Fact]
    public async Task Range_OfAFileWithATag_CostsItsSlices()
    {
        _first.Everything = new UpstreamBehaviour { ExtraHeaders = ["ETag: \"one\""] };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);

        foreach (int offset in (int[])[1_100_000, 1_900_000, 2_000_000, 100])
        {
            RawResponse part = await proxy.GetAsync(Path, $"Range: bytes={offset}-{offset + 99}");
            Assert.Equal(206, part.Status);
            Assert.Equal(_bytes.AsSpan(offset, 100).ToArray(), part.Body);
        }

        Assert.Equal(["bytes=1048576-2097151", "bytes=0-1048575"], _first.Requests.Select(request => request.Header("Range")));
    }

    [Fact]
    public async Task Range_OfAFileThatNothingTellsFromAnother_IsAskedForOnceAndNotKept()
    {
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);

        RawResponse part = await proxy.GetAsync(Path, "Range: bytes=1100000-1100099");

        Assert.Equal((206, "bytes 1100000-1100099/" + _bytes.Length), (part.Status, part.Header("Content-Range")));
        Assert.Equal(100, part.Head.ContentLength);
        Assert.Equal(_bytes[1_100_000..1_100_100], part.Body);
        Assert.Equal(1, _first.RequestCount(Path));
    }

    [Theory]
    [MemberData(nameof(Validators))]
    public async Task Body_ThatBreaksOff_IsGoneOnWithWhereTheOtherHasTheSame(string[] ofFirst, string[] ofSecond)
    {
        _first.ScriptNext(Path, new UpstreamBehaviour { TruncateAt = 1_200_000, ExtraHeaders = ofFirst });
        _first.Everything = UpstreamBehaviour.WithStatus(503);
        _second.Everything = new UpstreamBehaviour { ExtraHeaders = ofSecond };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);

        RawResponse response = await proxy.GetAsync(Path);

        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.True(_bytes.AsSpan().SequenceEqual(response.Body));
        Assert.Equal(_bytes, (await proxy.GetAsync(Path)).Body);
    }

    [Theory]
    [InlineData(3_000, 2_000)]
    [InlineData(4_000, 3_000)]
    [InlineData(2_000, 0)]
    public async Task SmallFile_WhoseLengthIsALie_ComesFromTheNext(int declared, int sent)
    {
        byte[] small = _bytes[..3_000];
        _first.Put(Path, small);
        _second.Put(Path, small);
        _first.Everything = new UpstreamBehaviour { DeclaredLength = declared, TruncateAt = sent, ExtraHeaders = ["ETag: \"one\""] };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);

        RawResponse response = await proxy.GetAsync(Path);

        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.Equal(small, response.Body);
        Assert.Equal(1, _second.RequestCount(Path));
    }

    [Theory]
    [MemberData(nameof(Validators))]
    public async Task Body_ThatBreaksOff_IsNeverGoneOnWithAnother(string[] ofFirst, string[] ofSecond)
    {
        byte[] another = [.. _bytes];
        another[700_000] ^= 1;
        another[2_000_000] ^= 1;
        _second.Put(Path, another);
        _first.ScriptNext(Path, new UpstreamBehaviour { TruncateAt = 1_200_000, ExtraHeaders = ofFirst });
        _first.Everything = UpstreamBehaviour.WithStatus(503);
        _second.Everything = new UpstreamBehaviour { ExtraHeaders = ofSecond };
        bool saysItIsTheSame = ofFirst.SequenceEqual(ofSecond) && ofFirst.Any(field => !field.Contains("W/", StringComparison.Ordinal));
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);

        RawResponse response = await proxy.GetAsync(Path);

        if (!saysItIsTheSame)
        {
            Assert.Equal((200, false), (response.Status, response.IsComplete));
            Assert.True(_bytes.AsSpan().StartsWith(response.Body));
            Assert.Equal(another, (await proxy.GetAsync(Path)).Body);
        }
    }

    [Fact]
    public async Task File_PublishedAnew_IsOneGenerationOrTheOther()
    {
        byte[] another = [.. _bytes.Select(b => (byte)~b)];
        _first.Everything = new UpstreamBehaviour { ExtraHeaders = ["ETag: \"one\""], CacheControl = "max-age=0" };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);
        Assert.Equal(_bytes[..10], (await proxy.GetAsync(Path, "Range: bytes=0-9")).Body);
        _first.Put(Path, another);
        _first.Everything = new UpstreamBehaviour { ExtraHeaders = ["ETag: \"two\""], CacheControl = "max-age=0" };

        RawResponse response = await proxy.GetAsync(Path);

        Assert.True(response.IsComplete);
        Assert.Equal(another, response.Body);
        Assert.Equal("\"two\"", response.Header("ETag"));
    }

    [Fact]
    public async Task NoCache_AfterWrongBytes_FetchesAllOfItAnewFromTheClientsNextHost()
    {
        UpstreamBehaviour tagged = new() { ExtraHeaders = ["ETag: \"one\""] };
        _first.Everything = tagged with { FlipBitAt = 5 };
        _second.Everything = tagged;
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);
        Assert.NotEqual(_bytes, (await proxy.GetAsync(Path)).Body);

        RawResponse anew = await proxy.GetAsync($"http://{_second.EndPoint}{Path}", "Cache-Control: no-cache");
        RawResponse later = await proxy.GetAsync(Path);

        Assert.Equal(_bytes, anew.Body);
        Assert.Equal(_bytes, later.Body);
        Assert.Equal("no-cache", _second.Requests[^1].Header("Cache-Control"));
        Assert.Equal((1, 1), (_first.RequestCount(Path), _second.RequestCount(Path)));
    }

    [Theory]
    [InlineData(503, 200)]
    [InlineData(404, 404)]
    public async Task Stale_WhenNobodyGivesIt_IsServedUnlessAllSayThatItIsGone(int status, int expected)
    {
        UpstreamBehaviour stale = new() { ExtraHeaders = ["ETag: \"one\""], CacheControl = "max-age=0" };
        _first.Everything = stale;
        _second.Everything = stale;
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);
        Assert.Equal(_bytes, (await proxy.GetAsync(Path)).Body);
        _first.Everything = UpstreamBehaviour.WithStatus(status);
        _second.Everything = UpstreamBehaviour.WithStatus(status);

        RawResponse response = await proxy.GetAsync(Path);

        Assert.Equal(expected, response.Status);
        Assert.Equal(status == 503, response.Body.AsSpan().SequenceEqual(_bytes));
    }

    [Fact]
    public async Task Stale_IsCheckedWhereItCameFrom()
    {
        UpstreamBehaviour stale = new() { CacheControl = "max-age=0" };
        _first.Everything = stale with { ExtraHeaders = ["ETag: \"one\""] };
        _second.Everything = stale with { ExtraHeaders = ["ETag: \"two\""] };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);
        string of = string.Create(CultureInfo.InvariantCulture, $"http://{_second.EndPoint}{Path}");
        Assert.Equal("\"two\"", (await proxy.GetAsync(of)).Header("ETag"));
        _second.Script(Path, new UpstreamBehaviour { RawAnswer = "HTTP/1.1 304 X\r\nETag: \"two\"\r\n\r\n"u8.ToArray() });

        RawResponse response = await proxy.GetAsync($"http://{_first.EndPoint}{Path}");

        Assert.Equal(_bytes, response.Body);
        Assert.Equal(0, _first.RequestCount(Path));
        Assert.Equal("\"two\"", _second.Requests[^1].Header("If-None-Match"));
    }

    [Fact]
    public async Task Password_OfAClient_IsForItsAnswerAlone()
    {
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);

        await proxy.GetAsync(Path, "Authorization: Bearer mine");
        await proxy.GetAsync(Path);
        await proxy.GetAsync(Path, "Authorization: Bearer mine");

        Assert.Equal(3, _first.RequestCount(Path));
    }
}
