using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore;

/// <summary>A contiguous run of an object's bytes in a segment file; valid while the lease is held.</summary>
/// <param name="Handle">The open file; not to be closed.</param>
/// <param name="FileOffset">Offset in the file, bytes.</param>
/// <param name="Length">Length of the run, bytes, at least 1.</param>
public readonly record struct ObjectFileRange(SafeFileHandle Handle, long FileOffset, int Length);
