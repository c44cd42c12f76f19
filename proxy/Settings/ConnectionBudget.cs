namespace Breakwater.Proxy.Settings;

/// <summary>How many connections may be open.</summary>
/// <param name="Connections">Of clients.</param>
/// <param name="PassedThrough">To Stratum 1s, for files that are passed through.</param>
internal sealed record ConnectionBudget(int Connections, int PassedThrough)
{
    /// <summary>What the settings and the limit of open files allow.</summary>
    public static ConnectionBudget For(BreakwaterSettings settings, int storeFiles)
    {
        ProxyOptions proxy = settings.Proxy;
        int fetches = proxy.MaxConcurrentFetches + (settings.HasOrdinaryHttp ? settings.Http.MaxConcurrentFetches : 0);
        long? limit = DescriptorBudget.Limit();
        int connections = DescriptorBudget.Connections(proxy.MaxConnections, fetches, storeFiles, limit);
        return new ConnectionBudget(connections, DescriptorBudget.PassedThrough(fetches, storeFiles, limit));
    }
}
