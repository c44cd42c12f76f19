using System.Net;

namespace Breakwater.Proxy.Access;

/// <summary>
/// Limits by client: connections at a time and requests a second. A client is an IPv4 address or an IPv6 /64. What is known of it is
/// forgotten when its last connection is gone and it may send a second's worth at once again: coming anew wins nothing. Thread-safe.
/// </summary>
internal sealed class ClientLimits(int maxConnections, int maxRequestsPerSecond, TimeProvider time, int connectionsInAll = int.MaxValue)
{
    /// <summary>
    /// A client that asks too fast waits in line this long at most: a refusal sends a VM to another host, a wait does not.
    /// </summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(2);

    private readonly Dictionary<IPAddress, Client> _clients = [];   // guarded by _gate
    // guarded by _gate; clients without connections, in the order in which they went
    private readonly Queue<IPAddress> _gone = [];
    private readonly Lock _gate = new();
    private int _connections;                                        // guarded by _gate: of all
    private volatile int _maxConnections = maxConnections;
    private volatile int _maxRequestsPerSecond = maxRequestsPerSecond;

    /// <summary>Is there a limit of requests?</summary>
    public bool AreRequestsLimited => _maxRequestsPerSecond > 0;

    /// <summary>Those that came within the last day.</summary>
    public ClientsSeen Seen { get; } = new(time);

    /// <summary>Clients of which something is known.</summary>
    public int Known
    {
        get
        {
            lock (_gate)
            {
                return _clients.Count;
            }
        }
    }

    /// <summary>New settings are in force; open connections stay.</summary>
    public void Replace(int maxConnections, int maxRequestsPerSecond)
    {
        _maxConnections = maxConnections;
        _maxRequestsPerSecond = maxRequestsPerSecond;
    }

    /// <summary>A connection comes. False: one too many; else <see cref="Leave"/> must follow.</summary>
    public bool TryEnter(IPAddress address)
    {
        IPAddress key = ClientKey.Of(address);
        lock (_gate)
        {
            int open = _clients.TryGetValue(key, out Client? client) ? client.Connections : 0;
            if ((_maxConnections > 0 && open >= _maxConnections) || !ClientShare.Allows(open, connectionsInAll - _connections))
            {
                return false;
            }

            if (client is null)
            {
                _clients.Add(key, client = new Client());
            }

            client.Connections++;
            _connections++;
            ForgetLocked();
        }

        Seen.Note(key);
        return true;
    }

    /// <summary>A connection ended.</summary>
    public void Leave(IPAddress address)
    {
        IPAddress key = ClientKey.Of(address);
        lock (_gate)
        {
            _connections--;
            if (_clients.TryGetValue(key, out Client? client) && --client.Connections == 0 && !client.IsGone)
            {
                client.IsGone = true;
                _gone.Enqueue(key);
            }

            ForgetLocked();
        }
    }

    private void ForgetLocked()
    {
        while (_gone.TryPeek(out IPAddress? key))
        {
            Client client = _clients[key];
            if (client.Connections == 0 && client.NextTurn > time.GetElapsedTime(0) - TimeSpan.FromSeconds(1))
            {
                return; // those behind it wait a few seconds longer than they must
            }

            _gone.Dequeue();
            client.IsGone = false;
            if (client.Connections == 0)
            {
                _clients.Remove(key);
            }
        }
    }

    /// <summary>How long a request must wait for its turn: zero at once; null: too many wait already, refuse it.</summary>
    public TimeSpan? TakeTurn(IPAddress? address)
    {
        int rate = _maxRequestsPerSecond;
        if (rate <= 0 || address is null)
        {
            return TimeSpan.Zero;
        }

        TimeSpan now = time.GetElapsedTime(0);
        TimeSpan each = TimeSpan.FromSeconds(1) / rate;
        lock (_gate)
        {
            IPAddress key = ClientKey.Of(address);
            if (!_clients.TryGetValue(key, out Client? client))
            {
                // It has no connection of its own: a balancer asks for it (X-Forwarded-For).
                _clients.Add(key, client = new Client { IsGone = true });
                _gone.Enqueue(key);
            }

            // A client that was quiet may send one second's worth at once.
            TimeSpan turn = client.NextTurn > now - TimeSpan.FromSeconds(1) ? client.NextTurn : now - TimeSpan.FromSeconds(1);
            TimeSpan wait = turn - now;
            if (wait > s_longestWait)
            {
                return null;
            }

            client.NextTurn = turn + each;
            ForgetLocked();
            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
    }

    private sealed class Client
    {
        public int Connections { get; set; }

        /// <summary>Is it in the queue of those to be forgotten?</summary>
        public bool IsGone { get; set; }

        public TimeSpan NextTurn { get; set; } = TimeSpan.MinValue;
    }
}
