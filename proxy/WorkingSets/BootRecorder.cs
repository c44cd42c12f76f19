using System.Net;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>What the recorder has to know of a request.</summary>
/// <param name="Repository">The repository asked.</param>
/// <param name="Object">The object asked for; null: the manifest.</param>
/// <param name="Client">The client's address; several VMs may share it.</param>
/// <param name="Connection">The connection; a VM may have up to 16.</param>
/// <param name="At">When, on a monotonic clock.</param>
internal readonly record struct ObservedRequest(string Repository, ObjectKey? Object, IPAddress Client, string Connection, TimeSpan At);

/// <summary>How boots are recorded.</summary>
internal sealed record BootRecorderLimits
{
    /// <summary>How long a boot is recorded from its first request on. Default 120 s.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Silence after which a boot is over. Default 20 s.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Boots of one repository recorded at the same time; of a storm the first few say enough. Default 8.</summary>
    public int MaxBootsAtOnce { get; init; } = 8;

    /// <summary>Objects recorded of one boot. Default 100,000.</summary>
    public int MaxReads { get; init; } = 100_000;

    /// <summary>Fewer objects than this are not a boot but a look at the manifest or a few files. Default 10.</summary>
    public int MinReads { get; init; } = 10;
}

/// <summary>
/// Recognises boots in the stream of requests and records what each asks for. Thread-safe.
/// </summary>
/// <remarks>
/// A connection that asks for the manifest begins a boot, and belongs to it. Other connections of the same address belong to a boot by this:
/// a VM caches, so it asks for an object once; a request goes to the newest boot of that address that has not asked for the object yet. A
/// catalog that every running boot of the address has, or that comes when none runs, is a reboot, which needs no manifest. So two VMs behind one
/// address stay apart as long as they have their own connections, and what a shared address blurs is outvoted when boots are merged.
/// </remarks>
internal sealed class BootRecorder
{
    private readonly BootRecorderLimits _limits;
    private readonly Func<string, bool> _wantsMore;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Repository, string Connection), LiveBoot> _byConnection = []; // guarded by _lock
    private readonly List<LiveBoot> _live = []; // guarded by _lock
    private volatile bool _isRecording;         // written under _lock

    /// <summary>Records boots.</summary>
    /// <param name="limits">How.</param>
    /// <param name="wantsMore">Is another boot of this repository wanted? Asked under a lock: answer at once.</param>
    public BootRecorder(BootRecorderLimits limits, Func<string, bool>? wantsMore = null)
    {
        _limits = limits;
        _wantsMore = wantsMore ?? (static _ => true);
    }

    /// <summary>Takes note of a request.</summary>
    public void Observe(in ObservedRequest request)
    {
        if (!Concerns(request.Object))
        {
            return;
        }

        lock (_lock)
        {
            LiveBoot? boot = FindUnderLock(request);
            if (boot is null)
            {
                return;
            }

            boot.LastAt = request.At;
            if (request.Object is ObjectKey key && boot.Reads.Count < _limits.MaxReads && boot.Seen.Add(key))
            {
                boot.Reads.Add(new BootRead(key, request.At - boot.StartedAt));
            }
        }
    }

    /// <summary>Could a request for this object (null: the manifest) matter? False for nearly all of them while no boot is recorded.</summary>
    public bool Concerns(ObjectKey? key) => _isRecording || key is null or { Kind: (byte)'C' };

    /// <summary>Hands out the boots that are over at that time.</summary>
    public IReadOnlyList<RecordedBoot> TakeFinished(TimeSpan now)
    {
        lock (_lock)
        {
            List<LiveBoot> over = _live.FindAll(boot => now - boot.StartedAt >= _limits.Window || now - boot.LastAt >= _limits.Silence);
            foreach (LiveBoot boot in over)
            {
                _live.Remove(boot);
                foreach (string connection in boot.Connections)
                {
                    _byConnection.Remove((boot.Repository, connection));
                }
            }

            _isRecording = _live.Count > 0;
            return [.. over.Where(boot => boot.Reads.Count >= _limits.MinReads).Select(boot => new RecordedBoot(boot.Repository, boot.Reads))];
        }
    }

    private LiveBoot? FindUnderLock(in ObservedRequest request)
    {
        bool isKnown = _byConnection.TryGetValue((request.Repository, request.Connection), out LiveBoot? bound);
        if (request.Object is not ObjectKey key)
        {
            return isKnown ? bound : BeginUnderLock(request);
        }

        if (isKnown && (bound!.Owner == request.Connection || !bound.Seen.Contains(key)))
        {
            return bound;
        }

        LiveBoot? candidate = null;
        foreach (LiveBoot live in _live)
        {
            if (live.Repository == request.Repository && live.Client.Equals(request.Client) && !live.Seen.Contains(key)
                && (candidate is null || live.StartedAt >= candidate.StartedAt))
            {
                candidate = live;
            }
        }

        if (candidate is null)
        {
            return key.Kind == (byte)'C' && !isKnown ? BeginUnderLock(request) : bound;
        }

        BindUnderLock(candidate, request.Connection);
        return candidate;
    }

    private LiveBoot? BeginUnderLock(in ObservedRequest request)
    {
        string repository = request.Repository;
        if (_live.Count(live => live.Repository == repository) >= _limits.MaxBootsAtOnce || !_wantsMore(repository))
        {
            return null;
        }

        var boot = new LiveBoot { Repository = repository, Client = request.Client, Owner = request.Connection, StartedAt = request.At, LastAt = request.At };
        _live.Add(boot);
        _isRecording = true;
        BindUnderLock(boot, request.Connection);
        return boot;
    }

    private void BindUnderLock(LiveBoot boot, string connection)
    {
        _byConnection[(boot.Repository, connection)] = boot;
        boot.Connections.Add(connection);
    }

    private sealed class LiveBoot
    {
        public required string Repository { get; init; }

        public required IPAddress Client { get; init; }

        /// <summary>The connection that began it: nothing on it belongs to another boot.</summary>
        public required string Owner { get; init; }

        public required TimeSpan StartedAt { get; init; }

        public required TimeSpan LastAt { get; set; }

        public HashSet<ObjectKey> Seen { get; } = [];

        public List<BootRead> Reads { get; } = [];

        public HashSet<string> Connections { get; } = [];
    }
}
