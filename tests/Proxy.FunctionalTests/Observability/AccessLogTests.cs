using System.Text;
using System.Text.Json;
using Breakwater.Proxy.Boots;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Observability;

/// <summary>What is written of each request: once, with its method, its bytes and the whole time that it took.</summary>
public sealed class AccessLogTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Serving(FixtureRepository.Tiny);
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly byte[] _image = new byte[16 << 20];
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(_directory.Combine("boot"));
        await File.WriteAllBytesAsync(_directory.Combine("boot", "image"), _image);
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient)
            {
                ["AccessLog:Path"] = _directory.Combine("access.json"),
                ["AccessLog:Format"] = "Json",
                ["Access:Connect:0"] = _upstream.EndPoint.ToString(),
                ["Access:AllowedUpstreams:0"] = "127.0.0.1/32",
                ["ZeroTouch:BootDirectory"] = _directory.Combine("boot"),
            },
            _time,
            _upstream);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Refusals_HaveTheirMethodAndTheBytesOfTheirBody()
    {
        List<long> bodies = [];
        foreach (string method in (string[])["POST", "PURGE", "OPTIONS"])
        {
            using RawHttpClient client = await _proxy.ConnectAsync();
            await client.SendAsync($"{method} /cvmfs/tiny.example.org/.cvmfspublished HTTP/1.1\r\nHost: h\r\n\r\n");
            bodies.Add((await client.ReadResponseAsync()).Body.Length);
            await LinesAsync(bodies.Count); // two requests that end within one turn of the pump may change places
        }

        bodies.Add((await _proxy.GetAsync("/cvmfs/tiny.example.org/data/ab/none")).Body.Length);

        List<JsonElement> lines = await LinesAsync(4);
        Assert.Equal(["POST", "PURGE", "OPTIONS", "GET"], lines.Select(line => line.GetProperty("method").GetString()));
        Assert.Equal(bodies, lines.Select(line => line.GetProperty("bytes").GetInt64()));
        Assert.All(bodies, length => Assert.True(length > 0));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("true", "Range: bytes=1-")]
    [InlineData("false")]
    [InlineData("false", "Range: bytes=1-")]
    public async Task Hits_CutByTheirClient_HaveTheBytesThatWentOutAndTheTimeTheyTook(string isRawPath, params string[] fields)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(16 << 20).On(upstream);
        string path = _directory.Combine($"cut-{isRawPath}-{fields.Length}.json");
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient)
            {
                ["AccessLog:Path"] = path,
                ["AccessLog:Format"] = "Json",
                ["Proxy:RawPath"] = isRawPath
            }, null, upstream);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        await Waiting.UntilAsync(() => proxy.Store.List().Any());
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);

        using (RawHttpClient client = await RawHttpClient.ConnectShortAsync(proxy.EndPoint))
        {
            await client.SendAsync(RawHttpClient.Request("GET", item.Path, fields));
            await client.SettledAsync();
            client.Reset();
        }

        List<JsonElement> lines = await LinesAsync(path, 3);
        Assert.Equal("client-gone", lines[^1].GetProperty("result").GetString());
        Assert.InRange(lines[^1].GetProperty("bytes").GetInt64(), 1, item.Bytes.Length - 1);
        Assert.All(lines[..2], line => Assert.Equal(item.Bytes.Length, line.GetProperty("bytes").GetInt64()));
    }

    /// <summary>A miss, a hit and a document, on both paths: what the client said of itself is in each line.</summary>
    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Requests_InAbsoluteForm_HaveTheirUrlUserAgentAndPath(string isRawPath)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving(FixtureRepository.Tiny);
        SyntheticObject item = new SyntheticObject(5000).On(upstream);
        string path = _directory.Combine($"texts-{isRawPath}.json");
        await using ProxyUnderTest proxy = await StartAsync(path, isRawPath, upstream);
        string[] urls = [.. ((string[])[item.Path, item.Path, FixtureRepository.Tiny.UrlPath(".cvmfspublished")]).Select(p =>
            $"http://s1.example.org:8000{p}")];
        using RawHttpClient client = await proxy.ConnectAsync();
        for (int i = 0; i < urls.Length; i++)
        {
            Assert.Equal(200, (await client.GetAsync(urls[i], "User-Agent: cvmfs Fuse 2.11.5", "cvmfs-info: /bin/sh%20" + i)).Status);
            await LinesAsync(path, i + 1);
        }

        List<JsonElement> lines = await LinesAsync(path, urls.Length);
        Assert.Equal(urls, lines.Select(line => line.GetProperty("url").GetString()));
        Assert.Equal(["/bin/sh%200", "/bin/sh%201", "/bin/sh%202"], lines.Select(line => line.GetProperty("path").GetString()));
        Assert.All(lines, line => Assert.Equal("cvmfs Fuse 2.11.5", line.GetProperty("userAgent").GetString()));
        Assert.Equal("hit", lines[1].GetProperty("result").GetString());
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Client_LeavesBeforeItsAnswerBegins_IsALineOfItsOwn(string isRawPath)
    {
        const string Url = "/cvmfs/tiny.example.org/data/00/000000000000000000000000000000000000fe";
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        Gate gate = new();
        upstream.Script(Url, new UpstreamBehaviour { Status = 404, HeadGate = gate });
        string path = _directory.Combine($"gone-{isRawPath}.json");
        await using ProxyUnderTest proxy = await StartAsync(path, isRawPath, upstream);
        using (RawHttpClient client = await proxy.ConnectAsync())
        {
            await client.SendAsync(RawHttpClient.Request("GET", Url));
            await upstream.RequestsArrivedAsync(Url);
            client.Reset();
        }

        JsonElement line = Assert.Single(await LinesAsync(path, 1));
        gate.Open();
        Assert.Equal("client-gone", line.GetProperty("result").GetString());
        Assert.Equal(0, line.GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Tunnels_AreOneLineEach()
    {
        byte[] answer;
        using (RawHttpClient client = await _proxy.ConnectAsync())
        {
            await client.SendAsync($"CONNECT {_upstream.EndPoint} HTTP/1.1\r\nHost: {_upstream.EndPoint}\r\n\r\n");
            Assert.Equal(200, (await client.ReadHeadAsync()).Status);
            await client.SendAsync("GET /cvmfs/tiny.example.org/.cvmfspublished HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            answer = (await client.ReadResponseAsync()).Body;
        }

        using (RawHttpClient client = await _proxy.ConnectAsync())
        {
            await client.SendAsync("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
            Assert.Equal(403, (await client.ReadResponseAsync()).Status);
        }

        Dictionary<int, JsonElement> lines = (await LinesAsync(2)).ToDictionary(line => line.GetProperty("status").GetInt32());
        Assert.Equal([200, 403], lines.Keys.Order());
        Assert.All(lines.Values, line => Assert.Equal("CONNECT", line.GetProperty("method").GetString()));
        Assert.True(lines[200].GetProperty("bytes").GetInt64() > answer.Length);
        Assert.Equal(_upstream.EndPoint.ToString(), lines[200].GetProperty("url").GetString());
    }

    [Fact]
    public async Task RequestThatWaitedBeforeItWasHandedOver_CountsFromItsHead()
    {
        const string Url = "/cvmfs/tiny.example.org/data/00/000000000000000000000000000000000000ff";
        Gate gate = new();
        _upstream.Script(Url, new UpstreamBehaviour { Status = 404, HeadGate = gate });
        Task<RawResponse> response = _proxy.GetAsync(Url);
        await _upstream.RequestsArrivedAsync(Url);

        // It has joined its fetch; that fails, so that it becomes the ordinary path's.
        _time.Advance(TimeSpan.FromSeconds(3));
        gate.Open();
        Assert.Equal(404, (await response).Status);

        JsonElement line = Assert.Single(await LinesAsync(1));
        Assert.InRange(line.GetProperty("durationMs").GetDouble(), 3000, double.MaxValue);
        Assert.InRange(line.GetProperty("firstByteMs").GetDouble(), 3000, double.MaxValue);
    }

    [Fact]
    public async Task BootImage_FirstByteIsThatOfTheHead()
    {
        using RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync("GET //boot/image?serial=1 HTTP/1.1\r\nHost: h\r\n\r\n");
        RawResponseHead head = await client.ReadHeadAsync();
        Assert.Equal(200, head.Status);
        _time.Advance(TimeSpan.FromSeconds(5));

        // The rest does not fit into the sockets' buffers, so the end is later.
        Assert.Equal(_image.Length, (await client.ReadBodyAsync(head)).Body.Length);

        JsonElement line = Assert.Single(await LinesAsync(1));
        Assert.Equal(0, line.GetProperty("firstByteMs").GetDouble());
        Assert.InRange(line.GetProperty("durationMs").GetDouble(), 5000, double.MaxValue);
    }

    [Theory]
    [InlineData("cvmfs Fuse 2.11.5", 1)]
    [InlineData("breakwater/1.0.0", 0)]
    public async Task Requests_OfAVm_AreABootAndThoseOfAnExportAreNone(string agent, int boots)
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        string[] objects = [.. tiny.Files.Keys.Where(file => file.StartsWith("data/", StringComparison.Ordinal))];
        Assert.True(objects.Length >= 10);
        for (int turn = 0; turn < 2; turn++)
        {
            using RawHttpClient client = await _proxy.ConnectAsync();
            foreach (string file in (string[])[".cvmfspublished", .. objects])
            {
                Assert.Equal(200, (await client.GetAsync(tiny.UrlPath(file), "User-Agent: " + agent)).Status);
                _time.Advance(TimeSpan.FromMilliseconds(1));
            }
        }

        await LinesAsync(2 * (objects.Length + 1));
        Assert.Equal(2 * boots, _proxy.Services.GetRequiredService<BootTimelines>().Snapshot().Boots.Count());
    }

    /// <summary>Drives the pump: its clock stands still.</summary>
    private async Task<List<JsonElement>> LinesAsync(int count)
    {
        List<JsonElement> lines = [];
        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(20));
            lines = Read(_directory.Combine("access.json"));
            return lines.Count >= count;
        });
        return lines;
    }

    /// <summary>Of a proxy whose clock goes by itself.</summary>
    private static async Task<List<JsonElement>> LinesAsync(string file, int count)
    {
        await Waiting.UntilAsync(() => Read(file).Count >= count);
        return Read(file);
    }

    private static List<JsonElement> Read(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), Encoding.UTF8);
        string text = reader.ReadToEnd();
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private static Task<ProxyUnderTest> StartAsync(string log, string isRawPath, ScriptedUpstream upstream) => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>(ProxyUnderTest.Patient)
        {
            ["AccessLog:Path"] = log,
            ["AccessLog:Format"] = "Json",
            ["Proxy:RawPath"] = isRawPath,
        },
        null,
        upstream);
}
