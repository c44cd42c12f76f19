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
