using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Breakwater.TestSupport;

/// <summary>
/// A Stratum 1 on a loopback socket that serves trees of files under <c>/cvmfs/&lt;fqrn&gt;/…</c>, counts every request, and misbehaves
/// as it is told, down to the byte. HTTP/1.1 written by hand, so that it can do what a proper server cannot. It takes origin-form and
/// absolute-form (it can play a parent proxy). All members are thread-safe.
/// </summary>
public sealed class ScriptedUpstream : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, UpstreamBehaviour> _scripts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Queue<UpstreamBehaviour>> _once = new(StringComparer.Ordinal); // guarded by _gate
    private readonly List<UpstreamRequest> _requests = []; // guarded by _gate
    private readonly List<(string? Path, int Count, TaskCompletionSource Reached)> _awaited = []; // guarded by _gate
    private readonly ConcurrentDictionary<int, Task> _connections = new();
    private readonly Lock _gate = new();
    private readonly Task _accepting;
    private int _accepted;
    private volatile UpstreamBehaviour _everything = UpstreamBehaviour.Default;
    private volatile Func<UpstreamRequest, UpstreamBehaviour>? _choose;

    private ScriptedUpstream(IPAddress address, TimeProvider time)
    {
        Time = time;
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(address, 0));
        _listener.Listen(4096);
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Its base address, with a slash at the end, e.g. <c>http://127.0.0.1:40123/</c>.</summary>
    public string Address => $"http://{EndPoint}/";

    /// <summary>What is done with a request that no script of its path covers. Set to change all at once.</summary>
    public UpstreamBehaviour Everything
    {
        get => _everything;
        set => _everything = value;
    }

    /// <summary>
    /// Chooses what is done with a request that no script of its path covers; null: <see cref="Everything"/>. May be called by many
    /// threads.
    /// </summary>
    public Func<UpstreamRequest, UpstreamBehaviour>? Choose
    {
        get => _choose;
        set => _choose = value;
    }

    /// <summary>Connections accepted since the start.</summary>
    public int ConnectionsAccepted => Volatile.Read(ref _accepted);

    /// <summary>Connections open now.</summary>
    public int ConnectionsOpen => _connections.Count;

    /// <summary>Every request so far, in the order of arrival.</summary>
    public IReadOnlyList<UpstreamRequest> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Number of requests so far for content-addressed objects.</summary>
    public int ObjectRequestCount => Requests.Count(r => r.Path.Contains("/data/", StringComparison.Ordinal));

    internal TimeProvider Time { get; }

    internal CancellationToken Stopping => _stop.Token;

    /// <summary>Starts one on a free port of <c>127.0.0.1</c>, or of another address (<see cref="IPAddress.IPv6Loopback"/>).</summary>
    /// <param name="address">Where to listen; null: IPv4 loopback.</param>
    /// <param name="time">The clock of delays and rates; null: the real one.</param>
    public static ScriptedUpstream Start(IPAddress? address = null, TimeProvider? time = null) =>
        new(address ?? IPAddress.Loopback, time ?? TimeProvider.System);

    /// <summary>Starts one that serves these repositories.</summary>
    public static ScriptedUpstream Serving(params IReadOnlyList<FixtureRepository> repositories)
    {
        ScriptedUpstream upstream = Start();
        foreach (FixtureRepository repository in repositories)
        {
            upstream.Serve(repository);
        }

        return upstream;
    }

    /// <summary>Serves the tree of a fixture.</summary>
    public void Serve(FixtureRepository repository)
    {
        foreach ((string path, byte[] bytes) in repository.Files)
        {
            _files[repository.UrlPath(path)] = bytes;
        }
    }

    /// <summary>Serves a directory tree under <c>/cvmfs/&lt;fqrn&gt;/</c>, read now.</summary>
    public void ServeDirectory(string fqrn, string directory)
    {
        foreach (string file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(directory, file).Replace('\\', '/');
            _files[$"/cvmfs/{fqrn}/{relative}"] = File.ReadAllBytes(file);
        }
    }

    /// <summary>Puts one file, new or in place of another. Null removes it.</summary>
    /// <param name="path">The whole path, <c>/cvmfs/…</c>.</param>
    /// <param name="bytes">Its bytes.</param>
    public void Put(string path, byte[]? bytes)
    {
        if (bytes is null)
        {
            _files.TryRemove(path, out _);
        }
        else
        {
            _files[path] = bytes;
        }
    }

    /// <summary>Does this with every request for a path from now on.</summary>
    public void Script(string path, UpstreamBehaviour behaviour) => _scripts[path] = behaviour;

    /// <summary>Does this with the next requests for a path, one each, before its other script.</summary>
    public void ScriptNext(string path, params IReadOnlyList<UpstreamBehaviour> behaviours)
    {
        lock (_gate)
        {
            if (!_once.TryGetValue(path, out Queue<UpstreamBehaviour>? queue))
            {
                _once.Add(path, queue = new Queue<UpstreamBehaviour>());
            }

            foreach (UpstreamBehaviour behaviour in behaviours)
            {
                queue.Enqueue(behaviour);
            }
        }
    }

    /// <summary>Forgets all scripts: a well-kept Stratum 1 again.</summary>
    public void Heal()
    {
        lock (_gate)
        {
            _once.Clear();
        }

        _scripts.Clear();
        _choose = null;
        _everything = UpstreamBehaviour.Default;
    }

    /// <summary>Number of requests so far for a path.</summary>
    public int RequestCount(string path) => Requests.Count(r => r.Path == path);

    /// <summary>
    /// Complete as soon as that many requests for a path have arrived (their answers may still be held back). It fails when they do not
    /// come.
    /// </summary>
    /// <param name="path">The path; null: any.</param>
    /// <param name="count">How many, since the start.</param>
    public Task RequestsArrivedAsync(string? path, int count = 1)
    {
        lock (_gate)
        {
            if (_requests.Count(r => path is null || r.Path == path) >= count)
            {
                return Task.CompletedTask;
            }

            TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((path, count, reached));
            return reached.Task.InTimeAsync(what: $"{count} requests for {path ?? "anything"}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting.InTimeAsync();
        await Task.WhenAll(_connections.Values).InTimeAsync(what: "the upstream's connections to end");
        _stop.Dispose();
    }

    internal byte[]? Find(string path) => _files.GetValueOrDefault(path);

    internal UpstreamBehaviour Record(UpstreamRequest request)
    {
        lock (_gate)
        {
            _requests.Add(request);
            foreach ((string? path, int count, TaskCompletionSource reached) in _awaited)
            {
                if (_requests.Count(r => path is null || r.Path == path) >= count)
                {
                    reached.TrySetResult();
                }
            }

            _awaited.RemoveAll(a => a.Reached.Task.IsCompleted);
            if (_once.TryGetValue(request.Path, out Queue<UpstreamBehaviour>? queue) && queue.TryDequeue(out UpstreamBehaviour? next))
            {
                return next;
            }
        }

        return _scripts.GetValueOrDefault(request.Path) ?? _choose?.Invoke(request) ?? _everything;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            socket.NoDelay = true;
            int number = Interlocked.Increment(ref _accepted);
            Task serving = Task.Run(() => new UpstreamConnection(this, socket, number).RunAsync());
            _connections[number] = serving;
            _ = serving.ContinueWith(_ => _connections.TryRemove(number, out Task? _), TaskScheduler.Default);
        }
    }
}
