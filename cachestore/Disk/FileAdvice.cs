namespace Breakwater.CacheStore.Disk;

/// <summary>Hints of posix_fadvise.</summary>
internal enum FileAdvice
{
    /// <summary>Reads will be random: no read-ahead.</summary>
    Random = 1,

    /// <summary>Reads will be sequential: more read-ahead.</summary>
    Sequential = 2,

    /// <summary>Will be read soon.</summary>
    WillNeed = 3,

    /// <summary>Not needed in the page cache any more.</summary>
    DontNeed = 4,
}
