namespace Breakwater.Proxy.Admin;

/// <summary>Requests and body bytes, since the start.</summary>
internal sealed record ResultStatus(string Result, long Requests, long Bytes);
