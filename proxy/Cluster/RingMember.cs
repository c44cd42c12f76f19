namespace Breakwater.Proxy.Cluster;

/// <summary>One node as the ring knows it.</summary>
/// <param name="Id">The id that it announces: addresses of pods change, stores do not.</param>
/// <param name="Weight">Its share against the others' weights; above zero.</param>
internal sealed record RingMember(string Id, double Weight = 1);
