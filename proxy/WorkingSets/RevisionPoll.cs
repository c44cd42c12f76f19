using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>Looks for new revisions of the repositories that have a working set. A fresh manifest is not asked for again.</summary>
internal sealed class RevisionPoll(
    WorkingSetStore sets, SignedDocuments documents, RepositoryRoutes repositories, WorkingSetOptions options)
{
    /// <summary>Looks once.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task PollAsync(CancellationToken cancellationToken)
    {
        foreach (Fqrn name in options.Prefetch ? sets.All.Select(set => set.Repository).Distinct() : [])
        {
            if (repositories.TryFind(name, out RepositoryRoute? repository))
            {
                await documents.GetAsync(new DocumentRequest(DocumentKind.File, repository, SignedDocuments.ManifestPath, null),
                    cancellationToken);
            }
        }
    }
}
