namespace Breakwater.Proxy.Snapshots;

/// <summary>A stretch of a file.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct Stretch(long Offset, long Length);
