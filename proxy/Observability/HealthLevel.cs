namespace Breakwater.Proxy.Observability;

/// <summary>How much a finding matters.</summary>
internal enum HealthLevel : byte
{
    /// <summary>All is well.</summary>
    Ready,

    /// <summary>Serving, but an operator should look.</summary>
    Degraded,

    /// <summary>Send no clients here.</summary>
    Unready,
}
