namespace Breakwater.CacheStore;

/// <summary>Commits that somebody waits for.</summary>
public static class Commits
{
    /// <summary>
    /// Waits for a commit while the disk takes writes. <see cref="CommitResult.StoreFull"/>: it refuses them, and this one would wait until
    /// somebody mends it.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="commit">What <see cref="ObjectWriter.CommitAsync"/> gave.</param>
    /// <param name="cancellationToken">Ends the wait; the commit goes on.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task<CommitResult> WaitAsync(
        this IObjectStore store, Task<CommitResult> commit, CancellationToken cancellationToken)
    {
        if (commit.IsCompleted)
        {
            return await commit;
        }

        CancellationToken refusing = store.Refusing;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, refusing);
        try
        {
            return await commit.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!commit.IsCanceled && !cancellationToken.IsCancellationRequested)
        {
            return CommitResult.StoreFull;
        }
    }
}
