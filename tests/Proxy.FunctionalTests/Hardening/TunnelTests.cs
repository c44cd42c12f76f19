using System.Net;
using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Tunnels to their end, and those that are not opened: what the client is told, and what is counted.</summary>
public sealed class TunnelTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Start();
    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private ProxyUnderTest _proxy = null!;
    private string _authority = "";

    public async Task InitializeAsync()
    {
        _server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _authority = _server.LocalEndPoint!.ToString()!;
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["Access:Connect:0"] = _authority, ["Access:AllowedUpstreams:0"] = "127.0.0.1/32" },
            null, _stratum1);
    }

    public async Task DisposeAsync()
    {
        _server.Dispose();
        await _stratum1.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task Connect_WhereNobodyListens_SaysThatItWasRefused()
    {
        RawResponse answer = await AskAsync($"CONNECT {_authority} HTTP/1.1\r\nHost: {_authority}\r\n\r\n");

        Assert.Equal((502, "breakwater; error=connection_refused", "close"),
            (answer.Status, answer.Header("Proxy-Status"), answer.Header("Connection")));
        string said = Encoding.ASCII.GetString(answer.Body);
        Assert.StartsWith($"502: {_authority} cannot be connected: ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("in time", said, StringComparison.Ordinal);
        await AssertCountedAsync(RequestResult.Failed, answer.Body.Length);
    }

    [Fact]
    public async Task Connect_ThatWasOpen_IsCountedWithWhatItsClientGot()
    {
        _server.Listen();
        using (RawHttpClient client = await _proxy.ConnectAsync())
        {
            await client.SendAsync($"CONNECT {_authority} HTTP/1.1\r\nHost: {_authority}\r\n\r\nhello");
            using Socket accepted = await _server.AcceptAsync().InTimeAsync();
            RawResponseHead head = await client.ReadHeadAsync();
            Assert.Equal(("HTTP/1.1 200 Connection established", "1.1 breakwater"), (head.StatusLine, head.Header("Via")));
            byte[] heard = new byte[5];
            Assert.Equal(5, await accepted.ReceiveAsync(heard).InTimeAsync());
            await accepted.SendAsync("1234567"u8.ToArray()).InTimeAsync();
            Assert.Equal("1234567"u8.ToArray(), await client.ReadExactlyAsync(7));
        }

        await AssertCountedAsync(RequestResult.PassedThrough, 7);
    }

    [Theory]
    [InlineData("CONNECT x HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT ")] // and no more
    public async Task Connect_OutsideTheGrammar_IsRefused(string head)
    {
        RawResponse answer = await AskAsync(head, isAll: !head.EndsWith('\n'));

        Assert.Equal((400, "400: The CONNECT request is malformed.\n"), (answer.Status, Encoding.ASCII.GetString(answer.Body)));
        Assert.Null(answer.Header("Proxy-Status"));
        await AssertCountedAsync(RequestResult.Refused, answer.Body.Length);
    }

    private async Task<RawResponse> AskAsync(string request, bool isAll = false)
    {
        using RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync(request);
        if (isAll)
        {
            client.Socket.Shutdown(SocketShutdown.Send);
        }

        RawResponse answer = await client.ReadResponseAsync();
        Assert.True(await client.IsClosedByServerAsync());
        return answer;
    }

    private async Task AssertCountedAsync(RequestResult result, long bytes)
    {
        await _proxy.CountedAsync(1);
        Assert.Equal((1, bytes), _proxy.Services.GetRequiredService<RequestRecorder>().TotalOf(result));
    }
}
