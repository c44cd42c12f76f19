namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>SNMP's types, by the tags with which BER writes them (RFC 2578, RFC 3416).</summary>
internal enum SnmpType : byte
{
    /// <summary>INTEGER, 32 bits with sign.</summary>
    Integer,

    /// <summary>OCTET STRING.</summary>
    Text,

    /// <summary>Counter32: begins again at 0 after 2^32 - 1.</summary>
    Counter,

    /// <summary>Gauge32: stays at 2^32 - 1 when there is more.</summary>
    Gauge,

    /// <summary>TimeTicks: hundredths of a second, modulo 2^32.</summary>
    Ticks,

    /// <summary>NULL: what stands beside a name in an answer that reports an error.</summary>
    Unspecified,

    /// <summary>What a v2c GET answers for a name that is not here.</summary>
    NoSuchObject,

    /// <summary>What a v2c GETNEXT or GETBULK answers behind the last name.</summary>
    EndOfMibView,
}
