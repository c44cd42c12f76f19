using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>
/// Gets objects through the store: what it lacks is fetched, verified and stored as for a client, but after all clients. What fails for a
/// reason that may pass is asked for again, a few times. Thread-safe.
/// </summary>
internal sealed class ObjectGetter(
    IObjectStore store, FetchCoordinator fetches, DocumentCache documents, RepositoryRoutes routes, TimeProvider time)
{
    /// <summary>How long is waited before something is asked for once more. A Stratum 1 that is busy, or restarts, answers then.</summary>
    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)];

    /// <summary>Brings an object into the store if it is not there. Bytes that came from a Stratum 1; 0 when it was there.</summary>
    /// <exception cref="SeedExportException">No Stratum 1 has it, or the store cannot take it.</exception>
    public async Task<long> FetchAsync(string fqrn, ObjectKey key, CancellationToken cancellationToken)
    {
        var order = new FetchOrder(key, Route(fqrn), key.ToPath(), null, FetchPriority.Prefetch);
        long bytes = 0;
        await AskAsync(order.UrlPath, async () =>
        {
            (bytes, UpstreamFailure? failure) = await TryFetchAsync(order, cancellationToken);
            return failure;
        }, cancellationToken);
        return bytes;
    }

    /// <summary>A signed document.</summary>
    /// <exception cref="SeedExportException">There is none.</exception>
    public async Task<byte[]> DocumentAsync(string fqrn, string file, CancellationToken cancellationToken)
    {
        var request = new DocumentRequest(DocumentKind.File, Route(fqrn), file, null);
        DocumentAnswer answer = default;
        await AskAsync($"{fqrn}/{file}", async () =>
        {
            documents.ForgetFailures(); // else the one of the time before is the answer for five seconds
            answer = await documents.GetAsync(request, cancellationToken);
            return answer.Document is null ? answer.Failure : null;
        }, cancellationToken);
        return answer.Document!.Body.ToArray();
    }

    /// <summary>May the same question have another answer in a moment?</summary>
    private static bool IsPassing(FailureKind kind) => kind is FailureKind.Connect or FailureKind.Lookup or FailureKind.Parent
        or FailureKind.Timeout or FailureKind.Broken or FailureKind.Status or FailureKind.WrongBytes;

    /// <summary>Asks until it succeeds, or fails for a reason that does not pass, or for the last time.</summary>
    /// <param name="what">What is asked for, for people.</param>
    /// <param name="ask">Asks once; null: it is there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task AskAsync(string what, Func<Task<UpstreamFailure?>> ask, CancellationToken cancellationToken)
    {
        for (int asked = 1; await ask() is { } failure; asked++)
        {
            if (!IsPassing(failure.Kind))
            {
                throw new SeedExportException($"{what}: {failure.Detail}. No bundle was written. {NextAfter(failure.Kind)}".TrimEnd());
            }

            if (asked > s_pauses.Length)
            {
                throw new SeedExportException(
                    $"{what}: {failure.Detail}; it was asked for {asked} times. No bundle was written. Run the same command again: what "
                    + "was fetched is kept.");
            }

            await Task.Delay(s_pauses[asked - 1], time, cancellationToken);
        }
    }

    private static string NextAfter(FailureKind kind) => kind == FailureKind.NotFound
        ? "Name a Stratum 1 that has it with --from, or run the same command again when this one has it: what was fetched is kept."
        : "";

    private async Task<(long Bytes, UpstreamFailure? Failure)> TryFetchAsync(FetchOrder order, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[64 << 10];
        while (!store.Contains(order.Key))
        {
            FetchTicket ticket = fetches.JoinOrStart(order);
            if (ticket.Lease is { } lease)
            {
                lease.Dispose();
                return (0, null);
            }

            if (ticket.Failure is { } negative)
            {
                return (0, negative);
            }

            long offset = 0;
            await using FetchFollower follower = ticket.Follower!;
            FollowState state;
            while ((state = await follower.WaitAsync(offset, cancellationToken)) == FollowState.Readable)
            {
                offset += await follower.ReadAsync(offset, buffer, cancellationToken);
            }

            if (state == FollowState.Ended)
            {
                return store.Contains(order.Key)
                    ? (offset, null)
                    : throw new SeedExportException(
                    $"{order.UrlPath} could not be stored: the store is full or refuses writes; its log says why.");
            }

            if (follower.Failure!.Kind != FailureKind.AlreadyStored)
            {
                return (0, follower.Failure);
            }
        }

        return (0, null);
    }

    private RepositoryRoute Route(string fqrn) => routes.TryFind(Fqrn.Parse(fqrn), out RepositoryRoute? route)
        ? route
        : throw new SeedExportException($"{fqrn} is not in Repositories: add it there, or name its Stratum 1 with --from.");
}
