using Breakwater.CacheStore;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>Stored copies that clients doubt.</summary>
public sealed class CopyCheckTests(SliceStore store) : IClassFixture<SliceStore>
{
    private const int Length = 100_000;
    private readonly FakeTimeProvider _time = new();

    /// <summary>What was found good is not looked at again for ten seconds.</summary>
    [Fact]
    public async Task IsGood_ACopyThatIsRight_IsForAWhile()
    {
        using var check = new CopyCheck(store.Store, new ProxyOptions(), _time);
        SyntheticObject item = await StoreAsync(1200);
        using ObjectLease lease = Open(item);
        Assert.True(await IsGoodAsync(check, item, lease));
        Assert.True(store.Store.Remove(item.Key));
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.True(await IsGoodAsync(check, item, lease));
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.False(await IsGoodAsync(check, item, lease)); // it is gone
    }

    [Fact]
    public async Task IsGood_TheCopyOfAnother_IsNot()
    {
        using var check = new CopyCheck(store.Store, new ProxyOptions(), _time);
        SyntheticObject item = await StoreAsync(1201);
        using ObjectLease lease = Open(await StoreAsync(1202));

        Assert.False(await IsGoodAsync(check, item, lease));
    }

    [Fact]
    public async Task IsGood_ACopyThatCannotBeRead_IsNot()
    {
        SyntheticObject item = await StoreAsync(1203);
        using ObjectLease lease = Open(item);
        await using var slices = new WatchedSlices(store.Store) { BeforeRead = () => throw new IOException("a bad sector") };
        using var check = new CopyCheck(slices, new ProxyOptions(), _time);

        Assert.False(await IsGoodAsync(check, item, lease));
        Assert.Equal(0, slices.Leases);
    }

    /// <summary>One copy is looked at at a time, however many are doubted.</summary>
    [Fact]
    public async Task IsGood_WhileAnotherIsLookedAt_WaitsForItsTurn()
    {
        (SyntheticObject first, SyntheticObject second) = (await StoreAsync(1204), await StoreAsync(1205));
        using ObjectLease ofFirst = Open(first);
        using ObjectLease ofSecond = Open(second);
        var gate = new Gate();
        await using var slices = new WatchedSlices(store.Store) { BeforeRead = gate.PassAsync };
        using var check = new CopyCheck(slices, new ProxyOptions(), _time);
        Task<bool> one = IsGoodAsync(check, first, ofFirst);
        Task<bool> other = IsGoodAsync(check, second, ofSecond);
        await gate.Reached;
        Assert.Equal(1, slices.Leases);
        gate.Open();

        Assert.True(await one);
        Assert.True(await other);
        Assert.Equal(0, slices.Leases);
    }

    private static Task<bool> IsGoodAsync(CopyCheck check, SyntheticObject item, ObjectLease lease) =>
        check.IsGoodAsync(item.Key, lease, null, default).InTimeAsync();

    private ObjectLease Open(SyntheticObject item) =>
        store.Store.TryOpen(item.Key, out ObjectLease? lease) ? lease : throw new InvalidOperationException("it is not stored");

    private async Task<SyntheticObject> StoreAsync(int seed)
    {
        var item = new SyntheticObject(Length, seed);
        await using ObjectWriter writer = store.Store.BeginWrite(item.Key, Length);
        Assert.Null(await writer.AppendAsync(item.Bytes));
        Assert.True(writer.Verify());
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync().InTimeAsync());
        return item;
    }
}
