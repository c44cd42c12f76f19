namespace Breakwater.Proxy.Admin;

/// <summary>What a purge did.</summary>
/// <param name="PurgedUrls">URLs whose answers were forgotten.</param>
internal sealed record PurgeResult(int PurgedUrls);
