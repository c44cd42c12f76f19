using Breakwater.CacheStore.Spooling;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests.Spooling;

/// <summary>The window of memory over a body that the store does not take, without a follower.</summary>
public sealed class OverflowWindowTests
{
    private const int Piece = OverflowWindow.OwnBytes / 2;

    [Fact]
    public async Task Read_OfAnyByte_EndsWithItsPiece()
    {
        OverflowWindow window = new(new OverflowBudget(0), TimeProvider.System);
        Assert.Equal((false, -1L), (window.HasBegun, window.Begun));
        Assert.False(window.Covers(0));
        window.Begin(0);
        Assert.Equal((true, 0L, false), (window.HasBegun, window.Begun, window.HasLostBytes));
        Assert.True(window.Covers(0));
        Assert.Equal(0, window.Read(0, new byte[10]));
        await window.AppendAsync(new byte[] { 1, 2, 3 }, default);
        await window.AppendAsync(new byte[] { 4, 5 }, default);
        Assert.Equal([1, 2, 3], Read(window, 0, 10));
        Assert.Equal([1, 2], Read(window, 0, 2));
        Assert.Equal([3], Read(window, 2, 10));
        Assert.Equal([4, 5], Read(window, 3, 10));
        Assert.Equal([5], Read(window, 4, 10));
        Assert.Empty(Read(window, 5, 10));
        Assert.Empty(Read(window, 99, 10));
    }

    [Fact]
    public async Task Window_ThatBeginsLater_CoversWhatIsBehindIt()
    {
        OverflowWindow window = new(new OverflowBudget(0), TimeProvider.System);
        window.Begin(1000);
        await window.AppendAsync(new byte[] { 1, 2, 3 }, default);
        Assert.Equal((false, true, true), (window.Covers(999), window.Covers(1000), window.Covers(1002)));
        Assert.Equal([2, 3], Read(window, 1001, 10));
        Assert.Throws<IOException>(() => window.Read(999, new byte[1]));
        Assert.False(window.HasLostBytes);
    }

    [Fact]
    public async Task Window_BeyondItsOwnBytes_BorrowsAndGivesBackAtItsEnd()
    {
        OverflowBudget budget = new(OverflowWindow.OwnBytes);
        OverflowWindow window = new(budget, TimeProvider.System);
        window.Begin(0);
        long[] taken = new long[4];
        for (int i = 0; i < 4; i++)
        {
            await window.AppendAsync(new byte[Piece], default).AsTask().InTimeAsync();
            taken[i] = budget.Taken;
        }

        Assert.Equal([0, 0, Piece, 2 * Piece], taken);
        Assert.False(window.HasLostBytes);
        window.Close();
        Assert.Equal(0, budget.Taken);
        Assert.Throws<IOException>(() => window.Read(0, new byte[1]));
        Assert.Equal(0, window.Read(4 * Piece, new byte[1]));
    }

    /// <summary>Once the budget is used up, half of what is a window's own is kept, and all that it borrowed goes back.</summary>
    [Fact]
    public async Task Window_BeyondTheBudget_LosesItsOldestPieces()
    {
        OverflowBudget budget = new(OverflowWindow.OwnBytes);
        OverflowWindow window = new(budget, TimeProvider.System);
        window.Begin(0);
        for (byte i = 0; i < 5; i++)
        {
            await window.AppendAsync(Enumerable.Repeat(i, Piece).ToArray(), default).AsTask().InTimeAsync();
        }

        Assert.Equal(0, budget.Taken);
        Assert.True(window.HasLostBytes);
        Assert.Throws<IOException>(() => window.Read((3 * Piece) - 1, new byte[1]));
        Assert.Equal([3], Read(window, 3 * Piece, 1));
        Assert.Equal([4], Read(window, (5 * Piece) - 1, 1));
        await window.AppendAsync(new byte[1], default).AsTask().InTimeAsync();
        Assert.Equal(1, budget.Taken);
        Assert.Equal([3], Read(window, 3 * Piece, 1));
    }

    /// <summary>Where others have all of the budget, a window goes on within its own bytes.</summary>
    [Fact]
    public async Task Window_WithoutBudget_GoesOnWithinItsOwn()
    {
        OverflowBudget budget = new(0);
        OverflowWindow window = new(budget, TimeProvider.System);
        window.Begin(0);
        for (int i = 0; i < 9; i++)
        {
            await window.AppendAsync(new byte[Piece], default).AsTask().InTimeAsync();
        }

        Assert.Equal(0, budget.Taken);
        Assert.Equal([0], Read(window, 7 * Piece, 1));
        Assert.Throws<IOException>(() => window.Read((7 * Piece) - 1, new byte[1]));
        window.Close();
        Assert.Equal(0, budget.Taken);
    }

    private static byte[] Read(OverflowWindow window, long offset, int wanted)
    {
        byte[] buffer = new byte[wanted];
        return buffer[..window.Read(offset, buffer)];
    }
}
