using System.Globalization;
using Breakwater.CacheStore.Disk;

namespace Breakwater.CacheStore.Tests.Disk;

public sealed class HugePagesTests
{
    /// <summary>The kernel is asked for huge pages ("hg") where the heap is, and nowhere else.</summary>
    [Fact]
    public void AdviseHeap_AsksForTheHeapAlone()
    {
        if (!File.Exists("/sys/kernel/mm/transparent_hugepage/enabled"))
        {
            return; // a kernel without them
        }

        HugePages.AdviseHeap();

        List<(nint Start, nint End, bool IsHuge)> mappings = Mappings();
        (nint start, nint end, bool isHuge) = mappings.Find(m => m.Start <= AddressInHeap && AddressInHeap < m.End);
        Assert.True(isHuge, $"{start:x}-{end:x}");
        Assert.False(mappings[0].IsHuge);
        Assert.False(mappings[^1].IsHuge);
    }

    private static unsafe nint AddressInHeap { get; } = GetAddressInHeap();

    private static unsafe nint GetAddressInHeap()
    {
        byte[] pinned = GC.AllocateUninitializedArray<byte>(1, pinned: true);
        fixed (byte* start = pinned)
        {
            return (nint)start;
        }
    }

    private static List<(nint Start, nint End, bool IsHuge)> Mappings()
    {
        List<(nint Start, nint End, bool IsHuge)> mappings = [];
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] range = line.Split(' ')[0].Split('-');
            if (range.Length == 2)
            {
                mappings.Add((
                    nint.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                    (nint)nuint.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), false));
            }
            else if (line.StartsWith("VmFlags:", StringComparison.Ordinal))
            {
                mappings[^1] = mappings[^1] with { IsHuge = line.Contains(" hg ", StringComparison.Ordinal) };
            }
        }

        return mappings;
    }
}
