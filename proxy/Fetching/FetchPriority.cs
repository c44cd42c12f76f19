namespace Breakwater.Proxy.Fetching;

/// <summary>Who goes first when there are more fetches than may run at a time.</summary>
internal enum FetchPriority : byte
{
    /// <summary>A client waits for a catalog, certificate or history: a whole boot waits behind it.</summary>
    Catalog = 0,

    /// <summary>A client waits.</summary>
    Demand = 1,

    /// <summary>Nobody waits yet.</summary>
    Prefetch = 2,
}
