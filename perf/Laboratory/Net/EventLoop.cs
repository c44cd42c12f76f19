using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Breakwater.Laboratory.Net;

/// <summary>One thread, one epoll, a heap of timers. Everything that hangs on a loop is touched by its thread only.</summary>
internal sealed unsafe class EventLoop : IDisposable
{
    private const int BatchSize = 512;

    private readonly int _epoll = Native.EpollCreate(0x80000);
    private readonly int _wake = Native.EventFd(0, 0x80800);
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly PriorityQueue<Action, long> _timers = new();
    private readonly byte* _events;
    private Endpoint?[] _byFd = new Endpoint?[1024];
    private uint _generation;
    private volatile bool _stopping;

    /// <summary>A loop that does nothing until <see cref="Run"/>.</summary>
    public EventLoop()
    {
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(BatchSize * Native.EventSize));
        Buffer = (byte*)NativeMemory.AllocZeroed(BufferSizeBytes);
        Control(Native.EpollAdd, _wake, Native.EpollIn, 0);
    }

    /// <summary>Size of <see cref="Buffer"/>.</summary>
    public const int BufferSizeBytes = 256 * 1024;

    /// <summary>Scratch memory for whoever runs on the loop right now.</summary>
    public byte* Buffer { get; }

    /// <summary>Monotonic time in µs, as of the last wake-up.</summary>
    public long NowUs { get; private set; } = ClockUs();

    /// <summary>Monotonic time in µs, read now.</summary>
    public static long ClockUs() => (long)(Stopwatch.GetTimestamp() * (1e6 / Stopwatch.Frequency));

    /// <summary>Runs the action on the loop's thread. The only member that other threads may call, with <see cref="Stop"/>.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        ulong one = 1;
        _ = Native.Write(_wake, (byte*)&one, sizeof(ulong));
    }

    /// <summary>Runs a function on the loop's thread and waits for its value.</summary>
    public T Ask<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                result.SetResult(function());
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        });
        return result.Task.GetAwaiter().GetResult();
    }

    /// <summary>Runs the action once, that many µs from now.</summary>
    public void After(long delayUs, Action action) => _timers.Enqueue(action, ClockUs() + delayUs);

    /// <summary>Starts to report a socket's events.</summary>
    public void Add(Endpoint endpoint, uint events)
    {
        int fd = endpoint.Fd;
        if (fd >= _byFd.Length)
        {
            Array.Resize(ref _byFd, Math.Max(fd + 1, _byFd.Length * 2));
        }

        endpoint.Generation = ++_generation;
        _byFd[fd] = endpoint;
        Control(Native.EpollAdd, fd, events, endpoint.Generation);
    }

    /// <summary>Changes which events are reported.</summary>
    public void Modify(Endpoint endpoint, uint events) => Control(Native.EpollMod, endpoint.Fd, events, endpoint.Generation);

    /// <summary>Forgets a socket; its owner closes it.</summary>
    public void Remove(Endpoint endpoint)
    {
        _byFd[endpoint.Fd] = null;
        Control(Native.EpollDel, endpoint.Fd, 0, 0);
    }

    /// <summary>Works until <see cref="Stop"/>.</summary>
    public void Run()
    {
        while (!_stopping)
        {
            int ready = Native.EpollWait(_epoll, _events, BatchSize, NextTimeoutMs());
            NowUs = ClockUs();
            for (int i = 0; i < ready; i++)
            {
                byte* entry = _events + (i * Native.EventSize);
                uint events = *(uint*)entry;
                int fd = *(int*)(entry + Native.EventDataOffset);
                uint generation = *(uint*)(entry + Native.EventDataOffset + 4);
                if (fd == _wake)
                {
                    RunPosted();
                }
                else if (_byFd[fd] is { } endpoint && endpoint.Generation == generation)
                {
                    endpoint.OnReady(events);
                }
            }

            RunTimers();
        }
    }

    /// <summary>Ends <see cref="Run"/>.</summary>
    public void Stop() => Post(() => _stopping = true);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = Native.Close(_epoll);
        _ = Native.Close(_wake);
        NativeMemory.Free(_events);
        NativeMemory.Free(Buffer);
    }

    private int NextTimeoutMs() => _timers.TryPeek(out _, out long due) ? (int)Math.Clamp((due - ClockUs() + 999) / 1000, 0, 1000) : 1000;

    private void RunPosted()
    {
        ulong count;
        _ = Native.Read(_wake, (byte*)&count, sizeof(ulong));
        while (_posted.TryDequeue(out Action? action))
        {
            action();
        }
    }

    private void RunTimers()
    {
        if (!_timers.TryPeek(out _, out long due) || due > NowUs)
        {
            return;
        }

        NowUs = ClockUs();
        while (_timers.TryPeek(out Action? action, out due) && due <= NowUs)
        {
            _timers.Dequeue();
            action();
        }
    }

    private void Control(int operation, int fd, uint events, uint generation)
    {
        byte* entry = stackalloc byte[16];
        *(uint*)entry = events;
        *(int*)(entry + Native.EventDataOffset) = fd;
        *(uint*)(entry + Native.EventDataOffset + 4) = generation;
        _ = Native.EpollCtl(_epoll, operation, fd, entry);
    }
}
