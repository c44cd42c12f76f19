namespace Breakwater.CacheStore;

/// <summary>A contiguous run of an object's bytes in mapped memory; valid while the lease is held.</summary>
/// <param name="Address">First byte.</param>
/// <param name="Length">Length of the run, bytes, at least 1.</param>
public readonly record struct MappedRun(nint Address, int Length)
{
    /// <summary>
    /// Is all of it in the page cache, so that nobody who touches it waits for the disk? A hint: it may leave at any time.
    /// </summary>
    public bool IsResident() => Disk.Posix.IsResident(Address, Length);
}
