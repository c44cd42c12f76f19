using System.IO.Pipelines;
using System.Net;
using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Observability;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>The PROXY protocol in front of Kestrel's HTTP: who must begin with it, and who must not.</summary>
public sealed class ProxyHeaderMiddlewareTests : IDisposable
{
    private const string Header = "PROXY TCP4 192.0.2.7 10.0.0.1 1234 80\r\n";
    private const string Get = "GET /x HTTP/1.1\r\n\r\n";

    private readonly Measured _measured = new();
    private readonly Pipe _up = new();
    private readonly Pipe _down = new();
    private readonly DefaultConnectionContext _connection;
    private readonly ProxyOptions _options = new();
    private bool _isKestrels;

    public ProxyHeaderMiddlewareTests() => _connection = new DefaultConnectionContext(
        "c", new DuplexPipe(_up.Reader, _down.Writer), new DuplexPipe(_down.Reader, _up.Writer));

    public void Dispose() => _measured.Dispose();

    [Theory]
    [InlineData("10.0.0.1", Header + Get, "192.0.2.7:1234", Get)]
    [InlineData("10.0.0.1", "PROXY UNKNOWN\r\n" + Get, "10.0.0.1:9", Get)]
    [InlineData("192.0.2.1", Get, "192.0.2.1:9", Get)]
    [InlineData("192.0.2.1", "P", "192.0.2.1:9", "P")]
    [InlineData("192.0.2.1", "", "192.0.2.1:9", "")]
    public async Task Connection_AsItsSenderIsToBegin_IsKestrelsWithWhatFollows(string sender, string said, string client, string left)
    {
        await RunAsync(sender, said);

        Assert.True(_isKestrels);
        Assert.Equal(client, _connection.RemoteEndPoint?.ToString());
        Assert.Equal(left, await ReadAsync(_connection.Transport.Input));
    }

    [Theory]
    [InlineData("10.0.0.1", Get, "HTTP/1.1 400 ")]
    [InlineData("10.0.0.1", "PROXY TCP4 192", "HTTP/1.1 400 ")] // and no more
    [InlineData("192.0.2.1", Header + Get, "HTTP/1.1 400 ")]
    [InlineData("10.0.0.1", "", "")]
    public async Task Connection_ThatBeginsOtherwise_IsRefusedIfItHasSaidAnything(string sender, string said, string refusal)
    {
        await RunAsync(sender, said);

        Assert.False(_isKestrels);
        string answer = await ReadAsync(_down.Reader);
        Assert.StartsWith(refusal, answer, StringComparison.Ordinal);
        Assert.Equal(refusal.Length == 0, answer.Length == 0);
    }

    [Theory]
    [InlineData("10.0.0.1", "PROXY ")]
    [InlineData("192.0.2.1", "PROX")]
    public async Task Header_ThatDoesNotBecomeWhole_IsRefusedAsLate(string sender, string said)
    {
        _options.RequestHeadTimeout = TimeSpan.FromMilliseconds(200);
        await RunAsync(sender, said, isAll: false);

        Assert.False(_isKestrels);
        Assert.StartsWith("HTTP/1.1 408 ", await ReadAsync(_down.Reader), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_WhereNobodyUsesTheProtocol_IsNotLookedAt()
    {
        await RunAsync("10.0.0.1", Header, isAll: false, naming: []);

        Assert.True(_isKestrels);
        Assert.Equal("10.0.0.1:9", _connection.RemoteEndPoint?.ToString());
    }

    /// <summary>A connection from this address.</summary>
    /// <param name="sender">Where it comes from.</param>
    /// <param name="said">What is said on it.</param>
    /// <param name="isAll">Does no more come?</param>
    /// <param name="naming">Whose connections begin with a header; null: those from <c>10.0.0.0/8</c>.</param>
    private async Task RunAsync(string sender, string said, bool isAll = true, string[]? naming = null)
    {
        _connection.RemoteEndPoint = new IPEndPoint(IPAddress.Parse(sender), 9);
        await _up.Writer.WriteAsync(Encoding.ASCII.GetBytes(said)).InTimeAsync();
        if (isAll)
        {
            await _up.Writer.CompleteAsync();
        }

        var time = new FakeTimeProvider();
        var refusals = new ParserRefusals(new RequestRecorder(_measured.Meters, time), _options, time);
        await new ProxyHeaderMiddleware(new Balancers(naming ?? ["10.0.0.0/8"], []), refusals, _options).Wrap(_ =>
        {
            _isKestrels = true;
            return Task.CompletedTask;
        })(_connection).InTimeAsync();
    }

    private static async Task<string> ReadAsync(PipeReader reader)
    {
        ReadResult read = await reader.ReadAsync().InTimeAsync();
        return Encoding.ASCII.GetString(read.Buffer);
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
