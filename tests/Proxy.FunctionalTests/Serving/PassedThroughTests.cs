using System.Globalization;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Serving;

/// <summary>
/// Files that no hash names: healed from the next Stratum 1, in time, whole or seen to be cut, and never in the way of objects.
/// </summary>
public sealed class PassedThroughTests : IAsyncLifetime
{
    private const string Folder = "/cvmfs/synthetic.example.org/store/";
    private const string Path = Folder + "run1/file.dat";

    private readonly ScriptedUpstream _first = ScriptedUpstream.Start();
    private readonly ScriptedUpstream _second = ScriptedUpstream.Start();
    private readonly byte[] _bytes = new SyntheticObject(100_000).Bytes;

    /// <summary>What is of no use to a client that asks for a file.</summary>
    public static TheoryData<string> Useless =>
        ["503", "500", "404", "403", "429", "204", "redirect", "gzip", "no answer", "no body", "silence", "not HTTP", "bad field",
        "late reset"];

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

    [Theory]
    [MemberData(nameof(Useless))]
    public async Task File_FirstStratum1IsOfNoUse_ComesFromTheNext(string how)
    {
        _first.Everything = how switch
        {
            "redirect" => new UpstreamBehaviour { RedirectTo = "http://pool7.example.org:20413/x?id=1" },
            "gzip" => new UpstreamBehaviour { GzipEncode = true },
            "no answer" => new UpstreamBehaviour { CloseInsteadOfAnswer = true },
            "no body" => UpstreamBehaviour.StallsAt(0),
            "silence" => UpstreamBehaviour.NeverAnswers,
            "not HTTP" => UpstreamBehaviour.NotHttp,
            "bad field" => new UpstreamBehaviour { ContentType = "text/\u0001plain" },
            "late reset" => new UpstreamBehaviour { ResetAt = 0 },
            _ => UpstreamBehaviour.WithStatus(int.Parse(how, CultureInfo.InvariantCulture)),
        };
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:FirstByteTimeout"] = "00:00:00.2" }, null, _first,
            _second);

