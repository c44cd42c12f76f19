using System.Globalization;
using System.Runtime.CompilerServices;

namespace Breakwater.CacheStore.Disk;

/// <summary>
/// Huge pages for the managed heap. A large index is hundreds of MiB that are touched for the first time at a start, and at random from
/// then on: with pages of 4 KiB that is a page fault for 85 objects, and a miss of the processor's address cache for each lookup.
/// </summary>
internal static class HugePages
{
    /// <summary>
    /// Asks the kernel to back what the garbage collector reserved for its heap, and does not use yet, with huge pages where it can. Only
    /// what is committed is ever backed, so this costs no memory to speak of. Of no consequence where the kernel does not do it, or does it
    /// anyway.
    /// </summary>
    public static void AdviseHeap()
    {
        try
        {
            if (RunAround(AddressInHeap(), File.ReadLines("/proc/self/maps")) is (nint start, nint end))
            {
                Posix.AdviseHuge(start, end - start);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // no /proc, or not as we know it: small pages
        }
    }

    /// <summary>Anonymous neighbours without a gap around an address: the reservation, of which parts are committed. Null: none.</summary>
    /// <param name="address">The address.</param>
    /// <param name="maps">Lines of <c>/proc/self/maps</c>.</param>
    internal static (nint Start, nint End)? RunAround(nint address, IEnumerable<string> maps)
    {
        (nint Start, nint End)? run = null;
        foreach (string line in maps)
        {
            (nint start, nint end, bool isAnonymous) = Parse(line);
            if (isAnonymous && run?.End == start)
            {
                run = (run.Value.Start, end);
                continue;
            }

            if (Holds(run, address))
            {
                break;
            }

            run = isAnonymous ? (start, end) : null;
        }

        return Holds(run, address) ? run : null;
    }

    private static bool Holds((nint Start, nint End)? run, nint address) =>
        run is (nint start, nint end) && start <= address && address < end;

    private static unsafe nint AddressInHeap()
    {
        byte[] pinned = GC.AllocateUninitializedArray<byte>(1, pinned: true);
        return (nint)Unsafe.AsPointer(ref pinned[0]);
    }

    /// <summary>A line is <c>7f35-7f36 rw-p 00000000 00:00 0   [name]</c>; anonymous: inode 0 and no name.</summary>
    private static (nint Start, nint End, bool IsAnonymous) Parse(string line)
    {
        string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] range = fields[0].Split('-');
        return (nint.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            nint.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            fields.Length == 5 && fields[4] == "0");
    }
}
