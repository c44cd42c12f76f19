namespace Breakwater.Mount;

/// <summary>
/// All ways to a repository in the order of preference: every proxy for the first server, then every proxy for the next one. A way that
/// failed comes last for a few seconds and then has its old place again, so a proxy that returns is used again. Thread-safe.
/// </summary>
internal sealed class Routes(IReadOnlyList<Route> all, TimeProvider time)
{
    /// <summary>How long a way that failed comes last: a client that waits 5 s for a dead proxy at every object would not boot.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    private readonly long[] _restsUntil = new long[all.Count]; // time stamps; by Volatile

    /// <summary>Every way, those that rest at the end.</summary>
    public IReadOnlyList<Route> InOrder()
    {
        long now = time.GetTimestamp();
        return [.. all.Select((route, i) => (route, rests: Volatile.Read(ref _restsUntil[i]) > now))
            .OrderBy(x => x.rests).Select(x => x.route)];
    }

    /// <summary>Notes that a way could not be used.</summary>
    public void Failed(Route route)
    {
        for (int i = 0; i < all.Count; i++)
        {
            if (ReferenceEquals(all[i], route))
            {
                Volatile.Write(ref _restsUntil[i], time.GetTimestamp() + (long)(Rest.TotalSeconds * time.TimestampFrequency));
            }
        }
    }

    /// <summary>Reads the two settings as a CernVM-FS client has them.</summary>
    /// <param name="fqrn">The repository.</param>
    /// <param name="servers">Separated by <c>,</c> or <c>;</c>: hosts, or addresses that hold <c>@fqrn@</c> or the name.</param>
    /// <param name="proxies">Separated by <c>;</c> and <c>|</c>; <c>DIRECT</c> is none.</param>
    public static List<Route> Parse(string fqrn, string servers, string proxies)
    {
        List<Uri?> through = [];
        foreach (string proxy in Split(proxies))
        {
            through.Add(proxy.Equals("DIRECT", StringComparison.OrdinalIgnoreCase) ? null : new Uri(Address(proxy)));
        }

        if (through.Count == 0)
        {
            through.Add(null);
        }

        List<Route> routes = [];
        foreach (string server in Split(servers.Replace(',', ';')))
        {
            string address = Address(server).TrimEnd('/').Replace("@fqrn@", fqrn, StringComparison.Ordinal);
            string url = address.EndsWith("/" + fqrn, StringComparison.Ordinal) ? address : $"{address}/cvmfs/{fqrn}";
            routes.AddRange(through.Select(proxy => new Route(url, proxy)));
        }

        return routes;
    }

    private static string[] Split(string list) =>
        list.Split([';', '|'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string Address(string text) => text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
}
