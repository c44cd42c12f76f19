using System.Net;
using Breakwater.Laboratory.Client;
using Breakwater.Laboratory.Net;
using Breakwater.Storm.Client;
using Breakwater.Storm.Vms;
using HdrHistogram;

namespace Breakwater.Storm.Hot;

/// <summary>Keeps connections busy with hits and counts.</summary>
internal sealed class HotLoad
{
    private readonly HotOptions _options;
    private readonly PreparedRequest[] _requests;
    private readonly Share[] _shares;

    private HotLoad(HotOptions options)
    {
        _options = options;
        _requests = [.. options.Paths.Select(p => PreparedRequest.Get(p, options.Host.ToString(), options.IsForward))];
        _shares = [.. Enumerable.Range(0, options.Threads).Select(i => new Share(this, i))];
    }

    /// <summary>Runs the load.</summary>
    /// <param name="options">What.</param>
    /// <param name="onMeasure">Called when counting begins, and again when it ends: for the server's own figures.</param>
    public static HotResult Run(HotOptions options, Action? onMeasure = null)
    {
        Native.RaiseOpenFileLimit();
        return new HotLoad(options).Run(onMeasure ?? (() => { }));
    }

    /// <summary>
    /// Opens connections, lets each ask once, and leaves them open: idle clients. Each comes from one of many loopback addresses.
    /// Dispose the result to close them.
    /// </summary>
    /// <exception cref="IOException">Not all got their answer within 60 s.</exception>
    public static IDisposable HoldIdle(HotOptions options)
    {
        Native.RaiseOpenFileLimit();
        var load = new HotLoad(options with { Threads = 1 });
        Share share = load._shares[0];
        share.Begin(keepAsking: false);
        for (int wait = 0; share.Loop.Ask(() => share.Answers) < options.Connections; wait++)
        {
            if (wait == 600)
            {
                share.Dispose();
                throw new IOException($"only {share.Answers} of {options.Connections} idle connections got an answer within 60 s");
            }

            Thread.Sleep(100);
        }

        return share;
    }

    private HotResult Run(Action onMeasure)
    {
        foreach (Share share in _shares)
        {
            share.Begin(keepAsking: true);
        }

        Thread.Sleep(_options.WarmUp);
        onMeasure();
        Snapshot[] before = [.. _shares.Select(s => s.Loop.Ask(s.Restart))];
        long startUs = EventLoop.ClockUs();
        Thread.Sleep(_options.Duration);
        Snapshot[] after = [.. _shares.Select(s => s.Loop.Ask(s.Read))];
        double seconds = (EventLoop.ClockUs() - startUs) / 1e6;
        onMeasure();
        foreach (Share share in _shares)
        {
            share.Dispose();
        }

        long requests = after.Sum(s => s.Answers) - before.Sum(s => s.Answers);
        LongHistogram latency = _shares[0].Latency;
        foreach (Share other in _shares.Skip(1))
        {
            latency.Add(other.Latency);
        }

        return new HotResult
        {
            RequestsPerSecond = requests / seconds,
            BytesPerSecond = (after.Sum(s => s.Bytes) - before.Sum(s => s.Bytes)) / seconds,
            Requests = requests,
            Errors = after.Sum(s => s.Errors) - before.Sum(s => s.Errors),
            Failures = _shares.SelectMany(s => s.Failures).GroupBy(kind => kind.Key)
                .ToDictionary(kind => kind.Key.ToString(), kind => kind.Sum(share => share.Value)),
            Latency = Times.Of(latency),
            GeneratorUsPerRequest = (after.Sum(s => s.CpuUs) - before.Sum(s => s.CpuUs)) / (double)Math.Max(1, requests),
        };
    }

    private readonly record struct Snapshot(long Answers, long Bytes, long Errors, long CpuUs);

