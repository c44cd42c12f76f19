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
            nint heap = AddressInHeap();
            List<(nint Start, nint End)> run = []; // neighbours without a gap: the reservation, of which parts are committed
            foreach (string line in File.ReadLines("/proc/self/maps"))
            {
                (nint start, nint end, bool isAnonymous) = Parse(line);
                if (!isAnonymous || (run.Count > 0 && run[^1].End != start))
                {
                    if (Holds(run, heap))
                    {
                        break;
                    }

                    run.Clear();
                }

                if (isAnonymous)
                {
                    run.Add((start, end));
                }
            }

            if (Holds(run, heap))
            {
                Posix.AdviseHuge(run[0].Start, run[^1].End - run[0].Start);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // no /proc, or not as we know it: small pages
        }
    }

    private static bool Holds(List<(nint Start, nint End)> run, nint address) =>
        run.Count > 0 && run[0].Start <= address && address < run[^1].End;

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
