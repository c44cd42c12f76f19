using System.Net.Sockets;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.EventLoops;

/// <summary>Answers that go out while their objects are being fetched.</summary>
internal sealed partial class LoopConnection
{
    /// <summary>Begins the answer of what was waited for, if its first bytes may go out before the last ones have come.</summary>
    private bool TryStream(in RequestHead head)
    {
        if (_joined is null || !HitResponder.IsFor(head, _joined) || responder.TryStream(_joined) is not { } growing)
        {
            return false;
        }

        _joined = null;
        _growing = growing;
        _state = State.Streaming;
        TrySendGrowth();
        return true;
    }

    /// <summary>The copy that is being sent is no longer there: the rest comes from a Stratum 1. True: it is out already.</summary>
    private bool TryResume()
    {
        if (responder.TryResume(_pending!, client.Address) is not { } growing)
        {
            EndPending(RequestResult.Failed);
            Close();
            return false;
        }

        _pending!.Abandon();
        loop.Return(_pending);
        _pending = null;
        _growing = growing;
        _state = State.Streaming;
        return TrySendGrowth();
    }

    private void WaitForTurn()
    {
        _progress = SendProgress.Paused;
        loop.Pause(this);
    }

    private void GoOnStreaming()
    {
        if (TrySendGrowth())
        {
            GoOnReading();
        }
    }

    /// <summary>Sends what is there and what the socket takes. True: everything is out, the connection reads again.</summary>
    private bool TrySendGrowth()
    {
        try
        {
            _progress = _growing!.GoOn(Descriptor);
        }
        catch (SocketException)
        {
            Close();
            return false;
        }
        catch (IOException)
        {
            EndGrowing(RequestResult.Failed);
            Close();
            return false;
        }

        switch (_progress)
        {
            case SendProgress.Done:
                EndGrowing(cut: null);
                _since = loop.Now;
                _state = State.Reading;
                return true;
            case SendProgress.Starved:
                _growth = _growing.Change();
                loop.Await(_growth, this);
                return false;
            case SendProgress.Paused:
                WaitForTurn();
                return false;
            default:
                return false;
        }
    }

    private void EndGrowing(RequestResult? cut)
    {
        if (_growing is { } growing)
        {
            _growing = null;
            _growth = null;
            responder.RecordStreamed(growing, client.Address, cut);
            _ = growing.DisposeAsync().AsTask();
        }
    }
}
