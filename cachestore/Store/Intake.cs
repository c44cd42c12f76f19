using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Space;
using Breakwater.CacheStore.Staging;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// What writers of objects have in common: the log and the table that they write to, whether new objects are taken at present, and how
/// long a writer that is faster than the disk or the cleaner waits. Thread-safe.
/// </summary>
/// <param name="table">Where verified objects become visible.</param>
/// <param name="log">Where their bytes go.</param>
/// <param name="commits">Makes them durable.</param>
/// <param name="unverified">Counts what has no digest yet.</param>
/// <param name="space">Says when there is no room.</param>
/// <param name="health">Says when the disk refuses writes.</param>
/// <param name="quotaBytes">Of the store.</param>
/// <param name="mostBytes">Longest object that is taken.</param>
internal sealed class Intake(ObjectTable table, BlobLog log, CommitLoop commits, UnverifiedBytes unverified, SpaceKeeper space,
    DiskHealth health, long quotaBytes, long mostBytes)
{
    private const int MostStagedBytes = 32 << 20;

    /// <summary>A writer that waited so often for room, and got none, is refused.</summary>
    private const int MostRoundsInVain = 3;

    private readonly GhostTable _proven = new(4096); // locked by itself when it is written to
    private volatile bool _isClosed;

    /// <summary>Where verified objects become visible.</summary>
    public ObjectTable Table => table;

    /// <summary>Where their bytes go.</summary>
    public BlobLog Log => log;

    /// <summary>Makes them durable.</summary>
    public CommitLoop Commits => commits;

    /// <summary>Counts what has no digest yet.</summary>
    public UnverifiedBytes Unverified => unverified;

    /// <summary>What writers may have in memory beside the log's own pages before they wait for a commit.</summary>
    public StagingBudget Budget { get; } = new(Math.Min(MostStagedBytes, quotaBytes / 16));

    /// <summary>Longest object that is taken, bytes.</summary>
    public long MostBytes => mostBytes;

    /// <summary>Why no new object is taken at present; null: they are.</summary>
    public CommitResult? WhyRefusing() =>
        _isClosed ? CommitResult.Failed : health.WriteFailure is null ? null : CommitResult.StoreFull;

    /// <summary>Had it its digest when its room was taken back, not long ago? What it takes this time is vouched for.</summary>
    public bool IsProven(in ObjectKey key) => _proven.Contains(key.GetHashCode64());

    /// <summary>An object has its digest, and its room was taken back before.</summary>
    public void SetProven(in ObjectKey key)
    {
        lock (_proven)
        {
            _proven.Add(key.GetHashCode64());
        }
    }

    /// <summary>No new object is taken any more.</summary>
    public void Close() => _isClosed = true;

    /// <summary>Back-pressure: waits until the log has flushed enough of what it took. Null: it has.</summary>
    public async ValueTask<CommitResult?> WaitForStagingAsync(CancellationToken cancellationToken)
    {
        while (Budget.IsExceeded)
        {
            if (WhyRefusing() is { } refusal)
            {
                return refusal;
            }

            if (await WhileWritableAsync(token => commits.HurryAsync().WaitAsync(token), cancellationToken) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    /// <summary>Back-pressure at the quota: waits while the cleaner makes room. Null: there is room.</summary>
    public async ValueTask<CommitResult?> WaitForRoomAsync(StagedObject staged, CancellationToken cancellationToken)
    {
        for (int rounds = 0; space.IsFull; rounds++)
        {
            bool isFreed = false;
            if (await WhileWritableAsync(async token => isFreed = await IsRoomMadeAsync(token), cancellationToken) is { } failure)
            {
                return failure;
            }

            rounds = isFreed ? 0 : rounds;
            if (staged.IsRevoked || WhyRefusing() is not null || rounds >= MostRoundsInVain)
            {
                return WhyRefusing() ?? CommitResult.StoreFull;
            }
        }

        return null;
    }

    /// <summary>
    /// Waits for something that needs the disk, as long as the disk takes writes. Null: it is done; else why nothing is taken any more.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<CommitResult?> WhileWritableAsync(Func<CancellationToken, Task> wait, CancellationToken cancellationToken)
    {
        CancellationToken failing = health.Failing;
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, failing);
        try
        {
            await wait(either.Token);
            return null;
        }
        catch (OperationCanceledException) when (failing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return WhyRefusing() ?? CommitResult.Failed;
        }
        catch (ObjectDisposedException)
        {
            return CommitResult.Failed; // the log was closed
        }
    }

    private async Task<bool> IsRoomMadeAsync(CancellationToken cancellationToken)
    {
        await commits.HurryAsync().WaitAsync(cancellationToken); // what is not committed cannot be cleaned
        return !space.IsFull || await space.ProgressAsync().WaitAsync(cancellationToken);
    }
}
