namespace Breakwater.ClusterSim;

/// <summary>What a run came to.</summary>
/// <param name="Nodes">Nodes at the beginning.</param>
/// <param name="Vms">Machines.</param>
/// <param name="Fault">What happened.</param>
/// <param name="Booted">Machines that booted.</param>
/// <param name="Objects">Distinct objects that were asked for.</param>
/// <param name="UpstreamRequests">Requests to Stratum 1s.</param>
/// <param name="Copies"><paramref name="UpstreamRequests"/> by <paramref name="Objects"/>.</param>
/// <param name="LostUpstreamRequests">Of them, those for what went with a store, or stands still with a node.</param>
/// <param name="CopiesWithoutLost"><paramref name="Copies"/> without those.</param>
/// <param name="Borrowed">Objects that came from other nodes.</param>
/// <param name="Moved">Of them, those that a new owner had from the node that owned them before.</param>
/// <param name="MovedShare">The share of all objects with another owner after a join; 0: nobody joined.</param>
/// <param name="MovedLimit">What it may be: 1.1 by the nodes that there are then.</param>
/// <param name="VmBytesMaxByMean">Bytes to machines of the busiest node by the mean of those that lived all the time.</param>
/// <param name="OwnerEgressMaxByMean">Bytes to other nodes of the busiest owner by the mean.</param>
/// <param name="OwnerEgressPeakMBps">The most that one node sent to others within a second.</param>
/// <param name="VmEgressPeakMBps">The most that one node sent to machines within a second.</param>
/// <param name="Strikes">Strikes that nodes gave each other.</param>
/// <param name="Hedges">Second nodes that were asked beside a silent owner.</param>
/// <param name="LongestWaitSeconds">The longest that a machine waited for one object.</param>
/// <param name="MedianBootSeconds">Half of the boots were quicker.</param>
/// <param name="SlowestBootSeconds">The slowest boot.</param>
/// <param name="Digest">Of all that happened: two runs with one seed have the same.</param>
internal sealed record SimResult(
    int Nodes, int Vms, string Fault, int Booted, int Objects, int UpstreamRequests, double Copies,
    int LostUpstreamRequests, double CopiesWithoutLost, long Borrowed, long Moved, double MovedShare, double MovedLimit,
    double VmBytesMaxByMean, double OwnerEgressMaxByMean, double OwnerEgressPeakMBps,
    double VmEgressPeakMBps, long Strikes, long Hedges, double LongestWaitSeconds, double MedianBootSeconds, double SlowestBootSeconds,
    string Digest);
