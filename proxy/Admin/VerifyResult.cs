using System.Runtime.CompilerServices;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Faster;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Admin;

/// <summary>What a verification found.</summary>
internal sealed record VerifyResult(long Objects, long Bytes, IReadOnlyList<string> Damaged, bool IsRepaired);
