using Breakwater.CacheStore.Staging;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.CacheStore.Tests.Staging;

/// <summary>What a burst of writes took is given back when nobody needs it any more.</summary>
public sealed unsafe class StagingMemoryTests
{
    private const int Small = 16 << 10;
    private const int Large = 256 << 10;

    private readonly FakeTimeProvider _time = new();
    private readonly StagingMemory _memory;

    public StagingMemoryTests() => _memory = new StagingMemory(_time);

    [Theory]
    [InlineData(0, 256)]
    [InlineData(256, 256)]
    [InlineData(257, 512)]
    [InlineData(Small + 1, 2 * Small)]
    [InlineData(Large, Large)]
    public void Block_IsThePowerOfTwoThatHoldsTheBytes(int bytes, int capacity) =>
        Assert.Equal(capacity, StagingMemory.CapacityFor(bytes));

    [Fact]
    public void Burst_ThatIsOver_IsGivenBackAfterTwoRests()
    {
        TakeAndReturn(200, Small);
        TakeAndReturn(20, Large);
        Assert.Equal((200 * Small) + (20 * Large), _memory.KeptBytes);
        TrimLater();
        Assert.Equal((200 * Small) + (20 * Large), _memory.KeptBytes); // needed just now
        TrimLater();
        Assert.Equal(0, _memory.KeptBytes);
    }

    [Fact]
    public void Blocks_InUseNowAndThen_AreKeptAndNoMore()
    {
        TakeAndReturn(100, Small);
        for (int round = 0; round < 5; round++)
        {
            TakeAndReturn(3, Small);
            TrimLater();
        }

        Assert.Equal(3 * Small, _memory.KeptBytes);
    }

    [Fact]
    public void Trim_BeforeARestIsOver_GivesNothingBack()
    {
        TakeAndReturn(10, Large);
        TrimLater();
        _time.Advance(StagingMemory.Rest - TimeSpan.FromMilliseconds(1));
        _memory.Trim();
        Assert.Equal(10 * Large, _memory.KeptBytes);
    }

    [Fact]
    public void Blocks_BeyondTheLimit_AreNotKept()
    {
        TakeAndReturn((int)(StagingMemory.MostKeptBytes / Large) + 9, Large);
        Assert.Equal(StagingMemory.MostKeptBytes, _memory.KeptBytes);
        TrimLater();
        TrimLater();
        Assert.Equal(0, _memory.KeptBytes);
    }

    private void TrimLater()
    {
        _time.Advance(StagingMemory.Rest);
        _memory.Trim();
    }

    private void TakeAndReturn(int count, int capacity)
    {
        nint[] blocks = [.. Enumerable.Range(0, count).Select(_ => (nint)_memory.Rent(capacity))];
        foreach (nint block in blocks)
        {
            _memory.Return((byte*)block, capacity);
        }
    }
}
