using System.Runtime.InteropServices;
using System.Text;
using Breakwater.Laboratory.Net;

namespace Breakwater.Laboratory.Stratum1;

/// <summary>One connection to the emulated Stratum 1: strictly request, answer, request. Loop thread only.</summary>
internal sealed unsafe class UpstreamConnection : Endpoint
{
    private const long PaceTickUs = 10_000;
    private const int MaxTargetLength = 2048;

    private readonly UpstreamServer _server;
    private readonly EventLoop _loop;
    private readonly Tally _tally;
    private readonly Action<UpstreamConnection> _onClosed;
    private byte[] _input = [];
    private int _inputLength;
    private Answer _answer;
    private bool _answering, _waitsForRoom, _headOnly, _closed;
    private long _sent, _paceStartUs;

    public UpstreamConnection(UpstreamServer server, EventLoop loop, Tally tally, int fd, Action<UpstreamConnection> onClosed)
    {
        (_server, _loop, _tally, _onClosed) = (server, loop, tally, onClosed);
        Fd = fd;
        loop.Add(this, Native.EpollIn);
    }

    /// <inheritdoc/>
    public override void OnReady(uint events)
    {
        if ((events & Native.EpollErr) != 0)
        {
            Close();
            return;
        }

        if ((events & (Native.EpollIn | Native.EpollHup)) != 0 && !Receive())
        {
            Close();
            return;
        }

        if (!_answering)
        {
            NextRequest();
        }
        else if ((events & Native.EpollOut) != 0)
        {
            WaitForRoom(false);
            Pump();
        }
    }

    /// <summary>Ends the connection; a request in progress counts as ended.</summary>
    public void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        if (_answering && !_answer.IsControl)
        {
            _tally.Ended();
        }

        _loop.Remove(this);
        _ = Native.Close(Fd);
        _onClosed(this);
    }

    private bool Receive()
    {
        nint read = Native.Receive(Fd, _loop.Buffer, EventLoop.BufferSizeBytes, 0);
        if (read <= 0)
        {
            return read < 0 && Marshal.GetLastPInvokeError() == Native.EAgain;
        }

        if (_inputLength + (int)read > _input.Length)
        {
            Array.Resize(ref _input, Math.Max(1024, (_inputLength + (int)read) * 2));
        }

        new ReadOnlySpan<byte>(_loop.Buffer, (int)read).CopyTo(_input.AsSpan(_inputLength));
        _inputLength += (int)read;
        return true;
    }

    private void NextRequest()
    {
        int end = _input.AsSpan(0, _inputLength).IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return;
        }

        ReadOnlySpan<byte> head = _input.AsSpan(0, end);
        _headOnly = head.StartsWith("HEAD "u8);
        int mark = head.IndexOf("\nRange: "u8);
        string? range = mark < 0 ? null : Encoding.ASCII.GetString(head[(mark + 8)..]).Split('\r')[0];
        ReadOnlySpan<byte> target = head[(head.IndexOf((byte)' ') + 1)..];
        target = target[..(int)Math.Min((uint)target.IndexOf((byte)' '), (uint)Math.Min(target.Length, MaxTargetLength))];
        Span<char> path = stackalloc char[MaxTargetLength];
        path = path[..Encoding.ASCII.GetChars(PathOf(target), path)];
        _inputLength -= end + 4;
        _input.AsSpan(end + 4, _inputLength).CopyTo(_input);
        _answer = _server.Answer(path, range);
        _answering = true;
        _sent = 0;
        if (_answer.DelayUs > 0)
        {
            _loop.After(_answer.DelayUs, Begin);
        }
        else
        {
            Begin();
        }
    }

    private void Begin()
    {
        _paceStartUs = EventLoop.ClockUs();
        Pump();
    }

    /// <summary>Sends what the pace and the kernel allow.</summary>
    private void Pump()
    {
        long headLength = _answer.Head.Length;
        long whole = headLength + (_headOnly ? 0 : _answer.End - _answer.Start);
        while (!_closed && _sent < whole)
        {
            long allowed = Math.Min(whole, headLength + Paced()) - _sent;
            if (allowed <= 0)
            {
                _loop.After(PaceTickUs, Pump);
                return;
            }

            nint written = Write(allowed);
            if (written < 0)
            {
                if (Marshal.GetLastPInvokeError() == Native.EAgain)
                {
                    WaitForRoom(true);
                }
                else
                {
                    Close();
                }

                return;
            }

            if (!_answer.IsControl)
            {
                _tally.Sent(Math.Max(0, _sent + written - Math.Max(_sent, headLength)));
            }

            _sent += written;
        }

        if (!_closed)
        {
            End();
        }
    }

    private long Paced() => _answer.BytesPerSecond == 0
        ? long.MaxValue / 2
        : (EventLoop.ClockUs() - _paceStartUs) * _answer.BytesPerSecond / 1_000_000;

    private nint Write(long allowed)
    {
        long headLength = _answer.Head.Length;
        fixed (byte* head = _answer.Head)
        fixed (byte* body = _answer.Body)
        {
            if (_sent >= headLength)
            {
                return Native.Send(Fd, body + _answer.Start + (_sent - headLength), (nint)allowed, Native.MsgNoSignal);
            }

            Native.IoVector* vectors = stackalloc Native.IoVector[2];
            vectors[0] = new() { Base = head + _sent, Length = (nint)(headLength - _sent) };
            vectors[1] = new() { Base = body + _answer.Start, Length = (nint)Math.Max(0, allowed - (headLength - _sent)) };
            return Native.WriteV(Fd, vectors, 2);
        }
    }

    private void End()
    {
        if (_answer.Ending == Ending.Silence)
        {
            return;
        }

        if (_answer.Ending != Ending.KeepAlive)
        {
            if (_answer.Ending == Ending.Reset)
            {
                Native.ResetOnClose(Fd);
            }

            Close();
            return;
        }

        if (!_answer.IsControl)
        {
            _tally.Ended();
        }

        _answering = false;
        _answer = default;
        NextRequest();
    }

    private void WaitForRoom(bool wait)
    {
        if (wait != _waitsForRoom)
        {
            _waitsForRoom = wait;
            _loop.Modify(this, wait ? Native.EpollIn | Native.EpollOut : Native.EpollIn);
        }
    }

    /// <summary>Path and query of an origin-form or absolute-form target.</summary>
    private static ReadOnlySpan<byte> PathOf(ReadOnlySpan<byte> target)
    {
        int scheme = target.IndexOf("://"u8);
        if (scheme < 0)
        {
            return target;
        }

        ReadOnlySpan<byte> authority = target[(scheme + 3)..];
        int slash = authority.IndexOf((byte)'/');
        return slash < 0 ? "/"u8 : authority[slash..];
    }
}
