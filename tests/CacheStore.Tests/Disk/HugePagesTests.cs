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

        List<Mapping> mappings = Mappings();
        int at = mappings.FindIndex(m => m.Start <= AddressInHeap && AddressInHeap < m.End);
        Assert.True(mappings[at].IsHuge, $"{mappings[at]}");
        Assert.False(mappings[0].IsHuge);
        Assert.False(mappings[^1].IsHuge);
        Assert.DoesNotContain(mappings, static m => m.IsHuge && !m.IsAnonymous);

        // What is reserved behind it is asked for as well: the heap grows into that.
        for (; mappings[at + 1].IsAnonymous && mappings[at + 1].Start == mappings[at].End; at++)
        {
            Assert.True(mappings[at + 1].IsHuge, $"{mappings[at + 1]}");
        }
    }

    [Theory]
    [InlineData(0x0fff, 0, 0)]
    [InlineData(0x1000, 0x1000, 0x2000)] // one alone
    [InlineData(0x1fff, 0x1000, 0x2000)]
    [InlineData(0x2000, 0, 0)] // a gap
    [InlineData(0x3000, 0x3000, 0x5000)] // what is committed, and what is reserved behind it
    [InlineData(0x4fff, 0x3000, 0x5000)]
    [InlineData(0x5000, 0, 0)] // a file, though without a gap
    [InlineData(0x6000, 0x6000, 0x7000)]
    [InlineData(0x7000, 0, 0)] // it has a name
    [InlineData(0x8000, 0x8000, 0x9000)] // the last
    public void RunAround_AnAddress_IsItsNeighboursUpToAGapOrAFile(long address, long start, long end)
    {
        (nint, nint)? run = HugePages.RunAround((nint)address, [
            "1000-2000 rw-p 00000000 00:00 0", "3000-4000 rw-p 00000000 00:00 0 ", "4000-5000 ---p 00000000 00:00 0 ",
            "5000-6000 r--p 00000000 fe:00 77   /lib/libc.so.6", "6000-7000 rw-p 00000000 00:00 0",
            "7000-8000 rw-p 00000000 00:00 0   [heap]", "8000-9000 rw-p 00000000 00:00 0"]);

        Assert.Equal(end == 0 ? null : ((nint)start, (nint)end), run);
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

    private static List<Mapping> Mappings()
    {
        List<Mapping> mappings = [];
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] range = fields[0].Split('-');
            if (range.Length == 2)
            {
                mappings.Add(new Mapping(
                    nint.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                    (nint)nuint.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                    fields.Length == 5 && fields[4] == "0", false));
            }
            else if (line.StartsWith("VmFlags:", StringComparison.Ordinal))
            {
                mappings[^1] = mappings[^1] with { IsHuge = line.Contains(" hg ", StringComparison.Ordinal) };
            }
        }

        return mappings;
    }

    private sealed record Mapping(nint Start, nint End, bool IsAnonymous, bool IsHuge);
}
