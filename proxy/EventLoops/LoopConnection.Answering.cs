using System.Net.Sockets;
using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.EventLoops;

/// <summary>The answer that did not go out at once.</summary>
internal sealed partial class LoopConnection
{
    /// <summary>
    /// Ms: so long a request waits here before its answer has begun: less than the farewell before a stop. After that it is Kestrel's.
    /// </summary>
    public const int PatienceMs = 800;

    private LoopAnswer? _answer;            // while answering
    private int _headLength;                // of the head at the beginning of the rest, as long as the request may yet go to Kestrel
    private Task? _change;                  // what a starved answer waits for
    private AnswerProgress _progress;       // of the answer
    private ClientWatch _watch = ClientWatch.Resting;

    /// <summary>If it has waited long enough for its answer to begin, the request is Kestrel's.</summary>
    public void LosePatience()
    {
        if (_state == State.Answering && _answer is { HasBegun: false } && loop.Now - _since >= PatienceMs)
        {
            HandOver();
        }
    }

    /// <summary>An answer begins. Returns how many bytes of the request's head are not needed any more.</summary>
    private int BeginAnswer(LoopAnswer answer, int headLength)
    {
        _answer = answer;
        _state = State.Answering;
        if (answer.HasBegun)
        {
            // The head of the answer may be all that is out, and a socket tells of its room only once it was full.
            _headLength = 0;
            SendMore();
            return headLength;
        }

        _headLength = headLength;
        _since = loop.Now;
        loop.WatchPatience(this);
        WaitForChange();
        return 0;
    }

    /// <summary>The answer may go on: at once, or in its turn.</summary>
    private void GoOnInTurn()
    {
        if (_answer!.TakesTurns)
        {
            WaitForTurn();
        }
        else
        {
            GoOnAnswering();
        }
    }

    private void GoOnAnswering()
    {
        if (!SendMore())
        {
            return;
        }

        // The next request, if there is to be one.
        if (listener.IsClosing && _restLength == 0)
        {
            Close();
        }
        else
        {
            Serve(hasUnserved: _restLength > 0);
        }
    }

    /// <summary>Sends what is there and what the socket takes. True: everything is out, the connection reads again.</summary>
    private bool SendMore()
    {
        _watch.Rest();
        try
        {
            _progress = _answer!.GoOn(Descriptor);
        }
        catch (SocketException)
        {
            Cut(AnswerEnd.ClientGone);
            return false;
        }
        catch (IOException)
        {
            Cut(AnswerEnd.Failed);
            return false;
        }

        if (_headLength > 0 && _answer.HasBegun)
        {
            KeepRest(Rest[_headLength..]);
            _headLength = 0;
        }

        switch (_progress)
        {
            case AnswerProgress.Done:
                EndAnswer(AnswerEnd.Sent);
                _since = loop.Now;
                _state = State.Reading;
                return true;
            case AnswerProgress.Starved:
                WaitForChange();
                break;
            case AnswerProgress.Paused:
                WaitForTurn();
                break;
            case AnswerProgress.Full:
                _watch.Expect(Descriptor, listener.ClientTimeoutMs);
                break;
            case AnswerProgress.ForKestrel:
                HandOver();
                break;
        }

        return false;
    }

    private void WaitForChange()
    {
        _progress = AnswerProgress.Starved;
        _change = _answer!.Change();
        loop.Await(_change, this);
    }

    private void WaitForTurn()
    {
        _progress = AnswerProgress.Paused;
        loop.Pause(this);
    }

    /// <summary>The request is Kestrel's after all.</summary>
    private void HandOver()
    {
        BegunRequest begun = _answer!.HandOver();
        _answer = null;
        _change = null;
        _isForGood = false;
        Lend(Rest[.._headLength], begun);
        KeepRest(Rest[_headLength..]);
        _headLength = 0;
    }

    /// <summary>The answer does not come to its end, and neither does the connection go on.</summary>
    private void Cut(AnswerEnd end)
    {
        if (_answer is { HasBegun: true })
        {
            // What was promised does not all come: that must not look like an end. And the kernel forgets what it holds for a client that
            // does not read.
            Epoll.ResetAtClose(Descriptor);
        }

        EndAnswer(end);
        LeaveLoops();
    }

    private void EndAnswer(AnswerEnd end)
    {
        LoopAnswer? answer = _answer;
        _answer = null;
        _change = null;
        answer?.End(end);
    }
}
