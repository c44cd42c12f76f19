using System.Buffers;
using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>Objects for the proxy's own use: from the store, else by the shared fetch. Thread-safe.</summary>
internal sealed class ObjectReader(IObjectStore store, FetchCoordinator fetches)
{
    /// <summary>More than this is not read into memory.</summary>
    private const int MaxBytesInMemory = 1 << 20;

    private const int BufferBytes = 128 << 10;

    /// <summary>Reads a small object whole. Null: no Stratum 1 has it, or it is longer than 1 MiB.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task<byte[]?> ReadAsync(RepositoryRoute repository, ObjectKey key, string? hint, FetchPriority priority,
        CancellationToken cancellationToken) =>
        ReadAsync(new FetchOrder(key, repository, key.ToPath(), hint, priority), cancellationToken);

    /// <summary>As the other, by an order.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<byte[]?> ReadAsync(FetchOrder order, CancellationToken cancellationToken)
    {
        using ObjectLease? lease = await OpenAsync(order, cancellationToken);
        if (lease is null || lease.Length > MaxBytesInMemory)
        {
            return null;
        }

        byte[] bytes = new byte[lease.Length];
        for (int offset = 0; offset < bytes.Length;)
        {
            int read = await lease.ReadAsync(offset, bytes.AsMemory(offset), cancellationToken);
            if (read == 0)
            {
                return null;
            }

            offset += read;
        }

        return bytes;
    }

    /// <summary>Reads a small object whole if the store holds it; asks nobody. Null: it does not, or it is longer than 1 MiB.</summary>
    public byte[]? ReadStored(ObjectKey key)
    {
        if (!store.TryOpen(key, out ObjectLease? lease))
        {
            return null;
        }

        using var wire = new LeaseStream(lease);
        try
        {
            byte[] bytes = new byte[Math.Min(lease.Length, MaxBytesInMemory + 1)];
            return bytes.Length <= MaxBytesInMemory && wire.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length
                ? bytes
                : null;
        }
        catch (IOException)
        {
            return null; // damaged; the store has forgotten it
        }
    }

    /// <summary>Opens an object, fetching it first if need be. Null: it cannot be had, or the store cannot take it.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task<ObjectLease?> OpenAsync(RepositoryRoute repository, ObjectKey key, string? hint, FetchPriority priority,
        CancellationToken cancellationToken) =>
        OpenAsync(new FetchOrder(key, repository, key.ToPath(), hint, priority), cancellationToken);

    private async Task<ObjectLease?> OpenAsync(FetchOrder order, CancellationToken cancellationToken)
    {
        if (store.TryOpen(order.Key, out ObjectLease? lease))
        {
            return lease;
        }

        await FetchAsync(order, cancellationToken);
        return store.TryOpen(order.Key, out lease) ? lease : null;
    }

    /// <summary>Brings an object into the store. Null: it is there. Else why not.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="key">The object.</param>
    /// <param name="hint">The host that a client named, or null.</param>
    /// <param name="priority">Before or behind clients.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="onBytes">Told of the bytes as they come.</param>
    /// <exception cref="OperationCanceledException">Cancelled; the fetch itself goes on if it is small or others want it.</exception>
    public Task<UpstreamFailure?> FetchAsync(
        RepositoryRoute repository, ObjectKey key, string? hint, FetchPriority priority, CancellationToken cancellationToken,
        Action<int>? onBytes = null) =>
        FetchAsync(new FetchOrder(key, repository, key.ToPath(), hint, priority), cancellationToken, onBytes);

    private async Task<UpstreamFailure?> FetchAsync(FetchOrder order, CancellationToken cancellationToken, Action<int>? onBytes = null)
    {
        if (store.Contains(order.Key))
        {
            return null;
        }

        FetchTicket ticket = fetches.JoinOrStart(order);
        ticket.Lease?.Dispose();
        if (ticket.Follower is not { } follower)
        {
            return ticket.Failure;
        }

        await using (follower)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
            try
            {
                long offset = 0;
                FollowState state;
                while ((state = await follower.WaitAsync(offset, cancellationToken)) == FollowState.Readable)
                {
                    int read = await follower.ReadAsync(offset, buffer, cancellationToken);
                    offset += read;
                    onBytes?.Invoke(read);
                }

                return state == FollowState.Failed && follower.Failure!.Kind != FailureKind.AlreadyStored ? follower.Failure : null;
            }
            catch (IOException e)
            {
                return new UpstreamFailure(FailureKind.Broken, e.Message);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
