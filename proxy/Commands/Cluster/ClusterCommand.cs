using System.CommandLine;

namespace Breakwater.Proxy.Commands.Cluster;

/// <summary><c>breakwater cluster</c>: several machines as one cache.</summary>
internal static class ClusterCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create() => new("cluster", "Several machines as one cache: docs/operate/cluster.md.")
    {
        ClusterStatusCommand.Create(), ClusterStatusCommand.CreateLeave(), ClusterStatusCommand.CreateJoin(),
        ClusterCertificatesCommand.Create(),
    };
}
