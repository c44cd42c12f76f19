namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>What a request asks for: the tag of its PDU (RFC 3416, 3).</summary>
internal enum SnmpOperation : byte
{
    Get = 0,
    GetNext = 1,
    Response = 2,
    Set = 3,
    GetBulk = 5,
}
