using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Listening;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Listening;

/// <summary>What is opened for an address, beside what was handed over for it.</summary>
public sealed class ListenPointTests
{
    [Theory]
    [InlineData("127.0.0.1:0", AddressFamily.InterNetwork, false)]
    [InlineData("[::1]:0", AddressFamily.InterNetworkV6, false)]
    [InlineData("[::]:0", AddressFamily.InterNetworkV6, true)]
    public void OpenDatagrams_NothingHandedOver_IsOpenedAtTheAddress(string address, AddressFamily family, bool isForBoth)
    {
        var point = new ListenPoint(IPEndPoint.Parse(address), []);

        using Socket socket = point.OpenDatagrams();

        var bound = (IPEndPoint)socket.LocalEndPoint!;
        Assert.Equal((family, SocketType.Dgram, point.EndPoint.Address), (bound.AddressFamily, socket.SocketType, bound.Address));
        Assert.True(bound.Port > 0);
        Assert.Equal(isForBoth, family == AddressFamily.InterNetworkV6 && socket.DualMode);
    }

    [Fact]
    public void OpenDatagrams_HandedOver_IsThatSocket()
    {
        using var given = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        given.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var endPoint = (IPEndPoint)given.LocalEndPoint!;
        int descriptor = InheritedSockets.Duplicate((int)given.Handle);

        var point = new ListenPoint(endPoint, [new InheritedSocket(descriptor, "snmp", endPoint, IsDatagram: true)]);

        using Socket socket = point.OpenDatagrams();

        Assert.Equal(descriptor, (int)socket.Handle);
        Assert.Equal(endPoint, socket.LocalEndPoint);
    }

    [Theory]
    [InlineData("127.0.0.1", true, false)]
    [InlineData("::", true, true)]
    public async Task Open_NothingHandedOver_ListensThere(string address, bool onIPv4, bool onIPv6) =>
        await ListensAsync(new ListenPoint(new IPEndPoint(IPAddress.Parse(address), 0), []), onIPv4, onIPv6);

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", false, true, false)]
    [InlineData("::", "::", false, true, true)]
    [InlineData("::", "::", true, true, true)]
    [InlineData("::", "0.0.0.0", false, true, true)]
    public async Task Open_HandedOver_ListensOnThatAndOnWhatElseTheAddressMeans(
        string address, string has, bool isIPv6Only, bool onIPv4, bool onIPv6)
    {
        using var given = new Socket(IPAddress.Parse(has).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (given.AddressFamily == AddressFamily.InterNetworkV6)
        {
            given.DualMode = !isIPv6Only;
        }

        given.Bind(new IPEndPoint(IPAddress.Parse(has), 0));
        given.Listen();
        var endPoint = (IPEndPoint)given.LocalEndPoint!;
        var socket = new InheritedSocket(InheritedSockets.Duplicate((int)given.Handle), "", endPoint, IsIPv6Only: isIPv6Only);

        await ListensAsync(new ListenPoint(new IPEndPoint(IPAddress.Parse(address), endPoint.Port), [socket]), onIPv4, onIPv6);
    }

    private static async Task ListensAsync(ListenPoint point, bool onIPv4, bool onIPv6)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => point.Open(kestrel, _ => { }));
        await using WebApplication app = builder.Build();
        app.Run(context => context.Response.WriteAsync("here"));
        await app.StartAsync();
        int port = point.EndPoint.Port > 0 ? point.EndPoint.Port : new Uri(app.Urls.First()).Port;

        Assert.Equal((onIPv4, onIPv6), (await AnswersAsync("127.0.0.1"), await AnswersAsync("[::1]")));

        async Task<bool> AnswersAsync(string host)
        {
            using var client = new HttpClient();
            try
            {
                return await client.GetStringAsync(new Uri($"http://{host}:{port}/")).InTimeAsync() == "here";
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }
}
