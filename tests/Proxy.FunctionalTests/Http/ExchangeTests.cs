using System.Text;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>What is cached of ordinary HTTP, for whom, and that nobody gets what is not his.</summary>
public sealed class ExchangeTests
{
    private const string Stale = "max-age=10";

    [Fact]
    public async Task Answer_ThatIsFresh_IsAHitAlsoAfterARestart()
    {
        byte[] page = new SyntheticObject(3_000_000).Bytes;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context =>
            HttpOrigin.ServeAsync(context, page, "\"a\"", "max-age=600"));
        await using ProxyUnderTest proxy = await StartAsync(origin);

        RawResponse first = await AskAsync(proxy, "/f");
        RawResponse second = await AskAsync(proxy, "/f");
        await proxy.RestartAsync();
        RawResponse third = await AskAsync(proxy, "/f");

        Assert.All([first, second, third], response => Assert.Equal(
            (200, true), (response.Status, response.Body.AsSpan().SequenceEqual(page))));
        Assert.StartsWith("breakwater; fwd=uri-miss; fwd-status=200; stored; ttl=", first.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.StartsWith("breakwater; hit; ttl=", second.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.NotNull(second.Header("Age"));
        Assert.Single(origin.Asked);
    }

    [Fact]
    public async Task Cold_ForManyClients_IsAskedForOnceAndASlowOneHoldsNobodyUp()
    {
        byte[] page = new SyntheticObject(5_000_000).Bytes;
        Gate half = new();
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            context.Response.Headers.CacheControl = "max-age=0";
            context.Response.ContentLength = page.Length;
            await context.Response.Body.WriteAsync(page.AsMemory(0, 1_500_000));
            await half.PassAsync();
            await context.Response.Body.WriteAsync(page.AsMemory(1_500_000));
        });
        await using ProxyUnderTest proxy = await StartAsync(origin);
        using RawHttpClient slow = await proxy.ConnectAsync();
        await slow.SendAsync(Request("/f"));
        await half.Reached;
        Gate head = new();
        origin.Answer = async context =>
        {
            await head.PassAsync();
            context.Response.Headers.CacheControl = "max-age=0";
            context.Response.ContentLength = page.Length;
            await context.Response.Body.WriteAsync(page);
        };
        Task<RawResponse>[] others = [.. Enumerable.Range(0, 40).Select(_ => AskAsync(proxy, "/g"))];
        await head.Reached;
        await Waiting.UntilAsync(() => Waiters(proxy) >= 40);
        head.Open();

        RawResponse[] answers = await Task.WhenAll(others).InTimeAsync();
        half.Open();
        RawResponse late = await slow.ReadResponseAsync();

        Assert.All([.. answers, late], response => Assert.True(response.IsComplete && response.Body.AsSpan().SequenceEqual(page)));
        Assert.Equal(["GET /f", "GET /g"], origin.Asked);
        Assert.Equal(39, answers.Count(response => response.Header("Cache-Status")!.Contains("collapsed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Stale_ForManyClients_IsCheckedOnce()
    {
        Gate check = new();
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            if (context.Request.Headers.IfNoneMatch.Count > 0)
            {
                await check.PassAsync();
            }
            else
            {
                context.Response.Headers.Age = "10";
            }

            await HttpOrigin.ServeAsync(context, "a page"u8.ToArray(), "\"a\"", Stale);
        });
        await using ProxyUnderTest proxy = await StartAsync(origin);
        Assert.Equal(200, (await AskAsync(proxy, "/f")).Status);
        Task<RawResponse>[] clients = [.. Enumerable.Range(0, 20).Select(_ => AskAsync(proxy, "/f"))];
        await check.Reached;
        await Waiting.UntilAsync(() => Waiters(proxy) >= 20);
        check.Open();

        RawResponse[] answers = await Task.WhenAll(clients).InTimeAsync();
        RawResponse fresh = await AskAsync(proxy, "/f");

        Assert.All(answers, response => Assert.Equal((200, "a page"), (response.Status, Encoding.ASCII.GetString(response.Body))));
        Assert.Equal(["GET /f", "GET /f \"a\""], origin.Asked);
        Assert.Contains("; hit", fresh.Header("Cache-Status"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no-store", "")]
    [InlineData("private, max-age=60", "")]
    [InlineData("max-age=60", "Authorization: Bearer mine\r\n")]
    public async Task NotCacheable_ForManyClients_IsForwardedForEach(string cacheControl, string field)
    {
        int served = 0;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            context.Response.Headers.CacheControl = cacheControl;
            await context.Response.WriteAsync(context.Request.Headers["X-Client"] + " " + Interlocked.Increment(ref served));
        });
        await using ProxyUnderTest proxy = await StartAsync(origin);

        RawResponse[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            AskAsync(proxy, "/f", $"X-Client: c{i}\r\n{field}"))).InTimeAsync();

        Assert.All(answers.Index(), answer =>
            Assert.StartsWith($"c{answer.Index} ", Encoding.ASCII.GetString(answer.Item.Body), StringComparison.Ordinal));
        Assert.Equal(20, origin.Asked.Length);
    }

    [Fact]
    public async Task Client_ThatLeaves_TakesNothingFromTheOthers()
    {
        byte[] page = new SyntheticObject(2_500_000).Bytes;
        Gate half = new();
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.Body.WriteAsync(page.AsMemory(0, 1_200_000));
            await context.Response.Body.FlushAsync();
            await half.PassAsync();
            await context.Response.Body.WriteAsync(page.AsMemory(1_200_000));
        });
        await using ProxyUnderTest proxy = await StartAsync(origin);
        using (RawHttpClient leaver = await proxy.ConnectAsync())
        {
            await leaver.SendAsync(Request("/f"));
            await half.Reached;
            Assert.Equal(200, (await leaver.ReadHeadAsync()).Status);
        }

