using System.Runtime.InteropServices;

namespace Breakwater.CacheStore.Disk;

/// <summary>Memory that was freed and that the C library keeps for the next who wants some.</summary>
internal static partial class FreedMemory
{
    /// <summary>Gives its pages back to the system. Nothing where the C library has no such call.</summary>
    public static void GiveBack()
    {
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl, which keeps less
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint kept);
}