        RawResponse response = await proxy.GetAsync("http://s1.example.org" + Path);

        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.Equal(_bytes, response.Body);
        Assert.Equal(1, _second.RequestCount(Path));
        Assert.NotEqual(0, _first.RequestCount(Path));
    }

    [Fact]
    public async Task File_NoStratum1HasIt_IsNotFoundAndOneFailureIsNoNotFound()
    {
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);
        Assert.Equal(404, (await proxy.GetAsync(Folder + "none")).Status);

        _second.Everything = UpstreamBehaviour.WithStatus(500);
        RawResponse failed = await proxy.GetAsync(Folder + "none");

        Assert.Equal(502, failed.Status);
        Assert.Contains(_second.EndPoint.ToString(), failed.Header("Proxy-Status"), StringComparison.Ordinal);
        Assert.NotEmpty(failed.Body);
    }

    [Fact]
    public async Task File_NobodyAnswers_IsA504AsSoonAsAnObjectWouldBe()
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        _first.Everything = UpstreamBehaviour.NeverAnswers;
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(null, time, _first);
        Task<RawResponse> asked = proxy.GetAsync(Path);
        await _first.RequestsArrivedAsync(Path);

        await Waiting.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return asked.IsCompleted;
        });

        Assert.Equal(504, (await asked).Status);
    }

    [Theory]
    [InlineData("bytes=0-9", 0, 10)]
    [InlineData("bytes=50000-99999", 50_000, 50_000)]
    [InlineData("bytes=99990-", 99_990, 10)]
    [InlineData("bytes=99990-200000", 99_990, 10)]
    [InlineData("bytes=-7", 99_993, 7)]
    public async Task Range_OfAFile_IsThatPart(string range, int offset, int count)
    {
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);

        RawResponse response = await proxy.GetAsync(Path, "Range: " + range);

        Assert.Equal(206, response.Status);
        Assert.Equal($"bytes {offset}-{offset + count - 1}/100000", response.Header("Content-Range"));
        Assert.Equal(count, response.Head.ContentLength);
        Assert.Equal(_bytes.AsSpan(offset, count).ToArray(), response.Body);
    }

    [Theory]
    [InlineData("HTTP/1.1 206 X\r\nContent-Range: bytes 5-14/100000\r\nContent-Length: 10\r\n\r\n0123456789")]
    [InlineData("HTTP/1.1 206 X\r\nContent-Range: bytes 0-9/100000\r\nContent-Length: 11\r\n\r\n0123456789X")]
    [InlineData("HTTP/1.1 206 X\r\nContent-Range: bytes 0-4/100000\r\nContent-Length: 5\r\n\r\n01234")]
    [InlineData("HTTP/1.1 206 X\r\nContent-Range: bytes 0-9/5\r\nContent-Length: 10\r\n\r\n0123456789")]
    [InlineData("HTTP/1.1 206 X\r\nContent-Length: 10\r\n\r\n0123456789")]
    [InlineData("HTTP/1.1 206 X\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Length: 2\r\n\r\nxx")]
    [InlineData("HTTP/1.1 416 X\r\nContent-Range: bytes */5\r\nContent-Length: 0\r\n\r\n")]
    public async Task Range_AnsweredWithAnother_ComesFromTheNext(string answer)
    {
        _first.Everything = new UpstreamBehaviour { RawAnswer = System.Text.Encoding.ASCII.GetBytes(answer) };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);

        RawResponse response = await proxy.GetAsync(Path, "Range: bytes=0-9");

        Assert.Equal(206, response.Status);
        Assert.Equal(_bytes[..10], response.Body);
        Assert.Equal(1, _second.RequestCount(Path));
    }

    [Fact]
    public async Task Range_BeyondTheEndEverywhere_Is416AndSeveralRangesAreTheWholeFile()
    {
        _first.Everything =
            new UpstreamBehaviour
            {
                RawAnswer =
            "HTTP/1.1 416 X\r\nContent-Range: bytes */100000\r\nContent-Length: 0\r\n\r\n"u8.ToArray()
            };
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);
        RawResponse beyond = await proxy.GetAsync(Path, "Range: bytes=100000-");
        Assert.Equal((416, "bytes */100000"), (beyond.Status, beyond.Header("Content-Range")));

        _first.Heal();
        RawResponse several = await proxy.GetAsync(Path, "Range: bytes=0-1,5-6");
        Assert.Equal(200, several.Status);
        Assert.Equal(_bytes, several.Body);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_BreaksOffHalfWay_TheClientSeesThatItIsNotWhole(bool isChunked)
    {
        _first.Everything = new UpstreamBehaviour { ResetAt = 60_000, Chunked = isChunked };
        _second.Put(Path, [.. _bytes.Select(b => (byte)~b)]);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first, _second);

        RawResponse response = await proxy.GetAsync(Path);

        Assert.Equal((200, false), (response.Status, response.IsComplete));
        Assert.True(_bytes.AsSpan().StartsWith(response.Body));
    }

    [Fact]
    public async Task Bytes_OfABody_AreCountedOnBothSides()
    {
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);
        RequestRecorder recorder = proxy.Services.GetRequiredService<RequestRecorder>();

        await proxy.GetAsync(Path);
        await proxy.GetAsync(Path, "Range: bytes=0-9");
        using RawHttpClient client = await proxy.ConnectAsync();
        RawResponse head = await client.HeadAsync(Path);

        Assert.Equal((200, 100_000), (head.Status, head.Head.ContentLength));
        await Waiting.UntilAsync(() => recorder.TotalOf(RequestResult.Hit).Requests == 2);
        Assert.Equal(100_000, recorder.TotalOf(RequestResult.Miss).Bytes);
        Assert.Equal(10, recorder.TotalOf(RequestResult.Hit).Bytes);
        Assert.Equal(100_000, proxy.Services.GetRequiredService<ProxyCounters>().UpstreamBytesTotal);
    }

    [Theory]
    [InlineData("run[12].root")]
    [InlineData("50%25.dat")]
    [InlineData("%2541.dat")]
    [InlineData("C:%5Cx.dat")]
    [InlineData("Z%FCrich.dat")]
    [InlineData("Z%C3%BCrich.dat")]
    [InlineData("tab%09here%0Anew%0Dline%7F")]
    [InlineData("a%3Fb%23c%26d%3De.dat")]
    [InlineData("it%27s%20(1)*!.dat")]
    [InlineData("x%3By%2D%5F%7E.dat")]
    [InlineData("../data/file.dat")]
    public async Task Name_AsTheClientWritesIt_ReachesTheStratum1AsItIs(string name)
    {
        string path = name.StartsWith("../", StringComparison.Ordinal) ? "/cvmfs/synthetic.example.org/" + name[3..] : Folder + name;
        _first.Put(path, _bytes);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(_first);

        foreach (string target in new[] { path, "http://s1.example.org" + path })
        {
            RawResponse response = await proxy.GetAsync(target);
            Assert.Equal(200, response.Status);
            Assert.Equal(_bytes, response.Body);
            Assert.Equal(path, _first.Requests[^1].Target);
        }
    }

    [Fact]
    public async Task Readers_WhoDoNotRead_HoldUpNoObjectAndNoOtherFile()
    {
        const int Readers = 40;
        string large = Folder + "large";
        _first.Put(large, new byte[16 << 20]);
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["Proxy:MaxConcurrentFetches"] = "2" }, null, _first);
        RawHttpClient[] readers = await Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => proxy.ConnectAsync()));
        foreach (RawHttpClient reader in readers)
        {
            reader.Socket.ReceiveBufferSize = 4096;
            await reader.SendAsync(RawHttpClient.Request("GET", large));
            Assert.Equal(200, (await reader.ReadHeadAsync()).Status);
        }

        for (int i = 0; i < 8; i++)
        {
            SyntheticObject item = new SyntheticObject(3_000, i).On(_first);
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        }

        Assert.Equal(_bytes, (await proxy.GetAsync(Path)).Body);
        Array.ForEach(readers, r => r.Dispose());
    }
}
