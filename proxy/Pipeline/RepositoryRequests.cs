using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Pipeline;

/// <summary>Requests below <c>/cvmfs/</c>: of which repository, and for what.</summary>
internal sealed class RepositoryRequests(
    RepositoryRoutes repositories, ObjectEndpoint objects, DocumentEndpoint documents, PassThroughEndpoint passThrough,
    ExchangeEndpoint ordinary, BootObserver boots, ResponseHeads heads)
{
    /// <summary>Answers a request whose target is no <see cref="TargetKind.Rejected"/> one.</summary>
    public Task ServeAsync(HttpContext context, RequestTarget target, RequestOutcome outcome)
    {
        string? hint = target.Authority.Length == 0 ? null : Encoding.ASCII.GetString(target.Authority);
        if (!TryFindRoute(target.Fqrn, hint, out RepositoryRoute? repository))
        {
            return heads.WriteErrorAsync(
                context, StatusCodes.Status403Forbidden,
                $"The repository '{Encoding.ASCII.GetString(target.Fqrn)}' is not in Repositories of this proxy.");
        }

        outcome.Fqrn = repository.Fqrn;
        outcome.Key = target.Kind == TargetKind.Object ? target.Key : null;
        string path = Encoding.ASCII.GetString(target.Path);
        if (BootClient.MayBoot(context.Request.Headers.UserAgent)
            && (target.Kind == TargetKind.Object || (target.Kind == TargetKind.Document && path == SignedDocuments.ManifestPath)))
        {
            boots.Observe(repository, target.Kind == TargetKind.Object ? target.Key : null, context.Connection.RemoteIpAddress!,
                context.Connection.Id);
        }

        IPAddress? client = context.Connection.RemoteIpAddress;
        bool isSecret = context.Request.Headers.Authorization.Count > 0;
        TargetKind kind = isSecret ? TargetKind.PassThrough : target.Kind;
        return kind switch
        {
            TargetKind.Object => objects.ServeAsync(context, FetchOrder.Of(target.Key, repository, path, hint, client), outcome),
            TargetKind.Document => documents.ServeAsync(context, new DocumentRequest(DocumentKind.File, repository, path, hint, client),
                outcome),
            TargetKind.Geo => documents.ServeAsync(context, new DocumentRequest(DocumentKind.Geo, repository, path, hint, client), outcome),
            _ when target.Kind == TargetKind.PassThrough && !isSecret && !target.Fqrn.SequenceEqual("info"u8) =>
                ordinary.ServeAsync(context, new ExternalFile(repository, $"/cvmfs/{repository.Fqrn}/{path}", hint), outcome),
            _ => passThrough.ServeAsync(context, repository, $"/cvmfs/{repository.Fqrn}/{path}", hint, outcome),
        };
    }

    /// <summary><c>/cvmfs/info/…</c> belongs to a server: to the cluster that has the named host, else to the first.</summary>
    private bool TryFindRoute(ReadOnlySpan<byte> fqrn, string? hint, [NotNullWhen(true)] out RepositoryRoute? repository)
    {
        if (!fqrn.SequenceEqual("info"u8))
        {
            return repositories.TryFind(fqrn, out repository);
        }

        repository = repositories.ForServerInfo(hint);
        return true;
    }
}
