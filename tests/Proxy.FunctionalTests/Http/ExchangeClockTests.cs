using System.Globalization;
using System.Text;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Requests;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>Stored answers of ordinary HTTP on a machine whose wall clock is stepped (ADR 0030).</summary>
public sealed class ExchangeClockTests : IAsyncLifetime
{
    private const string Fresh = "max-age=100";

    private readonly FakeTimeProvider _real = new(DateTimeOffset.UtcNow.AddSeconds(-30)); // behind the origin, whose answers are new
    private readonly SteppedTime _time;
    private HttpOrigin _origin = null!;

    public ExchangeClockTests() => _time = new SteppedTime(_real);

    public async Task InitializeAsync() => _origin = await HttpOrigin.StartAsync(context =>
        HttpOrigin.ServeAsync(context, "a page"u8.ToArray(), "\"a\"", Fresh));

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [InlineData("0.00:00:00", "true")]
    [InlineData("-0.00:00:10", "true")]
    [InlineData("-0.00:01:50", "true")] // the time is then what it was when the answer came
    [InlineData("-0.02:00:00", "true")]
    [InlineData("-0.02:00:00", "false")]
    [InlineData("-20000.00:00:00", "true")]
    public async Task Answer_WallClockSetBack_IsAsOldAsItIs(string step, string rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(("Proxy:RawPath", rawPath));
        await AskAsync(proxy);
        await Waiting.UntilAsync(async () => (await AskAsync(proxy)).Contains("; hit", StringComparison.Ordinal));
        await AskAsync(proxy);

        _real.Advance(TimeSpan.FromSeconds(50));
        _time.Ahead = TimeSpan.Parse(step, CultureInfo.InvariantCulture);
        Assert.StartsWith("50 breakwater; hit; ttl=50", await AskAsync(proxy), StringComparison.Ordinal);
        Assert.StartsWith("50 breakwater; hit; ttl=50", await AskAsync(proxy), StringComparison.Ordinal);
        _real.Advance(TimeSpan.FromSeconds(60));
        Assert.Contains("fwd=stale", await AskAsync(proxy), StringComparison.Ordinal);
        Assert.Equal(["GET /f", "GET /f \"a\""], _origin.Asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // stored when its body is whole
    public async Task Answer_WallClockSetBackWhileItsBodyComes_IsAsOldAsItIs(bool hasTag)
    {
        Gate half = new();
        _origin.Answer = async context =>
        {
            context.Response.Headers.CacheControl = Fresh;
            context.Response.Headers.ETag = hasTag ? "\"a\"" : default;
            context.Response.ContentLength = 6;
            await context.Response.Body.WriteAsync("a p"u8.ToArray());
            await half.PassAsync();
            await context.Response.Body.WriteAsync("age"u8.ToArray());
        };
        await using ProxyUnderTest proxy = await StartAsync();
        var flights = proxy.Services.GetRequiredService<FlightTable>();
        string name = FlightTable.NameOf(CacheUri.OfSite("h.example.org", 80, "/f"), null, new HeaderFields());
        using RawHttpClient first = await BeginAsync(proxy);
        await first.ReadHeadAsync(); // so the flight has its head
        Assert.True(flights.TryFind(name, out _));

        _real.Advance(TimeSpan.FromSeconds(3));
        _time.Ahead = TimeSpan.FromHours(-2);
        using RawHttpClient second = await BeginAsync(proxy);
        Assert.Equal("3", (await second.ReadHeadAsync()).Header("Age"));
        half.Open();

        await Waiting.UntilAsync(() => !flights.TryFind(name, out _));
        Assert.StartsWith("3 breakwater; hit; ttl=97", await AskAsync(proxy), StringComparison.Ordinal);
        Assert.Equal(["GET /f"], _origin.Asked);
    }

    [Theory]
    [InlineData("0.02:00:00")]
    [InlineData("20000.00:00:00")]
    public async Task Answer_StoredByAClockThatWasAhead_IsCheckedAfterTheRestart(string ahead)
    {
        _time.Ahead = TimeSpan.Parse(ahead, CultureInfo.InvariantCulture);
        await using ScriptedUpstream origin = ScriptedUpstream.Start();
        origin.Everything = new UpstreamBehaviour
        {
            // Without a Date, by which it would be old when it comes.
            RawAnswer = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nCache-Control: {Fresh}\r\nContent-Length: 6\r\n\r\na page"),
        };
        await using ProxyUnderTest proxy = await StartAsync(("Http:Sites:h.example.org:Origin", $"http://{origin.EndPoint}"));
        await AskAsync(proxy);

        _time.Ahead = TimeSpan.Zero; // corrected
        await proxy.RestartAsync();
        Assert.Contains("fwd=stale", await AskAsync(proxy), StringComparison.Ordinal);
        await Waiting.UntilAsync(async () => (await AskAsync(proxy)).Contains("; hit; ttl=", StringComparison.Ordinal));
    }

    private static async Task<RawHttpClient> BeginAsync(ProxyUnderTest proxy)
    {
        RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync("GET /f HTTP/1.1\r\nHost: h.example.org\r\n\r\n");
        return client;
    }

    private static async Task<string> AskAsync(ProxyUnderTest proxy)
    {
        RawResponse answer = await ExchangeTests.AskAsync(proxy, "/f");
        Assert.Equal(200, answer.Status);
        return $"{answer.Header("Age")} {answer.Header("Cache-Status")}";
    }

    private Task<ProxyUnderTest> StartAsync(params (string Name, string Value)[] settings) =>
        ExchangeTests.StartAsync(_origin, _time, settings);
}
