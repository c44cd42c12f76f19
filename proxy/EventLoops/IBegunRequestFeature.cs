namespace Breakwater.Proxy.EventLoops;

/// <summary>A feature of connections that the loops lend to Kestrel: what they had begun with the request that Kestrel now has.</summary>
internal interface IBegunRequestFeature
{
    /// <summary>Hands over what was begun; null: nothing, or it was taken already. The caller disposes it.</summary>
    IAsyncDisposable? TakeWork();

    /// <summary>Takes <see cref="BegunRequest.StartedAt"/>; once, then 0: not known.</summary>
    long TakeStart();
}
