using System.Runtime.InteropServices;
using Breakwater.CacheStore.Index;

namespace Breakwater.CacheStore.Tests.Index;

public sealed class IndexEntryTests
{
    [Theory]
    [InlineData(0, 0, false, 0, 0)]
    [InlineData(4, 1, true, 1, 1)]
    [InlineData((1L << 59) - 4, IndexEntry.LengthLimit - 1, true, (1 << 23) - 1, 31)]
    [InlineData((1L << 59) - 4, 0, false, 0, 0)]
    [InlineData(0, IndexEntry.LengthLimit - 1, false, 0, 0)]
    [InlineData(0, 0, true, 0, 0)]
    [InlineData(0, 0, false, (1 << 23) - 1, 0)]
    [InlineData(0, 0, false, 0, 31)]
    [InlineData(64, 600_000, true, 5, 7)]
    public void Entry_OfAPlace_HasAllOfIt(long address, long length, bool isSealed, int ordinal, int owner)
    {
        IndexEntry entry = new(address, length, isSealed, (uint)ordinal, owner);
        Assert.Equal((address, length, isSealed), (entry.Address, entry.Length, entry.IsSealed));
        Assert.Equal(((uint)ordinal, owner), (entry.Ordinal, entry.Owner));
        Assert.Equal((16, 1L << 40), (Marshal.SizeOf<IndexEntry>(), IndexEntry.LengthLimit));
    }
}
