namespace Breakwater.Proxy.Admin;

/// <summary>What a verification found.</summary>
internal sealed record VerifyResult(long Objects, long Bytes, IReadOnlyList<string> Damaged, bool IsRepaired);
