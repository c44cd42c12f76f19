using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Documents;

internal sealed partial class SignedDocuments
{
    /// <summary>
    /// For another node: the newest pair that is verified, shown or still held back, so that all nodes prepare a revision at the same time.
    /// Null: there is none.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="mayCheck">May a Stratum 1 be asked, if the pair is not fresh?</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException">The other node left.</exception>
    public async Task<SignedPair?> FindForNodeAsync(RepositoryRoute repository, bool mayCheck, CancellationToken cancellationToken)
    {
        Entry entry = EntryOf(repository);
        if (mayCheck && !(entry.Newest() is { } known && known.Manifest.IsFresh(time)))
        {
            await GetAsync(new DocumentRequest(DocumentKind.File, repository, ManifestPath, null), cancellationToken);
        }

        return entry.Newest() is { IsVerified: true } pair ? pair : null;
    }

    /// <summary>Another node has a higher revision: it is checked at once, first there.</summary>
    public Task CheckAtAsync(RepositoryRoute repository, Stratum1 node)
    {
        Entry entry = EntryOf(repository);
        if (entry.WasTakenBack)
        {
            return Task.CompletedTask;
        }

        var request = new DocumentRequest(DocumentKind.File, repository, ManifestPath, null);
        SharedPlace place = fetcher.PlaceOf(request);
        return entry.CheckAsync(place, null, () => CheckAsync(entry, request, place, node));
    }

    /// <summary>The newest verified revision of each repository in memory, shown or held back, in the order of their names.</summary>
    public SortedDictionary<string, ulong> VerifiedRevisions()
    {
        var revisions = new SortedDictionary<string, ulong>(StringComparer.Ordinal);
        foreach (Entry entry in _entries.Values)
        {
            if (entry.Newest() is { IsVerified: true } pair)
            {
                revisions[entry.Repository.Fqrn] = pair.Parsed.Revision;
            }
        }

        return revisions;
    }
}
