using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.FunctionalTests.Http;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>Stored answers of ordinary HTTP that the event loops give: as long as all that led to them is still so.</summary>
public sealed class ReadyAnswerTests : IAsyncLifetime
{
    private const string Site = "repo.example.com";

    private readonly TemporaryDirectory _directory = new();

    /// <summary>Behind that of the origin, whose answers are therefore new when they come: whole seconds.</summary>
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow.AddSeconds(-30));

    private readonly byte[] _old = new SyntheticObject(4096).Bytes;
    private readonly byte[] _new = new SyntheticObject(4096, 2).Bytes;
    private HttpOrigin _origin = null!;

    public async Task InitializeAsync() => _origin = await HttpOrigin.StartAsync(Give(_old, "\"old\""));

    public async Task DisposeAsync()
    {
        await _origin.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Hits_OnTheLoops_AreCountedAndLoggedAsThoseOfTheOrdinaryWay()
    {
        string raw = await RunAsync(isRaw: true);

        Assert.Equal(await RunAsync(isRaw: false), raw);
        Assert.Contains("\"result\":\"hit\"", raw, StringComparison.Ordinal);

        async Task<string> RunAsync(bool isRaw)
        {
            string log = _directory.Combine($"{isRaw}.json");
            await using ProxyUnderTest proxy = await StartAsync(
                TimeProvider.System, ("Proxy:RawPath", isRaw ? "true" : "false"), ("AccessLog:Path", log), ("AccessLog:Format", "Json"));
            for (int i = 0; i < 8; i++)
            {
                string url = i < 4 ? "/a?x=%7e" : $"http://{Site}/b";
                Assert.Equal(_old, (await AskAsync(proxy, url, "User-Agent: cvmfs Fuse 2.11.5", "cvmfs-info: /n%20m")).Body);
                int lines = i + 1;
                await Waiting.UntilAsync(() => Lines(log).Length == lines); // none changes places with the next
            }

            Assert.Equal(isRaw, Answered(proxy) > 0);
            var totals = proxy.Services.GetRequiredService<ExchangeCounters>().Totals().OrderBy(total => total.Result);
            return string.Join('\n', [
                .. Lines(log).Select(Timeless), string.Join(' ', totals),
                $"{proxy.Services.GetRequiredService<RequestRecorder>().TotalOf(RequestResult.Hit)}"]);
        }
    }

    [Theory]
    [InlineData("purge")]
    [InlineData("no-cache")]
    [InlineData("PUT")]
    public async Task Answer_ThatIsForgottenReplacedOrInvalidated_IsNotGivenAgain(string how)
    {
        await using ProxyUnderTest proxy = await StartAsync(("Http:Methods:0", "GET"), ("Http:Methods:1", "PUT"));
        await MakeReadyAsync(proxy, "/a");
        _origin.Answer = Give(_new, "\"new\"");

        switch (how)
        {
            case "purge":
                Assert.True(proxy.Store.Named.Heads.Remove($"site:http://{Site}/a"));
                break;
            case "no-cache":
                Assert.Equal(_new, (await AskAsync(proxy, "/a", "Cache-Control: no-cache")).Body);
                break;
            default:
                await SendAsync(proxy, $"PUT /a HTTP/1.1\r\nHost: {Site}\r\nContent-Length: 0\r\n\r\n");
                break;
        }

        Assert.Equal(_new, (await AskAsync(proxy, "/a")).Body);
        await MakeReadyAsync(proxy, "/a");
        Assert.Equal(_new, (await AskAsync(proxy, "/a")).Body);
    }

    [Theory]
    [InlineData("/a", "Http:Sites:repo.example.com:Origin", 404)]
    [InlineData("destination", "Access:Destinations:0", 403)]
    [InlineData("/a", "Http:Methods:0", 405)]
    public async Task Answer_WhenTheSettingsChange_IsDecidedAnew(string url, string setting, int expected)
    {
        url = url == "destination" ? _origin.Address + "/a" : url;
        await using ProxyUnderTest proxy = await StartAsync(("Http:Methods:0", "GET"), ("Http:Methods:1", "PUT"));
        await MakeReadyAsync(proxy, url);

        proxy.Change(new Dictionary<string, string?> { [setting] = setting == "Http:Methods:0" ? "HEAD" : null });

        Assert.Equal(expected, (await AskAsync(proxy, url)).Status);
    }

    [Fact]
    public async Task Answer_OfARuleThatChanged_IsAskedAnew()
    {
        _origin.Answer = Give(_old, "\"old\"", cacheControl: "");
        await using ProxyUnderTest proxy = await StartAsync(("Http:Rules:0:Match", "."), ("Http:Rules:0:MinFresh", "01:00:00"));
        await MakeReadyAsync(proxy, "/a");
        int asked = _origin.Asked.Length;

        proxy.Change(new Dictionary<string, string?> { ["Http:Rules:0:MinFresh"] = null });

        Assert.Equal(_old, (await AskAsync(proxy, "/a")).Body);
        Assert.Equal(asked + 1, _origin.Asked.Length);
    }

    [Fact]
    public async Task Answer_AsTimePasses_TellsItsAgeAndEndsWithItsFreshness()
    {
        await using ProxyUnderTest proxy = await StartAsync();
        await MakeReadyAsync(proxy, "/a");

        _time.Advance(TimeSpan.FromSeconds(59));
        RawResponse answer = await MakeReadyAsync(proxy, "/a");
        Assert.Equal(("59", "breakwater; hit; ttl=41"), (answer.Header("Age"), answer.Header("Cache-Status")));

        // After a minute the ordinary way looks once, and makes it ready again.
        _time.Advance(TimeSpan.FromSeconds(2));
        long answered = Answered(proxy);
        await AskAsync(proxy, "/a");
        Assert.Equal(answered, Answered(proxy));
        Assert.Equal("61", (await MakeReadyAsync(proxy, "/a")).Header("Age"));
        Assert.Single(_origin.Asked);

        _time.Advance(TimeSpan.FromSeconds(40));
        answered = Answered(proxy);
        Assert.Contains("fwd=stale", (await AskAsync(proxy, "/a")).Header("Cache-Status"), StringComparison.Ordinal);
        Assert.Equal(answered, Answered(proxy));
        Assert.Equal(2, _origin.Asked.Length);
    }

    /// <summary>A fresh answer is stored, and another client has just fetched a newer one: who asks now gets that.</summary>
    [Fact]
    public async Task Answer_WhileANewerOneIsOnItsWay_IsNotGiven()
    {
        _origin.Answer = Give(_old, tag: null);
        await using ProxyUnderTest proxy = await StartAsync();
        await MakeReadyAsync(proxy, "/a");
        var gate = new Gate();
        _origin.Answer = async context =>
        {
            context.Response.Headers.CacheControl = "max-age=100";
            context.Response.ContentLength = _new.Length;
            await context.Response.Body.WriteAsync(_new.AsMemory(0, 1000));
            await gate.PassAsync();
            await context.Response.Body.WriteAsync(_new.AsMemory(1000));
        };
        _time.Advance(TimeSpan.FromSeconds(5));
        using RawHttpClient one = await proxy.ConnectAsync();
        using RawHttpClient other = await proxy.ConnectAsync();

        await one.SendAsync(Request("/a", "Cache-Control: max-age=0"));
        RawResponseHead first = await one.ReadHeadAsync();
        await other.SendAsync(Request("/a"));
        RawResponseHead second = await other.ReadHeadAsync();
        gate.Open();

        Assert.Equal(_new, (await one.ReadBodyAsync(first)).Body);
        Assert.Equal(_new, (await other.ReadBodyAsync(second)).Body);
    }

    /// <summary>The lease holds the bytes of the answer that has begun, whatever becomes of the store.</summary>
    [Fact]
    public async Task Body_ForgottenReplacedAndEvictedWhileItIsSent_IsWhole()
    {
        byte[] body = new SyntheticObject(1 << 20).Bytes;
        _origin.Answer = Give(body, "\"old\"");
        await using ProxyUnderTest proxy = await StartAsync();
        var slices = (FasterObjectStore)proxy.Store.Named.Slices;
        await AskAsync(proxy, "/a");
        await Waiting.UntilAsync(() => slices.List().Any()); // on disk: else it is copied, not leased
        await MakeReadyAsync(proxy, "/a");
        using RawHttpClient client = await RawHttpClient.ConnectShortAsync(proxy.EndPoint);
        await client.SendAsync(Request("/a"));
        await client.SettledAsync();

        byte[] another = [.. body.Select(b => (byte)~b)];
        _origin.Answer = Give(another, "\"new\"");
        Assert.True(slices.Remove(slices.List().Single().Key));
        Assert.Equal(another, (await AskAsync(proxy, "/a", "Cache-Control: no-cache")).Body);
        proxy.Change(new Dictionary<string, string?> { ["Http:Sites:repo.example.com:Origin"] = null });
        RawResponse answer = await client.ReadResponseAsync();

        Assert.True(answer.IsComplete);
        Assert.Equal(body, answer.Body);
    }

    [Fact]
    public async Task Body_WhoseSliceIsGone_IsFetchedAnewAndReadyAgain()
    {
        await using ProxyUnderTest proxy = await StartAsync();
        var slices = (FasterObjectStore)proxy.Store.Named.Slices;
        await MakeReadyAsync(proxy, "/a");
        await Waiting.UntilAsync(() => slices.List().Any());
        Assert.True(slices.Remove(slices.List().Single().Key));

        Assert.Equal(_old, (await AskAsync(proxy, "/a")).Body);
        Assert.Equal(2, _origin.Asked.Length);
        await MakeReadyAsync(proxy, "/a");
        Assert.Equal(2, _origin.Asked.Length);
    }

    /// <summary>Some of so many share a place: each is answered rightly, whichever way it goes.</summary>
    [Fact]
    public async Task Answers_OfUrlsThatShareAPlace_AreTheirOwn()
    {
        _origin.Answer = context => HttpOrigin.ServeAsync(
            context, Encoding.ASCII.GetBytes(context.Request.Path.Value!), $"\"{context.Request.Path.Value}\"", "max-age=100");
        await using ProxyUnderTest proxy = await StartAsync();
        using RawHttpClient client = await proxy.ConnectAsync();
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 500; i++)
            {
                await client.SendAsync(Request($"/{i}"));
                Assert.Equal($"/{i}", Encoding.ASCII.GetString((await client.ReadResponseAsync()).Body));
            }
        }

        Assert.InRange(Answered(proxy), 1, 500);
    }

    private static RequestDelegate Give(byte[] body, string? tag, string cacheControl = "max-age=100") => context =>
    {
        if (tag is not null)
        {
            return HttpOrigin.ServeAsync(context, body, tag, cacheControl);
        }

        context.Response.Headers.CacheControl = cacheControl;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body).AsTask();
    };

    /// <summary>Asks until the loops answer; their answer.</summary>
    private static async Task<RawResponse> MakeReadyAsync(ProxyUnderTest proxy, string url)
    {
        long before = Answered(proxy);
        RawResponse? answer = null;
        await Waiting.UntilAsync(async () =>
        {
            answer = await AskAsync(proxy, url);
            Assert.Equal(200, answer.Status);
            return Answered(proxy) > before;
        });
        return answer!;
    }

    private static long Answered(ProxyUnderTest proxy) => proxy.Services.GetRequiredService<ProxyCounters>().HitPathAnswers;

    private static string Request(string url, params string[] fields) =>
        $"GET {url} HTTP/1.1\r\nHost: {Site}\r\n{string.Concat(fields.Select(field => field + "\r\n"))}\r\n";

    private static Task<RawResponse> AskAsync(ProxyUnderTest proxy, string url, params string[] fields) =>
        SendAsync(proxy, Request(url, fields));

    /// <summary>The answer, once it is counted, too: that is done when it is out.</summary>
    private static async Task<RawResponse> SendAsync(ProxyUnderTest proxy, string request)
    {
        RequestRecorder recorder = proxy.Services.GetRequiredService<RequestRecorder>();
        long before = Recorded();
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync(request);
        RawResponse answer = await client.ReadResponseAsync();
        await Waiting.UntilAsync(() => Recorded() > before);
        return answer;

        long Recorded() => recorder.TotalOf(static _ => true).Requests;
    }

    private static string[] Lines(string log) => File.Exists(log) ? File.ReadAllText(log).Split('\n')[..^1] : [];

    /// <summary>A line without what is of its moment.</summary>
    private static string Timeless(string line)
    {
        JsonObject fields = JsonNode.Parse(line)!.AsObject();
        foreach (string name in (string[])["time", "firstByteMs", "durationMs"])
        {
            fields.Remove(name);
        }

        return fields.ToJsonString(JsonSerializerOptions.Default);
    }

    private Task<ProxyUnderTest> StartAsync(params (string Name, string Value)[] settings) => StartAsync(_time, settings);

    private Task<ProxyUnderTest> StartAsync(TimeProvider time, params (string Name, string Value)[] settings)
    {
        Dictionary<string, string?> all = new(ProxyUnderTest.Patient)
        {
            [$"Http:Sites:{Site}:Origin"] = _origin.Address,
            ["Access:Destinations:0"] = "127.0.0.1:*",
            ["Access:AllowedUpstreams:0"] = "127.0.0.1/32",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/",
        };
        foreach ((string name, string value) in settings)
        {
            all[name] = value;
        }

        return ProxyUnderTest.StartAsync(all, time);
    }
}
