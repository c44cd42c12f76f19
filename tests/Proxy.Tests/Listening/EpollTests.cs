using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.Tests.Listening;

/// <summary>Epoll and the system calls that go with it, on real sockets of this machine.</summary>
public sealed class EpollTests : IDisposable
{
    private const int Again = -11;          // EAGAIN
    private const int Patience = 60_000;    // ms, of one wait
    private readonly Epoll _epoll = new();

    public void Dispose() => _epoll.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Accept_OfAConnection_IsWhoeverConnected(string address)
    {
        using Socket listener = Listen(address);
        Assert.Equal(Again, Epoll.Accept(Number(listener), out IPEndPoint? nobody));
        Assert.Null(nobody);

        using Socket client = Connect(listener);
        int accepted = Accept(listener, out IPEndPoint? who);

        Assert.Equal(client.LocalEndPoint, who);
        Assert.Equal(client.RemoteEndPoint, Epoll.LocalEndPoint(accepted));
        Assert.Equal(listener.LocalEndPoint, Epoll.LocalEndPoint(Number(listener)));
        Epoll.Close(accepted);
        Assert.Equal(0, client.Receive(new byte[9]));
    }

    [Fact]
    public void Wait_ForInput_TellsOfEachDescriptorByItsTagUntilItIsRemoved()
    {
        using Socket listener = Listen("127.0.0.1");
        using Socket one = Connect(listener);
        int first = Accept(listener, out _);
        using Socket other = Connect(listener);
        int second = Accept(listener, out _);
        _epoll.Add(first, Readiness.Input, 42);
        _epoll.Add(second, Readiness.Input, ulong.MaxValue - 1);
        Assert.Equal(0, _epoll.Wait(0));

        one.Send([1, 2, 3]);
        Assert.Equal(1, _epoll.Wait(Patience));
        Assert.Equal((Readiness.Input, 42UL), _epoll.EventAt(0));
        other.Send([4]);
        using (Epoll apart = new())
        {
            apart.Add(second, Readiness.Input, 0);
            Assert.Equal(1, apart.Wait(Patience));
        }

        Assert.Equal(2, _epoll.Wait(0));
        Assert.Equal([42UL, ulong.MaxValue - 1], new[] { _epoll.EventAt(0).Tag, _epoll.EventAt(1).Tag }.Order());

        byte[] buffer = new byte[9];
        Assert.Equal((2, 1, Again),
            (Epoll.Receive(first, buffer.AsSpan(..2)), Epoll.Receive(first, buffer.AsSpan(2)), Epoll.Receive(first, buffer)));
        Assert.Equal([1, 2, 3], buffer[..3]);
        _epoll.Remove(second);
        Assert.Equal(0, _epoll.Wait(0));
        one.Shutdown(SocketShutdown.Send);
        Assert.Equal(1, _epoll.Wait(Patience));
        Assert.Equal(0, Epoll.Receive(first, buffer));
        Epoll.Close(first);
        Epoll.Close(second);
    }

    [Fact]
    public void WakeUp_OfAWait_EndsItUntilItIsTaken()
    {
        Assert.Equal(0, _epoll.Wait(0));
        _epoll.WakeUp();
        _epoll.WakeUp();

        Assert.Equal(1, _epoll.Wait(Patience));
        Assert.Equal((Readiness.Input, Epoll.WakeUpTag), _epoll.EventAt(0));
        Assert.Equal(1, _epoll.Wait(0));
        _epoll.TakeWakeUps();

        Assert.Equal(0, _epoll.Wait(0));
    }

    /// <summary>Others open and close theirs meanwhile, but not hundreds.</summary>
    [Fact]
    public void Dispose_OfMany_LeavesNoDescriptor()
    {
        int before = Anonymous();
        for (int i = 0; i < 400; i++)
        {
            using Epoll epoll = new();
        }

        Assert.InRange(Anonymous() - before, -200, 200);

        static int Anonymous() => Directory.EnumerateFiles("/proc/self/fd")
            .Count(path => new FileInfo(path).LinkTarget?.StartsWith("anon_inode:", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void Add_OfWhatIsNoDescriptor_IsRefused() =>
        Assert.Throws<SocketException>(() => _epoll.Add(int.MaxValue, Readiness.Input, 1));

    [Fact]
    public void Shutdown_OfSending_LetsThePeerGoOnSpeaking()
    {
        using Socket listener = Listen("127.0.0.1");
        using Socket client = Connect(listener);
        int accepted = Accept(listener, out _);

        Epoll.Shutdown(accepted, sendingOnly: true);

        Assert.Equal(0, client.Receive(new byte[9]));
        _epoll.Add(accepted, Readiness.Input, 1);
        client.Send([7]);
        Assert.Equal(1, _epoll.Wait(Patience));
        Assert.Equal((1, Again), (Epoll.Receive(accepted, new byte[9]), Epoll.Receive(accepted, new byte[9])));
        Epoll.Shutdown(accepted);
        Assert.Equal(0, Epoll.Receive(accepted, new byte[9]));
        Epoll.Close(accepted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reset_AtOnceOrAtTheClose_IsSeenByThePeer(bool isAtOnce)
    {
        using Socket listener = Listen("127.0.0.1");
        using Socket client = Connect(listener);
        int accepted = Accept(listener, out _);
        if (isAtOnce)
        {
            Epoll.Reset(accepted);
        }
        else
        {
            Epoll.ResetAtClose(accepted);
            Epoll.Close(accepted);
        }

        SocketException reset = Assert.Throws<SocketException>(() => client.Receive(new byte[9]));

        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        if (isAtOnce)
        {
            Epoll.Close(accepted);
        }
    }

    private static Socket Listen(string address)
    {
        var listener = new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        listener.Listen();
        listener.Blocking = false;
        return listener;
    }

    private static Socket Connect(Socket listener)
    {
        var client = new Socket(listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = Patience };
        client.Connect(listener.LocalEndPoint!);
        return client;
    }

    private static int Accept(Socket listener, out IPEndPoint? who)
    {
        Assert.True(listener.Poll(Patience * 1000, SelectMode.SelectRead));
        int accepted = Epoll.Accept(Number(listener), out who);
        Assert.True(accepted > 0);
        return accepted;
    }

    private static int Number(Socket socket) => (int)socket.Handle;
}
