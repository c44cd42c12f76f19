namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>Why a datagram got no answer.</summary>
internal enum SnmpRefusal : byte
{
    /// <summary>It got one.</summary>
    None,

    /// <summary>It was no SNMP v1 or v2c request.</summary>
    Malformed,

    /// <summary>It named another community.</summary>
    WrongCommunity,
}
