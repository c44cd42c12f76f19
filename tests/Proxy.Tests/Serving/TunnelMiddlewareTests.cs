using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>CONNECT in front of Kestrel's HTTP; the client's end is the test's, the other is a real socket.</summary>
public sealed class TunnelMiddlewareTests : IDisposable, IConnectionHeartbeatFeature, IHostNames
{
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly Drain _drain = new();
    private readonly ProxyOptions _options = new();
    private readonly RequestRecorder _recorder;
    private readonly GuardedConnector _connector;
    private readonly DuplexPipe _client;
    private readonly DefaultConnectionContext _connection;
    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private Action? _heartbeat;
    private bool _isKestrels;

    public TunnelMiddlewareTests()
    {
        _recorder = new RequestRecorder(_metrics.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), _time)
        {
            KeepsRecords = true,
        };
        _connector = new GuardedConnector(new AddressGuard(["127.0.0.0/8"], _time), this, _options, TimeProvider.System);

        // Whoever reads what is said has read it when it is said.
        var up = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        var down = new Pipe();
        _client = new DuplexPipe(down.Reader, up.Writer);
        _connection = new DefaultConnectionContext("c", new DuplexPipe(up.Reader, down.Writer), _client)
        {
            RemoteEndPoint = new IPEndPoint(IPAddress.Parse("10.0.0.1"), 1),
        };
        _connection.Features.Set<IConnectionHeartbeatFeature>(this);
        _server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _server.Listen();
    }

    private int Port => ((IPEndPoint)_server.LocalEndPoint!).Port;

    public void Dispose()
    {
        _server.Dispose();
        _connector.Dispose();
        _drain.Dispose();
        _metrics.Dispose();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECTION")]
    [InlineData("X")]
    public async Task Connection_ThatBeginsOtherwise_IsKestrelsUntouched(string text)
    {
        await SayAsync(text);
        await RunAsync().InTimeAsync();

        Assert.True(_isKestrels);
        ReadResult read = await _connection.Transport.Input.ReadAsync().InTimeAsync();
        Assert.Equal(text, Encoding.ASCII.GetString(read.Buffer));
        Assert.Empty(Records());
    }

    /// <summary>Whoever began a CONNECT and does not end it is not waited for, however often another byte of it comes.</summary>
    [Fact]
    public async Task Head_ThatDoesNotBecomeWhole_EndsTheConnection()
    {
        Task run = RunAsync();
        _time.Advance(2 * _options.RequestHeadTimeout); // nothing has begun yet
        TimeSpan step = _options.RequestHeadTimeout / 9;
        foreach (char letter in "CONNECT a")
        {
            Assert.False(run.IsCompleted);
            await SayAsync($"{letter}");
            _time.Advance(step);
        }

        _time.Advance(step);
        await run.InTimeAsync();
        Assert.False(_isKestrels);
        Assert.Equal(RequestResult.Refused, Assert.Single(Records()).Result);
        await Waiting.UntilAsync(() => _connection.ConnectionClosed.IsCancellationRequested);
    }

    /// <summary>A connection on which nothing is said stays for five minutes, and is no request.</summary>
    [Fact]
    public async Task Connection_ThatSaysNothing_EndsAfterAWhile()
    {
        Task run = RunAsync();
        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        Assert.False(_connection.ConnectionClosed.IsCancellationRequested);
        Assert.False(run.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        await run.InTimeAsync();
        Assert.False(_isKestrels);
        Assert.Empty(Records());
    }

    /// <summary>As long as something moves it stays, however old it is.</summary>
    [Fact]
    public async Task Tunnel_CarriesBytesBothWaysUntilTheServerEndsIt()
    {
        await SayAsync($"CONNECT 127.0.0.1:{Port} HTTP/1.1\r\nHost: 127.0.0.1:{Port}\r\nUser-Agent: me\r\n\r\nearly ");
        Task run = RunAsync();
        using Socket server = await _server.AcceptAsync().InTimeAsync();
        const string Established = "HTTP/1.1 200 Connection established\r\nVia: 1.1 breakwater\r\n\r\n";
        Assert.Equal(Established, await HearAsync(Established.Length));
        await SayAsync("late");
        Assert.Equal("early late", await ReceiveAsync(server, 10));
        await server.SendAsync("answer"u8.ToArray().AsMemory());
        Assert.Equal("answer", await HearAsync(6));

        Assert.NotNull(_heartbeat);
        _heartbeat();
        Assert.False(_connection.ConnectionClosed.IsCancellationRequested);
        Assert.False(run.IsCompleted);
        server.Shutdown(SocketShutdown.Both);
        await run.InTimeAsync();
        RequestRecord record = Assert.Single(Records());
        Assert.Equal((RequestResult.PassedThrough, 200, 6L, $"127.0.0.1:{Port}", "me"),
            (record.Result, record.Status, record.BytesSent, record.Target, record.UserAgent));
    }

    [Theory]
    [InlineData("CONNECT other.example.org:443 HTTP/1.1\r\nHost: other.example.org:443\r\n\r\n", 403, "Refused")]
    [InlineData("CONNECT nonsense\r\n\r\n", 400, "Refused")]
    public async Task Connect_ThatIsNotAllowed_IsRefusedAndRecorded(string head, int status, string result)
    {
        await SayAsync(head);
        await RunAsync().InTimeAsync();

        Assert.StartsWith($"HTTP/1.1 {status} ", await HearAsync(13), StringComparison.Ordinal);
        RequestRecord record = Assert.Single(Records());
        Assert.Equal((result, (short)status), (record.Result.ToString(), record.Status));
        Assert.False(_isKestrels);
    }

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state) => _heartbeat = () => action(state);

    Task<IPAddress[]> IHostNames.ResolveAsync(string host, CancellationToken cancellationToken) =>
        Task.FromResult<IPAddress[]>([IPAddress.Loopback]);

    private static async Task<string> ReceiveAsync(Socket server, int count)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int read = await server.ReceiveAsync(bytes.AsMemory(at)).InTimeAsync();
            Assert.True(read > 0);
            at += read;
        }

        return Encoding.ASCII.GetString(bytes);
    }

    private Task RunAsync()
    {
        var admission = new Admission(
            new ClientAccess(["10.0.0.0/8"]), new ProxyUsers(new Dictionary<string, string>()), new ClientLimits(0, 0, _time), _drain);
        var middleware = new TunnelMiddleware(new ConnectAccess([$"127.0.0.1:{Port}"]), admission, _connector, _options, _recorder, _time);
        return middleware.Wrap(_ =>
        {
            _isKestrels = true;
            return Task.CompletedTask;
        })(_connection);
    }

    private async Task SayAsync(string text) => await _client.Output.WriteAsync(Encoding.ASCII.GetBytes(text)).InTimeAsync();

    private async Task<string> HearAsync(int count)
    {
        ReadResult read = await _client.Input.ReadAtLeastAsync(count).InTimeAsync();
        string heard = Encoding.ASCII.GetString(read.Buffer.Slice(0, count));
        _client.Input.AdvanceTo(read.Buffer.GetPosition(count));
        return heard;
    }

    private List<RequestRecord> Records()
    {
        List<RequestRecord> records = [];
        _recorder.Drain(records);
        return records;
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
