using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Breakwater.Laboratory.Net;

namespace Breakwater.Storm.Limit;

/// <summary>One connection of a <see cref="LimitServer"/>: strictly request, answer, request; a head comes in one piece.</summary>
internal sealed unsafe class LimitConnection : Endpoint
{
    private const int MaxPathLength = 2048;

    private readonly EventLoop _loop;
    private readonly LimitServer _server;
    private byte[] _answer = [];
    private int _sent;
    private bool _waitsForRoom;

    public LimitConnection(int fd, EventLoop loop, LimitServer server)
    {
        (Fd, _loop, _server) = (fd, loop, server);
        loop.Add(this, Native.EpollIn);
    }

    /// <inheritdoc/>
    public override void OnReady(uint events)
    {
        if (_sent < _answer.Length)
        {
            Send();
            return;
        }

        nint read = Native.Receive(Fd, _loop.Buffer, EventLoop.BufferSizeBytes, 0);
        if (read > 0)
        {
            _answer = _server.Answer(PathOf(new ReadOnlySpan<byte>(_loop.Buffer, (int)read), stackalloc char[MaxPathLength]));
            _sent = 0;
            Send();
        }
        else if (read == 0 || Marshal.GetLastPInvokeError() != Native.EAgain)
        {
            Close();
        }
    }

    private static ReadOnlySpan<char> PathOf(ReadOnlySpan<byte> head, Span<char> path)
    {
        ReadOnlySpan<byte> target = head[(head.IndexOf((byte)' ') + 1)..];
        target = target[..Math.Min(target.IndexOf((byte)' '), path.Length)];
        int scheme = target.IndexOf("://"u8);
        if (scheme >= 0)
        {
            target = target[(scheme + 3)..];
            target = target[target.IndexOf((byte)'/')..];
        }

        return path[..Encoding.ASCII.GetChars(target, path)];
    }

    private void Send()
    {
        // The array is pinned from its birth.
        byte* answer = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_answer));
        while (_sent < _answer.Length)
        {
            nint sent = Native.Send(Fd, answer + _sent, _answer.Length - _sent, Native.MsgNoSignal);
            if (sent < 0)
            {
                if (Marshal.GetLastPInvokeError() != Native.EAgain)
                {
                    Close();
                    return;
                }

                WaitForRoom(true);
                return;
            }

            _sent += (int)sent;
        }

        WaitForRoom(false);
    }

    private void WaitForRoom(bool waits)
    {
        if (_waitsForRoom != waits)
        {
            _waitsForRoom = waits;
            _loop.Modify(this, waits ? Native.EpollOut : Native.EpollIn);
        }
    }

    private void Close()
    {
        _loop.Remove(this);
        _ = Native.Close(Fd);
    }
}
