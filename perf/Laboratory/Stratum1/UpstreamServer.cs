using System.Globalization;
using System.Net;
using System.Text.Json;
using Breakwater.Laboratory.Net;

namespace Breakwater.Laboratory.Stratum1;

/// <summary>
/// An emulated Stratum 1 on loopback: real objects, exact counts, delay, rate, jitter and faults by seed. One thread, one epoll loop.
/// Answers <c>/_control/counters</c>, <c>/_control/reset</c>, <c>/_control/set?delayMs=…</c> and <c>/_control/publish?path=…&amp;name=…</c>
/// too.
/// </summary>
internal sealed class UpstreamServer : IDisposable
{
    private readonly EventLoop _loop = new();
    private readonly Thread _thread;
    private readonly Dictionary<string, int> _indexByPath = [];
    private readonly List<Served> _served = [];
    private readonly Dictionary<(string Path, string Name), byte[]> _alternatives = [];
    private readonly Tally _tally;
    private readonly Listener _listener;
    private readonly HashSet<UpstreamConnection> _connections = [];
    private UpstreamOptions _options;

    /// <summary>Listens on a loopback port and serves at once.</summary>
    /// <param name="objects">What there is; the later of two with one path wins.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="port">0 for any free one.</param>
    /// <param name="address">In a network namespace of its own; null: loopback.</param>
    public UpstreamServer(IEnumerable<ServedObject> objects, UpstreamOptions options, int port = 0, IPAddress? address = null)
    {
        _options = options;
        foreach (ServedObject served in objects)
        {
            Put(served);
        }

        _tally = new Tally(_served.Count);
        _listener = new Listener(this, Native.Listen(new IPEndPoint(address ?? IPAddress.Loopback, port)));
        Port = Native.LocalPort(_listener.Fd);
        _loop.Add(_listener, Native.EpollIn);
        _thread = new Thread(_loop.Run) { IsBackground = true, Name = "upstream" };
        _thread.Start();
    }

    /// <summary>The port that it listens on.</summary>
    public int Port { get; }

    /// <summary>How it behaves; a change holds from the next request on.</summary>
    public UpstreamOptions Options
    {
        get => Volatile.Read(ref _options);
        set => Volatile.Write(ref _options, value);
    }

    /// <summary>The counts as they stand.</summary>
    public UpstreamCounters Counters() => _loop.Ask(_tally.Snapshot);

    /// <summary>How often a path was asked for since the last reset.</summary>
    public int RequestsOf(string path) => _loop.Ask(() => _tally.ByObject()[_indexByPath[path]]);

    /// <summary>The paths of objects that were asked for more than once since the last reset.</summary>
    public IReadOnlyList<string> Repeated() => _loop.Ask<IReadOnlyList<string>>(() =>
        [.. _served.Zip(_tally.ByObject()).Where(one => one.First.IsObject && one.Second > 1).Select(one => one.First.Path)]);

    /// <summary>Starts to count anew.</summary>
    public void Reset() => _loop.Ask(() =>
    {
        _tally.Reset();
        return 0;
    });

    /// <summary>Replaces the bytes of a path, as a new manifest does.</summary>
    public void Publish(string path, byte[] body) => _loop.Ask(() => _served[_indexByPath[path]] = new Served(path, body));

    /// <summary>Prepares another body for a path, to be published by name over HTTP.</summary>
    public void AddAlternative(string path, string name, byte[] body) => _alternatives[(path, name)] = body;

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Post(() =>
        {
            _listener.Close(_loop);
            foreach (UpstreamConnection connection in _connections.ToArray())
            {
                connection.Close();
            }
        });
        _loop.Stop();
        _thread.Join();
        _loop.Dispose();
    }

    /// <summary>Builds the answer to a request. Loop thread only.</summary>
    internal Answer Answer(ReadOnlySpan<char> path, string? range)
    {
        if (path.StartsWith("/_control/", StringComparison.Ordinal))
        {
            return Control(path.ToString());
        }

        int index = _indexByPath.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(path, out int found) ? found : -1;
        int occurrence = _tally.Began(index, index >= 0 && _served[index].IsObject);
        UpstreamOptions options = Options;
        long delayUs = (long)(options.Delay + (options.Jitter * options.Faults.Draw(index, ~occurrence))).TotalMicroseconds;
        Fault fault = index < 0 ? Fault.None : options.Faults.Choose(index, occurrence);
        if (fault != Fault.None)
        {
            _tally.Faulted(fault);
        }

        if (index < 0 || fault == Fault.NotFound)
        {
            return Stratum1.Answer.NotFound() with { DelayUs = delayUs };
        }

        Served served = _served[index];
        TimeSpan maxAge = served.IsDocument ? options.DocumentMaxAge : options.ObjectMaxAge;
        return Stratum1.Answer.Of(served, maxAge, range, fault) with
        {
            DelayUs = delayUs,
            BytesPerSecond = fault == Fault.Drip ? 512 : options.BytesPerSecond,
        };
    }

    private void Put(ServedObject item)
    {
        if (_indexByPath.TryGetValue(item.Path, out int index))
        {
            _served[index] = new Served(item.Path, item.Body);
            return;
        }

        _indexByPath[item.Path] = _served.Count;
        _served.Add(new Served(item.Path, item.Body));
    }

    private Answer Control(string target)
    {
        string[] parts = target["/_control/".Length..].Split('?', 2);
        Dictionary<string, string> query = parts.Length < 2
            ? []
            : parts[1].Split('&').Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[^1]));
        switch (parts[0])
        {
            case "counters":
                return Stratum1.Answer.Json(JsonSerializer.Serialize(_tally.Snapshot(), JsonSerializerOptions.Web));
            case "reset":
                _tally.Reset();
                return Stratum1.Answer.Json("{}");
            case "publish" when _alternatives.TryGetValue((query["path"], query["name"]), out byte[]? body):
                _served[_indexByPath[query["path"]]] = new Served(query["path"], body);
                return Stratum1.Answer.Json("{}");
            case "set":
                Options = Options with
                {
                    Delay = query.TryGetValue("delayMs", out string? d) ? Milliseconds(d) : Options.Delay,
                    Jitter = query.TryGetValue("jitterMs", out string? j) ? Milliseconds(j) : Options.Jitter,
                    BytesPerSecond = query.TryGetValue("bytesPerSecond", out string? r)
                        ? long.Parse(r, CultureInfo.InvariantCulture)
                        : Options.BytesPerSecond,
                    Faults = query.TryGetValue("faults", out string? f) ? FaultPlan.Parse(Options.Faults.Seed, f) : Options.Faults,
                };
                return Stratum1.Answer.Json("{}");
            default:
                return Stratum1.Answer.NotFound();
        }
    }

    private static TimeSpan Milliseconds(string text) => TimeSpan.FromMilliseconds(double.Parse(text, CultureInfo.InvariantCulture));

    private sealed class Listener : Endpoint
    {
        private readonly UpstreamServer _server;

        public Listener(UpstreamServer server, int fd)
        {
            _server = server;
            Fd = fd;
        }

        public override void OnReady(uint events)
        {
            for (int fd; (fd = Native.Accept(Fd)) >= 0;)
            {
                _server._tally.Connections++;
                _server._connections.Add(
                    new UpstreamConnection(_server, _server._loop, _server._tally, fd, c => _server._connections.Remove(c)));
            }
        }

        public void Close(EventLoop loop)
        {
            loop.Remove(this);
            _ = Native.Close(Fd);
        }
    }
}
