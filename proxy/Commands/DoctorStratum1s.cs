using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Breakwater.Proxy.Commands;

/// <summary>The doctor's look at the Stratum 1s, on the way that the proxy takes: by the cluster's parent proxy where it has one, else directly.</summary>
internal static class DoctorStratum1s
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_maxSkew = TimeSpan.FromMinutes(5);

    /// <summary>One check for each address and way.</summary>
    public static async Task<DoctorCheck[]> CheckAsync(IConfiguration configuration, CancellationToken cancellationToken) =>
        await Task.WhenAll(configuration.GetSection("ReverseProxy:Clusters").GetChildren()
            .SelectMany(cluster => cluster.GetSection("Destinations").GetChildren()
                .Select(d => (Address: d["Address"]!.ToLowerInvariant(), Parent: cluster["HttpClient:WebProxy:Address"])))
            .Distinct()
            .Select(s => CheckAsync(s.Address, s.Parent, cancellationToken)));

    private static async Task<DoctorCheck> CheckAsync(string address, string? parent, CancellationToken cancellationToken)
    {
        string way = parent is null ? "" : $" by {parent}";
        string name = "Stratum 1 " + new Uri(address).Authority;
        try
        {
            using var handler = new SocketsHttpHandler { UseProxy = parent is not null, Proxy = parent is null ? null : new WebProxy(new Uri(parent)) };
            using var http = new HttpClient(handler) { Timeout = s_patience };
            long start = Stopwatch.GetTimestamp();
            using HttpResponseMessage response = await http.GetAsync(new Uri(new Uri(address), "/cvmfs/info/v1/repositories.json"), cancellationToken);
            double ms = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            TimeSpan? skew = DateTimeOffset.UtcNow - response.Headers.Date;
            if (skew?.Duration() > s_maxSkew)
            {
                return new DoctorCheck(name, CheckLevel.Warning, $"its clock and ours differ by {skew.Value.Duration():c}", "check chrony or ntpd here: whitelists are judged by this clock");
            }

            string clock = skew is null ? "it does not tell the time" : "clocks agree";
            return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound
                ? new DoctorCheck(name, CheckLevel.Ok, string.Create(CultureInfo.InvariantCulture, $"answers in {ms:0} ms{way}, {clock}"))
                : new DoctorCheck(name, CheckLevel.Warning, $"answered {(int)response.StatusCode}{way}", "a firewall or parent proxy may be in between");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new DoctorCheck(
                name,
                CheckLevel.Warning,
                (e is TaskCanceledException ? "no answer in 4 s" : e.Message) + way,
                parent is null
                    ? "open the firewall to it, set a parent proxy (HttpClient:WebProxy), or take it out of its cluster"
                    : "is the parent proxy right and does it allow this host? Else take the Stratum 1 out of its cluster");
        }
    }
}
