using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.Tests.Listening;

/// <summary>What a descriptor that was handed over is, on real sockets of this machine.</summary>
public sealed class InheritedSocketsTests : IDisposable
{
    private readonly List<IDisposable> _open = [];

    public void Dispose()
    {
        InheritedSockets.Served();
        _open.ForEach(one => one.Dispose());
    }

    [Theory]
    [InlineData("127.0.0.1", SocketType.Stream, true, false)]
    [InlineData("127.0.0.1", SocketType.Stream, false, false)]      // the service manager may not listen yet
    [InlineData("::", SocketType.Stream, true, false)]
    [InlineData("::", SocketType.Stream, true, true)]
    [InlineData("::1", SocketType.Stream, true, true)]
    [InlineData("127.0.0.1", SocketType.Dgram, false, false)]
    public void Look_AtASocketOfAPort_HasItsAddressAndKind(string address, SocketType type, bool isListening, bool isIPv6Only)
    {
        Socket socket = Bound(address, type, isIPv6Only);
        if (isListening)
        {
            socket.Listen();
        }

        var endPoint = (IPEndPoint)socket.LocalEndPoint!;

        Assert.Equal(new InheritedSocket((int)socket.Handle, "name", endPoint, type == SocketType.Dgram, isIPv6Only),
            InheritedSockets.Look((int)socket.Handle, "name"));
    }

    [Fact]
    public void Look_AtSomethingElse_HasNoAddress()
    {
        Socket listener = Bound("127.0.0.1", SocketType.Stream);
        listener.Listen();
        var client = Open(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        client.Connect(listener.LocalEndPoint!);
        Socket accepted = Open(listener.Accept());
        var unbound = Open(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        var local = Open(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        using FileStream file = File.OpenRead("/proc/self/status");

        foreach (int descriptor in (int[])[(int)accepted.Handle, (int)client.Handle, (int)unbound.Handle, (int)local.Handle,
            (int)file.SafeFileHandle.DangerousGetHandle(), int.MaxValue])
        {
            Assert.Equal(new InheritedSocket(descriptor, "", null), InheritedSockets.Look(descriptor, ""));
        }
    }

    /// <summary>The port that the kernel chose for a socket is anybody's once nobody listens on it.</summary>
    [Fact]
    public void Look_AtASocketWhosePortIsAnothersNow_HasNoAddress()
    {
        Socket first = Bound("127.0.0.1", SocketType.Stream);
        first.Listen();
        var endPoint = (IPEndPoint)first.LocalEndPoint!;
        Epoll.Shutdown((int)first.Handle);
        Socket other = Open(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        other.Bind(endPoint);
        other.Listen();

        Assert.Null(InheritedSockets.Look((int)first.Handle, "").EndPoint);
    }

    [Fact]
    public void Sockets_ThatAreHeld_AreSharedUntilTheyAreServedOrRefused()
    {
        Assert.False(InheritedSockets.AreSharedWith(Environment.ProcessId));
        Socket served = Bound("127.0.0.1", SocketType.Stream);
        served.Listen();
        InheritedSockets.Look((int)served.Handle, "");
        Assert.True(InheritedSockets.AreSharedWith(Environment.ProcessId));
        Assert.False(InheritedSockets.AreSharedWith(int.MaxValue));
        InheritedSockets.Served();
        Assert.False(InheritedSockets.AreSharedWith(Environment.ProcessId));
        Connect(served.LocalEndPoint!);

        Socket refused = Bound("127.0.0.1", SocketType.Stream);
        refused.Listen();
        EndPoint endPoint = refused.LocalEndPoint!;
        InheritedSockets.Look((int)refused.Handle, "");
        InheritedSockets.RefuseClients();

        Assert.Equal(SocketError.ConnectionRefused, Assert.Throws<SocketException>(() => Connect(endPoint)).SocketErrorCode);
        Assert.False(InheritedSockets.AreSharedWith(Environment.ProcessId));
    }

    private void Connect(EndPoint endPoint) =>
        Open(new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp)).Connect(endPoint);

    private Socket Bound(string address, SocketType type, bool isIPv6Only = false)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), 0);
        Socket socket = Open(new Socket(endPoint.AddressFamily, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp));
        if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = !isIPv6Only;
        }

        socket.Bind(endPoint);
        return socket;
    }

    private Socket Open(Socket socket)
    {
        _open.Add(socket);
        return socket;
    }
}
