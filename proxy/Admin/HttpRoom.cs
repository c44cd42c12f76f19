using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Admin;

/// <summary>Ordinary HTTP on the admin port: how it stands, and what is to be forgotten.</summary>
internal sealed class HttpRoom(NamedStore named, ExchangeCounters exchanges) : IAdminRoom
{
    private const int MostListed = 10_000;

    public void Map(AdminApi admin)
    {
        admin.Read("http", "How ordinary HTTP stands.", Status);
        admin.Read("http/stored", "URLs with stored answers.", (string? prefix, int? limit) =>
            Names(prefix ?? "http://", Math.Clamp(limit ?? 100, 1, MostListed)));
        admin.Action("http/purge", "Forgets the stored answers of a URL, or of all that begin so.",
            (string url, bool? prefix) => Purge(url, prefix ?? false), typeof(PurgeResult));
    }

    private HttpStatus Status() => new(
        [.. exchanges.Totals().Select(t => new ResultStatus(RequestRecorder.NameOf(t.Result), t.Requests, t.Bytes))],
        named.IsOpen ? named.Heads.Count : 0,
        named.UsedBytes,
        named.QuotaBytes,
        named.Statistics?.EvictedObjects ?? 0);

    /// <summary>URLs, whether a site's, a destination's or an external file's.</summary>
    private IReadOnlyList<string> Names(string prefix, int most) => !named.IsOpen
        ? []
        : [.. new[] { prefix, CacheUri.SitePrefix + prefix, CacheUri.FilePrefix + prefix }
            .SelectMany(name => named.Heads.Names(name, most)).Take(most).Select(name => CacheUri.Url(name).ToString())];

    /// <summary>
    /// Answers of the URL are forgotten, a site's and a destination's, and an external file's of whichever Stratum 1. What is being
    /// fetched at this moment may be stored after it.
    /// </summary>
    private IResult Purge(string url, bool isPrefix)
    {
        if (!DestinationTarget.TryParse(url, out DestinationTarget target))
        {
            return new AdminProblem($"'{url}' is not a URL such as http://repo.example.org/path.").Result();
        }

        string name = CacheUri.Of(target.Host, target.Port, target.PathAndQuery);
        IReadOnlyList<string> names = target.PathAndQuery.StartsWith("/cvmfs/", StringComparison.Ordinal)
            ? [name, CacheUri.SitePrefix + name, CacheUri.OfFile(target.PathAndQuery)]
            : [name, CacheUri.SitePrefix + name];
        int purged = !named.IsOpen ? 0
            : isPrefix ? names.Sum(named.Heads.RemoveByPrefix)
            : names.Count(named.Heads.Remove);
        return Results.Json(new PurgeResult(purged), AdminServer.Json);
    }
}
