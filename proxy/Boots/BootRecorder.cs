using Breakwater.CacheStore;
using Breakwater.Proxy.Access;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// Records what boots ask for; what a boot is, <see cref="BootSorter{TBoot}"/> says. Thread-safe.
/// </summary>
/// <remarks>
/// Only a few boots of a repository are recorded at once. A place is taken by what has shown that it is a boot: a client that looks at the
/// manifest now and then, as each mounted one and each health check does, takes none. Who finds no place is not recorded from some later
/// request on either.
/// </remarks>
internal sealed class BootRecorder
{
    /// <summary>Boots of a repository kept for the case that they go on after a pause, as a multiple of those recorded at once.</summary>
    private const int PausedShare = 4;

    /// <summary>One of the looks that are followed makes room for another when nothing came from it for so long.</summary>
    private static readonly TimeSpan s_idleLook = TimeSpan.FromSeconds(1);

    private readonly BootRecorderLimits _limits;
    private readonly Func<Fqrn, bool> _wantsMore;
    private readonly Func<Fqrn, ObjectKey, bool> _isRoot;
    private readonly Lock _lock = new();
    private readonly BootSorter<LiveBoot> _boots;   // guarded by _lock
    private volatile bool _isRecording;             // written under _lock
    private long _lastId;                           // guarded by _lock

    /// <summary>Records boots.</summary>
    /// <param name="limits">How.</param>
    /// <param name="wantsMore">Is another boot of this repository wanted? Asked under a lock: answer at once.</param>
    /// <param name="isRoot">Is this catalog the root of a repository? A boot without a manifest begins there. Asked under a lock.</param>
    public BootRecorder(BootRecorderLimits limits, Func<Fqrn, bool> wantsMore, Func<Fqrn, ObjectKey, bool> isRoot)
    {
        _limits = limits;
        _wantsMore = wantsMore;
        _isRoot = isRoot;
        _boots = new BootSorter<LiveBoot>(new BootSorterLimits(), BeginUnderLock, static _ => { });
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
            if (_boots.Assign(request, out bool isFirst) is not { } boot)
            {
                return;
            }

            boot.LastAt = request.At;
            if (!isFirst)
            {
                return;
            }

            boot.Reads.Add(new BootRead(request.Object!.Value, request.At - boot.BeganAt));
            if (boot.Reads.Count == _limits.MinReads && !HasPlaceUnderLock(boot))
            {
                _boots.End(boot);
            }
        }
    }

    /// <summary>
    /// Could a request for this object (null: the manifest) matter? False for nearly all of them while no boot is recorded.
    /// </summary>
    public bool Concerns(ObjectKey? key) => _isRecording || key is null or { Kind: ObjectKind.Catalog };

    /// <summary>
    /// Hands out the boots that are over at that time. One that went on after a pause is handed out again, whole, with the same
    /// <see cref="RecordedBoot.Id"/>.
    /// </summary>
    public IReadOnlyList<RecordedBoot> TakeFinished(TimeSpan now)
    {
        List<RecordedBoot> over = [];
        lock (_lock)
        {
            foreach (LiveBoot boot in _boots.Boots)
            {
                bool isSilent = now - boot.LastAt >= _limits.Silence;
                bool isOver = now - boot.BeganAt >= _limits.Window;
                if ((isSilent || isOver) && boot.Reads.Count > boot.HandedOut && boot.Reads.Count >= _limits.MinReads)
                {
                    boot.HandedOut = boot.Reads.Count;
                    over.Add(new RecordedBoot(boot.Repository, [.. boot.Reads])
                    {
                        Id = boot.Id,
                        Client = ClientKey.Of(boot.Client),
                        IsCut = !isSilent
                        || boot.Reads.Count >= _limits.MaxReads
                    });
                }

                if (isOver)
                {
                    _boots.End(boot);
                }
            }

            _isRecording = _boots.Count > 0;
        }

        return over;
    }

    private LiveBoot? BeginUnderLock(ObservedRequest first)
    {
        if ((first.Object is ObjectKey catalog && !_isRoot(first.Repository, catalog)) || !_wantsMore(first.Repository))
        {
            return null;
        }

        int looks = 0;
        LiveBoot? idlest = null;
        foreach (LiveBoot live in _boots.Boots)
        {
            if (live.Repository == first.Repository && live.Reads.Count < _limits.MinReads)
            {
                looks++;
                idlest = idlest is null || live.LastAt < idlest.LastAt ? live : idlest;
            }
        }

        if (looks >= _limits.MaxLooksAtOnce)
        {
            if (first.At - idlest!.LastAt < s_idleLook)
            {
                return null;
            }

            _boots.End(idlest);
        }

        _isRecording = true;
        return new LiveBoot(first, _limits.MaxReads) { Id = ++_lastId, LastAt = first.At };
    }

    /// <summary>Is what has read enough for a boot recorded on? Not without a catalog: nothing is learned from it.</summary>
    private bool HasPlaceUnderLock(LiveBoot boot)
    {
        int running = 0;
        int paused = 0;
        foreach (LiveBoot other in _boots.Boots)
        {
            if (other != boot && other.Repository == boot.Repository && other.Reads.Count >= _limits.MinReads)
            {
                _ = boot.LastAt - other.LastAt < _limits.Silence ? running++ : paused++;
            }
        }

        return running < _limits.MaxBootsAtOnce && paused < _limits.MaxBootsAtOnce * PausedShare
            && boot.Reads.Exists(static read => read.Key.Kind == ObjectKind.Catalog);
    }

    private sealed class LiveBoot(in ObservedRequest first, int mostReads) : SortedBoot(first, mostReads)
    {
        public required long Id { get; init; }

        public required TimeSpan LastAt { get; set; }

        public List<BootRead> Reads { get; } = [];

        /// <summary>Reads at the last time that it was handed out.</summary>
        public int HandedOut { get; set; }
    }
}
