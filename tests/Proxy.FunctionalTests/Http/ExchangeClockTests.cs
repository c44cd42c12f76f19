using System.Globalization;
using System.Text;
using Breakwater.TestSupport;
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

    private static async Task<string> AskAsync(ProxyUnderTest proxy)
    {
        RawResponse answer = await ExchangeTests.AskAsync(proxy, "/f");
        Assert.Equal(200, answer.Status);
        return $"{answer.Header("Age")} {answer.Header("Cache-Status")}";
    }

    private Task<ProxyUnderTest> StartAsync(params (string Name, string Value)[] settings) =>
        ExchangeTests.StartAsync(_origin, _time, settings);
}
