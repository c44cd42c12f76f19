using System.Text;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>Looks for new revisions of the repositories that have a working set. A fresh manifest is not asked for again.</summary>
internal sealed class RevisionPoll(
    WorkingSetStore sets, SignedDocuments documents, RepositoryRoutes repositories, WorkingSetOptions options)
{
    /// <summary>Looks once.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task PollAsync(CancellationToken cancellationToken)
    {
        foreach (string name in options.Prefetch ? sets.All.Select(set => set.Repository).Distinct(StringComparer.Ordinal) : [])
        {
            if (repositories.TryFind(Encoding.ASCII.GetBytes(name), out RepositoryRoute? repository))
            {
                await documents.GetAsync(new DocumentRequest(DocumentKind.File, repository, SignedDocuments.ManifestPath, null),
                    cancellationToken);
            }
        }
    }
}
