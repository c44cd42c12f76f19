using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>Where the objects of a bundle go. Thread-safe.</summary>
internal interface IObjectSink
{
    /// <summary>Starts to take one object.</summary>
    ObjectTaker Begin(in ObjectKey key, long length);

    /// <summary>Waits for a commit of one of its takers, as long as there is hope.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the commit goes on.</exception>
    Task<CommitResult> WaitAsync(Task<CommitResult> commit, CancellationToken cancellationToken) => commit.WaitAsync(cancellationToken);
}
