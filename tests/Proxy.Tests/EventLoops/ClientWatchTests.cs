using Breakwater.Proxy.EventLoops;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>Slow or stuck: by what the kernel still holds for a client when its time is over.</summary>
public sealed class ClientWatchTests : IDisposable
{
    private readonly ConnectedSockets _sockets = new();

    public ClientWatchTests()
    {
        byte[] piece = new byte[64 << 10];
        while (SocketSender.Send(Descriptor, piece, hasMore: false) > 0)
        {
            // Until it is full.
        }
    }

    private int Descriptor => _sockets.Descriptor;

    public void Dispose() => _sockets.Dispose();

    [Fact]
    public void Resting_NothingIsExpected()
    {
        ClientWatch watch = ClientWatch.Resting;
        Assert.True(watch.IsResting);
        Assert.False(watch.IsStuck(long.MaxValue - 1, Descriptor, 1000));
        watch.Expect(Descriptor, 1000);
        Assert.False(watch.IsResting);
        watch.Rest();
        Assert.True(watch.IsResting);
    }

    [Fact]
    public void IsStuck_AClientThatTakesNothing_IsWhenItsTimeIsOver()
    {
        ClientWatch watch = ClientWatch.Resting;
        long before = Environment.TickCount64;
        watch.Expect(Descriptor, 100_000);
        long after = Environment.TickCount64;

        Assert.False(watch.IsStuck(before + 100_000, Descriptor, 100_000));
        Assert.True(watch.IsStuck(after + 100_001, Descriptor, 100_000));
        Assert.False(watch.IsStuck(Environment.TickCount64, Descriptor, 100_000)); // it has its time anew
    }

    [Fact]
    public void IsStuck_AClientThatTakesSome_HasItsTimeAnew()
    {
        ClientWatch watch = ClientWatch.Resting;
        watch.Expect(Descriptor, 1000);
        long queued = SocketSender.QueuedBytes(Descriptor);
        byte[] room = new byte[1 << 20];
        while (queued - SocketSender.QueuedBytes(Descriptor) < 240)
        {
            Assert.True(_sockets.Receiver.Receive(room) > 0);
        }

        Assert.False(watch.IsStuck(Environment.TickCount64 + 10_000, Descriptor, 1000));
        Assert.True(watch.IsStuck(Environment.TickCount64 + 10_000, Descriptor, 1_000_000)); // no more came since
    }
}
