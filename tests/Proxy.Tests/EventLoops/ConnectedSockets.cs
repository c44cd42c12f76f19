using System.Net;
using System.Net.Sockets;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>A connection on loopback with both ends here. Its sender never waits; its receiver waits for a limited time.</summary>
internal sealed class ConnectedSockets : IDisposable
{
    public ConnectedSockets()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        Sender.Connect(listener.LocalEndPoint!);
        Receiver = listener.Accept();
        Receiver.ReceiveTimeout = (int)Waiting.Hang.TotalMilliseconds;
        Sender.Blocking = false;
    }

    public Socket Sender { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public Socket Receiver { get; }

    /// <summary>The sender's.</summary>
    public int Descriptor => (int)Sender.Handle;

    /// <summary>Reads so many bytes.</summary>
    /// <param name="count">How many.</param>
    /// <param name="afterEach">Called after each read: there is room again.</param>
    public byte[] Receive(long count, Action? afterEach = null)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int read = Receiver.Receive(bytes.AsSpan(at));
            Assert.True(read > 0, $"only {at} of {count} bytes came");
            at += read;
            afterEach?.Invoke();
        }

        return bytes;
    }

    /// <summary>The receiver resets the connection; the reset has come when this returns.</summary>
    public void Reset()
    {
        Receiver.LingerState = new LingerOption(true, 0);
        Receiver.Dispose();
        Sender.Poll(Waiting.Hang, SelectMode.SelectRead);
    }

    public void Dispose()
    {
        Sender.Dispose();
        Receiver.Dispose();
    }
}
