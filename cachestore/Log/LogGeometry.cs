namespace Breakwater.CacheStore.Log;

/// <summary>Sizes of a log, fixed when it is made.</summary>
/// <param name="PageSizeBits">An entry fits into a page.</param>
/// <param name="MemorySizeBits">Pages in memory before writers wait for the disk.</param>
/// <param name="SegmentSizeBits">Size of a file.</param>
internal readonly record struct LogGeometry(int PageSizeBits, int MemorySizeBits, int SegmentSizeBits);
