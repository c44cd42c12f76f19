using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Documents;

/// <summary>What is known of one repository: what is shown, what is held back, and the check under way. Thread-safe.</summary>
internal sealed class ShownPair(ShownPairs owner, RepositoryRoute repository)
{
    private readonly Lock _gate = new();
    private SignedPair? _held;                // guarded by _gate
    private long _heldAt;                     // guarded by _gate: timestamp
    private int _holds;                       // guarded by _gate

    public RepositoryRoute Repository { get; } = repository;

    public volatile SignedPair? Current;

    public volatile UpstreamFailure? Failure;

    public volatile TrustVerdict? LastRefusal;

    /// <summary>The newest whitelist that was good, also when nothing that it vouches for is shown.</summary>
    public volatile CachedDocument? NewestWhitelist;

    /// <summary>Timestamp of the last check if it failed; 0: it did not.</summary>
    public long FailedAt { get; set; }

    /// <summary>Timestamp of the last warning that the whitelist ends soon; 0: there was none.</summary>
    public long WarnedAt { get; set; }

    public ulong? RollbackFloor { get; set; }

    /// <summary>Has an operator taken it back since the start? Other nodes may not have been, and are not asked for it.</summary>
    public volatile bool WasTakenBack;

    /// <summary>When a client last asked for more than what is fresh; <see cref="Environment.TickCount64"/>.</summary>
    public long AskedAt { get; set; } = Environment.TickCount64;

    /// <summary>What its documents take in memory, parsed ones as much again.</summary>
    public int Cost =>
        2 * ((Current is { } pair ? pair.Manifest.Cost + HeapCost.Of(pair.Certificate ?? default) : 0) + (NewestWhitelist?.Cost ?? 0));

    /// <summary>Is a check under way, or a revision held back, or a rollback allowed? Then it is not forgotten.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                return owner.Checks.IsUnderWay(this) || _held is not null || RollbackFloor is not null;
            }
        }
    }

    public bool IsHolding
    {
        get
        {
            lock (_gate)
            {
                return _held is not null;
            }
        }
    }

    public RepositoryStatus ToStatus()
    {
        lock (_gate)
        {
            return new RepositoryStatus(Repository, Show(), _held?.Parsed.Revision, LastRefusal) { LastFailure = Failure };
        }
    }

    /// <summary>Joins the check under way for this client, too, or starts one, which waits its turn in this place.</summary>
    public Task<RequestResult> CheckAsync(SharedPlace place, IPAddress? client, Func<Task<RequestResult>> check)
    {
        (SharedPlace? joined, Task<RequestResult> running) = owner.Checks.JoinOrStart(this, place, check, out bool isNew);
        if (!isNew)
        {
            joined?.Join(client);
        }

        return running;
    }

    /// <summary>Runs as the only check; those who ask meanwhile wait for it.</summary>
    public async Task AloneAsync(Func<Task<RequestResult>> run)
    {
        while (true)
        {
            (_, Task<RequestResult> running) = owner.Checks.JoinOrStart(this, null, run, out bool isMine);
            if (isMine)
            {
                await running;
                return;
            }

            await Task.WhenAny(running);
        }
    }

    /// <summary>A pair that is held back and not newer than that is not shown any more.</summary>
    public void DropHeldUpTo(ulong revision)
    {
        lock (_gate)
        {
            _held = _held?.Parsed.Revision <= revision ? null : _held;
        }
    }

    /// <summary>Holds a pair back, at most as long as the gate says; gives the number of the hold.</summary>
    public int Hold(SignedPair pair)
    {
        lock (_gate)
        {
            (_held, _heldAt) = (pair, owner.Now);
            return ++_holds;
        }
    }

    /// <summary>
    /// What clients see now: ends a hold that is over, and judges again what other keys than those in force have proved.
    /// </summary>
    public SignedPair? Show()
    {
        lock (_gate)
        {
            MasterKeys keys = owner.KeysInForce;
            if (_held is { } held && !ReferenceEquals(held.Verdict.Keys, keys))
            {
                _held = owner.JudgeAgain(this, held);
            }

            if (Current is { } current && !ReferenceEquals(current.Verdict.Keys, keys))
            {
                Current = owner.JudgeAgain(this, current);
            }

            if (_held is not null && (Current is null || owner.IsHoldOver(_heldAt)))
            {
                RevealLocked(_held);
            }

            return Current;
        }
    }

    /// <summary>What is held back, else what is shown.</summary>
    public SignedPair? Newest()
    {
        lock (_gate)
        {
            return Show() is { } shown ? _held ?? shown : null;
        }
    }

    /// <summary>The working set for which that hold waited is complete.</summary>
    public void Reveal(int hold)
    {
        lock (_gate)
        {
            if (_held is { } held && hold == _holds)
            {
                RevealLocked(held);
            }
        }
    }

    /// <summary>
    /// Puts something else in the place of what is shown and of what is held back, each if there is one; null takes it away.
    /// </summary>
    public void Change(Func<SignedPair, SignedPair?> change)
    {
        lock (_gate)
        {
            _held = _held is { } held ? change(held) : null;
            Current = Current is { } current ? change(current) : null;
        }
    }

    private void RevealLocked(SignedPair pair)
    {
        _held = null;
        owner.Switch(this, pair);
    }
}
