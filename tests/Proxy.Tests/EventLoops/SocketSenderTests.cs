using System.Net.Sockets;
using Breakwater.Proxy.EventLoops;
using Breakwater.TestSupport;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>Sends that never wait, on real sockets: what the kernel takes, and what it says when it takes nothing.</summary>
public sealed unsafe class SocketSenderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ConnectedSockets _sockets = new();

    private int Descriptor => _sockets.Descriptor;

    public void Dispose()
    {
        _sockets.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Send_Bytes_ArriveAsTheyAre(bool hasMore)
    {
        Assert.Equal(5, SocketSender.Send(Descriptor, "first"u8, hasMore));
        Assert.Equal(7, SocketSender.Send(Descriptor, " second"u8, hasMore: false));

        Assert.Equal("first second"u8.ToArray(), _sockets.Receive(12));
    }

    [Fact]
    public void Send_SeveralPieces_ArriveInTheirOrder()
    {
        fixed (byte* a = "ab"u8, b = "cde"u8)
        {
            IoVector* pieces = stackalloc IoVector[2];
            pieces[0] = new IoVector { Base = a, Length = 2 };
            pieces[1] = new IoVector { Base = b, Length = 3 };
            Assert.Equal(5, SocketSender.Send(Descriptor, pieces, 2));
            Assert.Equal(2, SocketSender.Send(Descriptor, pieces, 1));
        }

        Assert.Equal("abcdeab"u8.ToArray(), _sockets.Receive(7));
    }

    [Fact]
    public void Send_ToOneWhoDoesNotRead_TakesWhatThereIsRoomForAndThenNothing()
    {
        byte[] piece = new byte[64 << 10];
        long taken = 0;
        int sent;
        while ((sent = SocketSender.Send(Descriptor, piece, hasMore: false)) > 0)
        {
            taken += sent;
            Assert.True(taken < 1L << 30, "it takes without end");
        }

        Assert.Equal(0, SocketSender.Send(Descriptor, piece, hasMore: false));
        Assert.InRange(SocketSender.QueuedBytes(Descriptor), 1, taken);
        using SafeFileHandle file = FileOf("0123456789");
        Assert.Equal(0, SocketSender.SendFile(Descriptor, file, 0, 10));
        Assert.Equal(taken, _sockets.Receive(taken).Length);
    }

    [Fact]
    public void SendFile_APart_IsThatPart()
    {
        using SafeFileHandle file = FileOf("0123456789");

        Assert.Equal(5, SocketSender.SendFile(Descriptor, file, 2, 5));
        Assert.Equal(3, SocketSender.SendFile(Descriptor, file, 7, 100)); // no more than there is
        Assert.Equal("23456789"u8.ToArray(), _sockets.Receive(8));
    }

    /// <summary>A file that was cut would be asked again and again.</summary>
    [Fact]
    public void SendFile_BehindTheEnd_IsAnError()
    {
        using SafeFileHandle file = FileOf("0123456789");

        Assert.Equal(5, Assert.Throws<SocketException>(() => SocketSender.SendFile(Descriptor, file, 10, 1)).NativeErrorCode);
    }

    [Fact]
    public void Send_ToOneWhoIsGone_IsAnError()
    {
        _sockets.Reset();

        Assert.Throws<SocketException>(() =>
        {
            for (int i = 0; i < 2; i++)
            {
                SocketSender.Send(Descriptor, "x"u8, hasMore: false);
            }
        });
        Assert.Equal(0, SocketSender.QueuedBytes(-1));
    }

    private SafeFileHandle FileOf(string text)
    {
        string path = _directory.Combine("file");
        File.WriteAllText(path, text);
        return File.OpenHandle(path);
    }
}
