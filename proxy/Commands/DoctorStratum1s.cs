using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// The doctor's look at the Stratum 1s, on the way that the proxy takes: its look-ups, checks of addresses, and the cluster's parent proxy
/// with its password where it has one.
/// </summary>
internal sealed class DoctorStratum1s(ParentProxies parents, GuardedConnector connector, IHostNames names, LoopGuard loops,
    TimeSpan lookupTimeout)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_maxSkew = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_slowLookup = TimeSpan.FromSeconds(1);

    /// <summary>One check for each address and way.</summary>
    /// <param name="configuration">All settings.</param>
    /// <param name="settings">Made of these.</param>
    /// <param name="clusters">The clusters that are looked at.</param>
    /// <param name="needed">Those of them that the site needs.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<DoctorCheck[]> CheckAsync(IConfiguration configuration, BreakwaterSettings settings,
        IReadOnlySet<string> clusters, IReadOnlySet<string> needed, CancellationToken cancellationToken)
    {
        var names = new SystemHostNames();
        var parents = new ParentProxies(configuration, TimeProvider.System);
        using var connector =
            new GuardedConnector(new AddressGuard(settings.Access.AllowedUpstreams, TimeProvider.System), names, settings.Proxy,
            TimeProvider.System);
        var doctor = new DoctorStratum1s(parents, connector, names, new LoopGuard(settings.Proxy), settings.Proxy.LookupTimeout);
        return Judge(
            await Task.WhenAll(ClusterSections.Of(configuration).Where(cluster => clusters.Contains(cluster.Key))
                .SelectMany(cluster =>
                ClusterSections.Stratum1s(cluster).Select(d => (Address: d["Address"]!.TrimEnd('/'), Cluster: cluster.Key)))
                .GroupBy(s => (s.Address.ToLowerInvariant(), parents.Of(s.Cluster)))
                .Select(async same => (same.Select(s => s.Cluster).ToArray(),
                    await doctor.CheckAsync(same.First().Address, same.First().Cluster, cancellationToken)))),
            needed);
    }

    /// <summary>
    /// One Stratum 1 that is down is no worry while another of its cluster answers. All of a cluster that the site needs are a failure.
    /// </summary>
    /// <param name="stratum1s">Each with the clusters that it is in.</param>
    /// <param name="needed">The clusters that the site needs.</param>
    internal static DoctorCheck[] Judge(IReadOnlyList<(string[] Clusters, DoctorCheck Check)> stratum1s, IReadOnlySet<string> needed)
    {
        var dead = stratum1s.SelectMany(one => one.Clusters.Select(cluster => (Cluster: cluster, one.Check.IsDown)))
            .GroupBy(one => one.Cluster, StringComparer.OrdinalIgnoreCase)
            .Where(cluster => needed.Contains(cluster.Key) && cluster.All(one => one.IsDown))
            .Select(cluster => cluster.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return [.. stratum1s.Select(one => one.Clusters.FirstOrDefault(dead.Contains) is { } cluster
            ? one.Check with { Level = CheckLevel.Failure, Found = $"{one.Check.Found} (and no other of the cluster '{cluster}' answers)" }
            : one.Check)];
    }

    /// <summary>Checks one.</summary>
    /// <param name="address">Its URL, without a slash at the end.</param>
    /// <param name="cluster">The cluster by whose settings it is asked.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<DoctorCheck> CheckAsync(string address, string cluster, CancellationToken cancellationToken)
    {
        ParentProxy? parent = parents.IsBypassed(cluster, new Uri(address)) ? null : parents.Of(cluster);
        string way = parent is null ? "" : $" by {parent}";
        string name = "Stratum 1 " + new Uri(address).Authority;
        (TimeSpan lookup, DoctorCheck? lookupFailed) =
            await LookUpAsync(name, (parent?.Address ?? new Uri(address)).IdnHost, cancellationToken);
        if (lookupFailed is not null)
        {
            return lookupFailed;
        }

        try
        {
            IWebProxy? proxy = parent is null ? null : new ParentChoice(parents, cluster, new WebProxy(parent.Address));
            var handler =
                new SocketsHttpHandler { UseProxy = proxy is not null, Proxy = proxy, ConnectCallback = connector.ConnectConfiguredAsync };
            using var http = new HttpClient(new ClusterHandler(cluster, handler, handler, proxy, parents, loops)) { Timeout = s_patience };
            long start = Stopwatch.GetTimestamp();
            using HttpResponseMessage response =
                await http.GetAsync(new Uri(address + "/cvmfs/info/v1/repositories.json"), cancellationToken);
            return Judge(name, way, response, Stopwatch.GetElapsedTime(start), lookup);
        }
        catch (Exception e) when (DoctorReach.Prohibited(name, e) is { } prohibited)
        {
            return prohibited;
        }
        catch (ParentProxyException e)
        {
            return new DoctorCheck(name, CheckLevel.Warning, e.Message,
                "correct the parent proxy of this cluster (HttpClient:WebProxy), or ask who runs it")
            { IsDown = true };
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            if (parent is not null)
            {
                return new DoctorCheck(name, CheckLevel.Warning, (e is TaskCanceledException ? "no answer in 4 s" : e.Message) + way,
                    "is the parent proxy right and does it allow this host? Else take the Stratum 1 out of its cluster")
                {
                    IsDown = true,
                };
            }

            var target = new Uri(address);
            (string found, string next) = DoctorReach.Of(e, target.IdnHost, target.Port, s_patience.TotalSeconds);
            return new DoctorCheck(name, CheckLevel.Warning, found, next) { IsDown = true };
        }
    }

    /// <summary>How long the name took, or what is wrong with it: a slow resolver looks like a slow Stratum 1 from afar.</summary>
    private async Task<(TimeSpan Took, DoctorCheck? Failed)> LookUpAsync(string name, string host, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            await names.ResolveAsync(host, cancellationToken).WaitAsync(lookupTimeout, cancellationToken);
            return (Stopwatch.GetElapsedTime(start), null);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or TimeoutException)
        {
            string what = e is TimeoutException
                ? string.Create(CultureInfo.InvariantCulture, $"no answer in {lookupTimeout.TotalSeconds:0.#} s")
                : e.Message;
            return (default, new DoctorCheck(
                name,
                CheckLevel.Warning,
                $"DNS: the name {host} cannot be looked up: {what}",
                DoctorReach.NameNext)
            {
                IsDown = true,
            });
        }
    }

    private static DoctorCheck Judge(string name, string way, HttpResponseMessage response, TimeSpan took, TimeSpan lookup)
    {
        TimeSpan? skew = DateTimeOffset.UtcNow - response.Headers.Date;
        if (skew?.Duration() > s_maxSkew)
        {
            return new DoctorCheck(name, CheckLevel.Warning, $"its clock and ours differ by {skew.Value.Duration():c}",
                "check chrony or ntpd here: whitelists are judged by this clock");
        }

        string clock = skew is null ? "it does not tell the time" : "clocks agree";
        string found = string.Create(CultureInfo.InvariantCulture, $"answers in {took.TotalMilliseconds:0} ms{way}, {clock}");
        return response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.NotFound)
            ? new DoctorCheck(name, CheckLevel.Warning, $"answered {(int)response.StatusCode}{way}",
            "a firewall or parent proxy may be in between")
            { IsDown = (int)response.StatusCode >= 500 }
            : lookup > s_slowLookup
            ? new DoctorCheck(
                name, CheckLevel.Warning,
                string.Create(CultureInfo.InvariantCulture, $"{found}, but looking its name up took {lookup.TotalSeconds:0.0} s"),
                "a nameserver in /etc/resolv.conf does not answer: take it out, or put it behind the one that does")
            : new DoctorCheck(name, CheckLevel.Ok, found);
    }
}