        Task<RawResponse> follower = AskAsync(proxy, "/f");
        half.Open();
        RawResponse followed = await follower;
        RawResponse stored = await AskAsync(proxy, "/f");

        Assert.All([followed, stored], response => Assert.True(response.IsComplete && response.Body.AsSpan().SequenceEqual(page)));
        Assert.Single(origin.Asked);
    }

    [Theory]
    [InlineData(Stale, true)]
    [InlineData("max-age=10, stale-if-error=60", true)]
    [InlineData("max-age=10, must-revalidate", false)]
    [InlineData("s-maxage=10", false)]
    [InlineData("max-age=9, stale-if-error=0", false)]
    public async Task Origin_ThatFails_LeavesStaleOrAnErrorAsTheAnswerSays(string cacheControl, bool isStaleServed)
    {
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            context.Response.Headers.Age = "10";
            await HttpOrigin.ServeAsync(context, "a page"u8.ToArray(), "\"a\"", cacheControl);
        });
        await using ProxyUnderTest proxy = await StartAsync(origin);
        Assert.Equal(200, (await AskAsync(proxy, "/f")).Status);

        origin.Answer = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        RawResponse error = await AskAsync(proxy, "/f");
        origin.Answer = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        RawResponse broken = await AskAsync(proxy, "/f");

        Assert.Equal(isStaleServed ? (200, 200) : (503, 502), (error.Status, broken.Status));
        Assert.Equal(!isStaleServed, broken.Header("Proxy-Status") is not null);
        Assert.NotEmpty(broken.Body);
    }

    [Fact]
    public async Task Method_ThatChanges_MakesWhatIsStoredUseless()
    {
        int generation = 0;
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            if (context.Request.Method == "POST")
            {
                generation++;
                context.Response.Headers.Location = "/other";
                context.Response.StatusCode = 303;
                return;
            }

            context.Response.Headers.CacheControl = "max-age=600";
            await context.Response.WriteAsync($"{generation}");
        });
        await using ProxyUnderTest proxy = await StartAsync(origin, ("Http:Methods:0", "GET"), ("Http:Methods:1", "POST"));
        Assert.Equal("00", await BodyAsync(proxy, "/f") + await BodyAsync(proxy, "/other"));

        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync("POST /f HTTP/1.1\r\nHost: h.example.org\r\nContent-Length: 2\r\n\r\nab");
        Assert.Equal(303, (await client.ReadResponseAsync()).Status);

        Assert.Equal("11", await BodyAsync(proxy, "/f") + await BodyAsync(proxy, "/other"));
    }

    [Fact]
    public async Task Head_OfAStoredGet_IsAnsweredAndOneThatDiffersForgetsIt()
    {
        byte[] page = "a page"u8.ToArray();
        string tag = "\"a\"";
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context => HttpOrigin.ServeAsync(context, page, tag, "max-age=600"));
        await using ProxyUnderTest proxy = await StartAsync(origin);
        Assert.Equal(200, (await AskAsync(proxy, "/f")).Status);

        RawResponse head = await HeadAsync(proxy, "");
        Assert.Equal((200, "6"), (head.Status, head.Header("Content-Length")));
        Assert.Single(origin.Asked);

        tag = "\"b\"";
        Assert.Equal("\"b\"", (await HeadAsync(proxy, "Cache-Control: no-cache\r\n")).Header("ETag"));
        Assert.Equal("\"b\"", (await AskAsync(proxy, "/f")).Header("ETag"));
        Assert.Equal(["GET /f", "HEAD /f", "GET /f"], origin.Asked);
    }

    [Theory]
    [InlineData("X-Forwarded-Host: evil.example")]
    [InlineData("X-Original-URL: /evil")]
    [InlineData("Forwarded: host=evil.example")]
    [InlineData("X-HTTP-Method-Override: DELETE")]
    public async Task Field_ThatIsNoPartOfTheName_PoisonsNobody(string field)
    {
        await using HttpOrigin origin = await HttpOrigin.StartAsync(async context =>
        {
            context.Response.Headers.CacheControl = "max-age=600";
            string evil = string.Join(
                ' ', context.Request.Headers.Where(h => h.Key.StartsWith("X-", StringComparison.Ordinal) || h.Key == "Forwarded").Select(
                    h => h.Value));
            await context.Response.WriteAsync("for " + evil);
        });
        await using ProxyUnderTest proxy = await StartAsync(origin);

        Assert.Equal($"for {field[(field.IndexOf(':', StringComparison.Ordinal) + 2)..]}", await BodyAsync(proxy, "/f", field + "\r\n"));
        Assert.Equal("for ", await BodyAsync(proxy, "/f"));
    }

    [Fact]
    public async Task OnlyIfCached_WithNothingStored_IsA504()
    {
        await using HttpOrigin origin = await HttpOrigin.StartAsync(context =>
            HttpOrigin.ServeAsync(context, "p"u8.ToArray(), "\"a\"", "max-age=600"));
        await using ProxyUnderTest proxy = await StartAsync(origin);

        Assert.Equal(504, (await AskAsync(proxy, "/f", "Cache-Control: only-if-cached\r\n")).Status);
        Assert.Equal(200, (await AskAsync(proxy, "/f")).Status);
        Assert.Equal(200, (await AskAsync(proxy, "/f", "Cache-Control: only-if-cached\r\n")).Status);
        Assert.Single(origin.Asked);
    }

    internal static Task<ProxyUnderTest> StartAsync(HttpOrigin origin, params (string Name, string Value)[] settings) =>
        StartAsync(origin, null, settings);

    internal static Task<ProxyUnderTest> StartAsync(
        HttpOrigin origin, TimeProvider? time, params (string Name, string Value)[] settings)
    {
        Dictionary<string, string?> all = settings.ToDictionary(s => s.Name, string? (s) => s.Value);
        all["Http:Sites:*:Origin"] = origin.Address;
        all["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/";
        return ProxyUnderTest.StartAsync(all, time);
    }

    internal static async Task<RawResponse> AskAsync(ProxyUnderTest proxy, string path, string fields = "")
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync(Request(path, fields));
        return await client.ReadResponseAsync();
    }

    private static string Request(string path, string fields = "") => $"GET {path} HTTP/1.1\r\nHost: h.example.org\r\n{fields}\r\n";

    private static async Task<string> BodyAsync(ProxyUnderTest proxy, string path, string fields = "") =>
        Encoding.ASCII.GetString((await AskAsync(proxy, path, fields)).Body);

    private static async Task<RawResponse> HeadAsync(ProxyUnderTest proxy, string fields)
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync($"HEAD /f HTTP/1.1\r\nHost: h.example.org\r\n{fields}\r\n");
        return await client.ReadResponseAsync(isHead: true);
    }

    /// <summary>Requests that wait for the head of an answer right now, their own or another's.</summary>
    internal static int Waiters(ProxyUnderTest proxy) =>
        ((Exchanges.FlightTable)proxy.Services.GetService(typeof(Exchanges.FlightTable))!).Waiting;
}
