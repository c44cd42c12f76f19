using Breakwater.CacheStore.Disk;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.CacheStore.Tests.Disk;

/// <summary>A pool must not keep for ever what a machine needed in its busiest minute.</summary>
public sealed unsafe class BlockPoolTests : IDisposable
{
    private static readonly int s_block = BlockPool.CapacityFor(256 << 10);

    private readonly FakeTimeProvider _time = new();
    private readonly BlockPool _memory;

    public BlockPoolTests() => _memory = new BlockPool(_time);

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Kept_AfterABurst_IsWhatWasNeededSince()
    {
        Use(100);
        Assert.Equal(100L * s_block, _memory.KeptBytes);

        _time.Advance(TimeSpan.FromSeconds(11)); // from now on it is seen what is needed
        for (int i = 0; i < 5; i++)
        {
            Use(7);
            _time.Advance(TimeSpan.FromSeconds(2));
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(7L * s_block, _memory.KeptBytes);
    }

    [Fact]
    public void Kept_WhenNobodyNeedsAny_GoesWithoutAnybodyAsking()
    {
        Use(100);
        Pass(seconds: 30);
        Assert.Equal(0, _memory.KeptBytes);

        Use(3); // and once more
        Assert.Equal(3L * s_block, _memory.KeptBytes);
        Pass(seconds: 30);
        Assert.Equal(0, _memory.KeptBytes);
    }

    [Fact]
    public void Kept_BeyondTheMost_IsFreedAtOnce()
    {
        Use(1000);
        Assert.InRange(_memory.KeptBytes, (48L << 20) - s_block, 48L << 20);
    }

    /// <summary>A timer that starts again while time is advanced counts from where that ends.</summary>
    private void Pass(int seconds)
    {
        for (; seconds > 0; seconds--)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private void Use(int blocks)
    {
        nint[] taken = new nint[blocks];
        for (int i = 0; i < blocks; i++)
        {
            taken[i] = (nint)_memory.Rent(s_block);
        }

        foreach (nint block in taken)
        {
            _memory.Return((byte*)block, s_block);
        }
    }
}
