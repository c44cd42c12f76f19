using System.Net;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// One of YARP's active health policies that also tells <see cref="Stratum1Outcomes"/> how each probe ended: after one failed probe
/// the policy still calls a destination healthy, which is no proof that it ever answered. A health path that is not there (a bucket, a
/// plain web server) is an answer, too: it says that the server is up, and nothing against the files that it serves.
/// </summary>
internal sealed class WitnessedProbes(IActiveHealthCheckPolicy policy, Stratum1Outcomes outcomes) : IActiveHealthCheckPolicy
{
    /// <inheritdoc/>
    public string Name => policy.Name;

    /// <summary>Puts a witness before every policy that is registered so far.</summary>
    public static void Add(IServiceCollection services)
    {
        foreach (ServiceDescriptor registered in services.Where(s => s.ServiceType == typeof(IActiveHealthCheckPolicy)).ToList())
        {
            services.Remove(registered);
            services.AddSingleton<IActiveHealthCheckPolicy>(provider => new WitnessedProbes(
                (IActiveHealthCheckPolicy)ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!),
                provider.GetRequiredService<Stratum1Outcomes>()));
        }
    }

    /// <inheritdoc/>
    public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults)
    {
        // What the parent proxy fails says nothing of a Stratum 1.
        List<DestinationProbingResult> telling = [.. probingResults.Where(r => r.Exception is not ParentProxyException).Select(Judge)];
        foreach (DestinationProbingResult result in telling)
        {
            outcomes.NoteProbe(result.Destination, result.Response is { IsSuccessStatusCode: true });
        }

        policy.ProbingCompleted(cluster, telling);
    }

    private static DestinationProbingResult Judge(DestinationProbingResult result) =>
        result.Response is { } response && UpstreamQuestion.IsRefusal(response.StatusCode)
        ? new DestinationProbingResult(result.Destination, new HttpResponseMessage(HttpStatusCode.OK), null)
        : result;
}