    /// <summary>One loop's connections.</summary>
    private sealed class Share(HotLoad load, int number) : IExchangeOwner, IDisposable
    {
        private readonly List<ClientConnection> _connections = [];
        private readonly Stack<ClientConnection> _idle = [];
        private readonly Queue<long> _late = [];   // when they were due, µs
        private readonly Dictionary<ClientConnection, long> _dueUs = [];
        private long _nextDueUs = EventLoop.ClockUs();
        private long _bytes, _errors;
        private int _next = number * 7919;
        private bool _keepAsking;
        private Thread? _thread;

        public EventLoop Loop { get; } = new();

        public LongHistogram Latency { get; } = new(600_000_000, 2);

        public long Answers { get; private set; }

        public Dictionary<Failure, long> Failures { get; } = [];

        public void Begin(bool keepAsking)
        {
            _keepAsking = keepAsking;
            HotOptions options = load._options;
            for (int i = number; i < options.Connections; i += options.Threads)
            {
                Open(i);
            }

            if (keepAsking && IsOpenLoop)
            {
                Loop.After(TickUs, Tick);
            }

            _thread = new Thread(Loop.Run) { IsBackground = true, Name = $"load {number}" };
            _thread.Start();
        }

        public Snapshot Restart()
        {
            Latency.Reset();
            return Read();
        }

        /// <summary>Bytes of answers still running count: with big bodies they are most of it.</summary>
        public Snapshot Read() => new(
            Answers,
            _bytes + _connections.Sum(c => c.IsBusy ? c.BodyBytes : 0),
            _errors,
            Native.ThreadCpuUs());

        public void OnEnded(ClientConnection connection, Failure failure)
        {
            if (failure == Failure.None)
            {
                Answers++;
                _bytes += connection.BodyBytes;
                Latency.RecordValue(Math.Min(EventLoop.ClockUs() - _dueUs.GetValueOrDefault(connection, connection.StartUs), 600_000_000));
            }
            else
            {
                _errors++;
                Failures[failure] = Failures.GetValueOrDefault(failure) + 1;
            }

            if (!_keepAsking && failure == Failure.None)
            {
                return;
            }

            if (connection.IsClosed)
            {
                _connections.Remove(connection);
                _dueUs.Remove(connection);

                // Not at once: a server that refuses everything would keep this loop from its timers.
                Loop.After(10_000, () => Open(_next));
                return;
            }

            if (!IsOpenLoop)
            {
                connection.Start(NextRequest());
            }
            else if (_late.TryDequeue(out long dueUs))
            {
                _dueUs[connection] = dueUs;
                connection.Start(NextRequest());
            }
            else
            {
                _idle.Push(connection);
            }
        }

        public void Dispose()
        {
            Loop.Ask(() =>
            {
                foreach (ClientConnection connection in _connections)
                {
                    connection.Close();
                }

                return 0;
            });
            Loop.Stop();
            _thread!.Join();
            Loop.Dispose();
        }

        private void Open(int index)
        {
            IPAddress source = VirtualMachine.AddressOf(index % 10_000);
            var connection = new ClientConnection(Loop, this, load._options.Target, source, BodyMode.Drop);
            _connections.Add(connection);
            connection.Start(NextRequest());
        }

        private const long TickUs = 1000;

        private bool IsOpenLoop => load._options.RequestsPerSecond > 0;

        /// <summary>
        /// Starts what is due. A request that finds every connection busy waits, and its wait counts; the lateness of this timer does not.
        /// </summary>
        private void Tick()
        {
            double intervalUs = 1e6 * load._options.Threads / load._options.RequestsPerSecond;
            long nowUs = EventLoop.ClockUs();
            long due = (long)((nowUs - _nextDueUs) / intervalUs);
            for (long i = 0; i < due; i++)
            {
                if (_idle.TryPop(out ClientConnection? connection))
                {
                    _dueUs[connection] = EventLoop.ClockUs();
                    connection.Start(NextRequest());
                }
                else
                {
                    _late.Enqueue(nowUs);
                }
            }

            _nextDueUs += (long)(due * intervalUs);
            Loop.After(TickUs, Tick);
        }

        private PreparedRequest NextRequest() => load._requests[_next++ % load._requests.Length];
    }
}
