namespace Breakwater.Proxy.Exchanges;

/// <summary>A part of a body that was asked for and whose head has yet to come.</summary>
/// <param name="Plan">The part; its end is known.</param>
/// <param name="IsForNode">It is for another node of the site: it waits for no node.</param>
/// <param name="Coming">The feed, when its head has come; null: it cannot be had.</param>
internal sealed record AskedPart(RangePlan Plan, bool IsForNode, Task<BodyFeed?> Coming);
