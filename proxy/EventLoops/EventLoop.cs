using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Threading;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// One thread that waits for many descriptors with epoll and serves them in turn. Nothing on it may block: what might wait for a disk, a
/// lock or an upstream is handed to Kestrel and the thread pool.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    /// <summary>Room for the bytes that one receive takes and those that were left of the one before.</summary>
    private const int InputBytes = 48 << 10;

    /// <summary>The loop turns at least this often. Milliseconds.</summary>
    private const int TickMs = 50;

    /// <summary>Each source is asked this often whether its time is over. Milliseconds.</summary>
    private const int SweepMs = 1000;

    /// <summary>Of the paused, so many go on between two looks at what is new.</summary>
    private const int PausedAtOnce = 16;

    private readonly Epoll _epoll = new();
    private readonly Thread _thread;
    private readonly ServingLoad _load;
    private readonly ILogger _log;
    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(InputBytes, pinned: true);
    private readonly Queue<(LoopConnection Connection, long Since)> _patient = [];
    private readonly Queue<LoopConnection> _paused = [];
    private readonly Dictionary<Task, LoopFollowers> _waiting = [];
    private readonly Lock _gate = new();
    private LoopSource?[] _sources = new LoopSource?[256];   // by descriptor
    private List<ILoopWork> _posted = [];                    // guarded by _gate
    private List<ILoopWork> _running = [];
    private uint _generation;
    private int _count;
    private int _sweptUntil;
    private long _sweptAt = Environment.TickCount64;
    private long _nextTick;
    private volatile bool _isOver;
    private volatile bool _mustSweep;

    public EventLoop(string name, ServingLoad load, ILogger log)
    {
        _load = load;
        _log = log;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary><see cref="Environment.TickCount64"/> when the events at hand came.</summary>
    public long Now { get; private set; } = Environment.TickCount64;

    /// <summary>Where bytes are received: valid until the next source's turn.</summary>
    public Span<byte> Input => _input;

    /// <summary>Has it run on the loop's thread, soon. Any thread.</summary>
    public void Post(ILoopWork work)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                // Its descriptors may be somebody else's by now.
                return;
            }

            _posted.Add(work);
            if (_posted.Count == 1)
            {
                _epoll.WakeUp();
            }
        }
    }

    /// <summary>Watches a source.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel refuses.</exception>
    public void Add(LoopSource source, Readiness wanted)
    {
        if (source.Descriptor >= _sources.Length)
        {
            Array.Resize(ref _sources, Math.Max(source.Descriptor + 1, _sources.Length * 2));
        }

        source.Tag = ((ulong)++_generation << 32) | (uint)source.Descriptor;
        _epoll.Add(source.Descriptor, wanted, source.Tag);
        _sources[source.Descriptor] = source;
        _count++;
    }

    /// <summary>Watches it no longer; the descriptor stays open.</summary>
    public void Remove(LoopSource source)
    {
        if (source.Descriptor < _sources.Length && ReferenceEquals(_sources[source.Descriptor], source))
        {
            _sources[source.Descriptor] = null;
            _epoll.Remove(source.Descriptor);
            _count--;
        }
    }

    /// <summary>
    /// The connection has more to send, but the others have their turn first. Those that wait for their first byte above all.
    /// </summary>
    public void Pause(LoopConnection connection) => _paused.Enqueue(connection);

    /// <summary>
    /// The connection's <see cref="LoopConnection.Posted"/> runs when the task has completed, with all others that wait for it here.
    /// </summary>
    public void Await(Task change, LoopConnection connection)
    {
        if (!_waiting.TryGetValue(change, out LoopFollowers? followers))
        {
            followers = new LoopFollowers(this, change);
            _waiting.Add(change, followers);
        }

        followers.Add(connection);
    }

    /// <summary>Runs its <see cref="LoopConnection.Posted"/> now.</summary>
    public void Serve(LoopConnection connection) => Guard(connection, Turn.Posted);

    /// <summary>The task has completed: who waits for it from now on is told anew.</summary>
    public void Forget(Task change) => _waiting.Remove(change);

    /// <summary>The connection waits for an object from now on: its patience is looked at when it may be over.</summary>
    public void WatchPatience(LoopConnection connection) => _patient.Enqueue((connection, Now));

    /// <summary>Has all sources look at their timers now. Any thread.</summary>
    public void SweepAll()
    {
        lock (_gate)
        {
            _mustSweep = true;
            if (!_isOver)
            {
                _epoll.WakeUp();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
            _epoll.WakeUp();
        }

        _thread.Join();
        _epoll.Dispose();
        foreach (LoopSource? source in _sources)
        {
            (source as LoopConnection)?.Abandon();
        }
    }

    private void Run()
    {
        _load.AddCurrentThread();
        while (!_isOver)
        {
            int count = _epoll.Wait(_paused.Count > 0 ? 0 : _count > 0 ? TickMs : 1000);
            Now = Environment.TickCount64;
            for (int i = 0; i < count; i++)
            {
                (Readiness readiness, ulong tag) = _epoll.EventAt(i);
                if (tag == Epoll.WakeUpTag)
                {
                    _epoll.TakeWakeUps();
                }
                else if (_sources[(uint)tag] is { } source && source.Tag == tag)
                {
                    Guard(source, Turn.Ready, readiness);
                }
            }

            RunPosted();
            for (int i = Math.Min(PausedAtOnce, _paused.Count); i > 0; i--)
            {
                Serve(_paused.Dequeue());
            }

            Sweep();

            if (Now >= _nextTick)
            {
                _nextTick = Now + TickMs;
                Tick();
            }
        }
    }

    private void RunPosted()
    {
        lock (_gate)
        {
            (_posted, _running) = (_running, _posted);
        }

        foreach (ILoopWork work in _running)
        {
            Guard(work, Turn.Posted);
        }

        _running.Clear();
    }

    private void Tick()
    {
        while (_patient.TryPeek(out (LoopConnection Connection, long Since) first) && Now - first.Since >= LoopConnection.PatienceMs)
        {
            _patient.Dequeue();
            Guard(first.Connection, Turn.Patience);
        }
    }

    /// <summary>
    /// Asks as many of the sources as is due since the last time, so that thousands whose time is over do not all end, and come back, in
    /// one moment.
    /// </summary>
    private void Sweep()
    {
        int due = (int)(_sources.Length * Math.Min(Now - _sweptAt, SweepMs) / SweepMs);
        _sweptAt = due == 0 ? _sweptAt : Now;
        if (_mustSweep)
        {
            _mustSweep = false;
            due = _sources.Length;
        }

        for (; due > 0; due--)
        {
            _sweptUntil = (_sweptUntil + 1) % _sources.Length;
            if (_sources[_sweptUntil] is { } source)
            {
                Guard(source, Turn.Sweep);
            }
        }
    }

    /// <summary>Somebody's turn. What it throws ends it, and nothing else.</summary>
    private void Guard(ILoopWork work, Turn turn, Readiness readiness = Readiness.None)
    {
        try
        {
            switch (turn)
            {
                case Turn.Ready:
                    ((LoopSource)work).Ready(readiness);
                    break;
                case Turn.Posted:
                    work.Posted();
                    break;
                case Turn.Sweep:
                    ((LoopSource)work).Sweep(Now);
                    break;
                case Turn.Patience:
                    ((LoopConnection)work).LosePatience();
                    break;
            }
        }
#pragma warning disable CA1031 // A thread that serves thousands: an exception nobody foresaw is one connection's end, and said aloud.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _log.LogError(e, "A connection was closed by an error of the proxy. Please report this.");
            work.Fail();
        }
    }

    private enum Turn : byte
    {
        Ready,
        Posted,
        Sweep,
        Patience,
    }
}
