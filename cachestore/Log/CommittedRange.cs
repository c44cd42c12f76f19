namespace Breakwater.CacheStore.Log;

/// <summary>What a commit of a log made durable.</summary>
/// <param name="BeginAddress">The first address that is still alive.</param>
/// <param name="UntilAddress">The address after the last durable byte.</param>
/// <param name="PageSizeBits">Page size of the log: entries do not cross pages.</param>
/// <param name="SegmentSizeBits">Size of a segment file.</param>
internal readonly record struct CommittedRange(long BeginAddress, long UntilAddress, int PageSizeBits, int SegmentSizeBits);
