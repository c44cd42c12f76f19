using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Fetching;

/// <summary>What <see cref="FetchCoordinator.JoinOrStart"/> found; exactly one is not null. Whoever gets it disposes it.</summary>
/// <param name="Lease">The store has it after all.</param>
/// <param name="Follower">A fetch is under way.</param>
/// <param name="Failure">A remembered 404.</param>
internal readonly record struct FetchTicket(ObjectLease? Lease, FetchFollower? Follower, UpstreamFailure? Failure);
