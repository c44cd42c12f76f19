using System.Net;
using Breakwater.Proxy.Access;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Access;

/// <summary>What is known of clients is bounded by those that are there, and is not forgotten too early.</summary>
public sealed class ClientLimitsTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    [Fact]
    public void Clients_ManyThatCameAndWent_AreForgotten()
    {
        ClientLimits limits = new(2, 10, _time);
        for (int i = 0; i < 5_000; i++)
        {
            IPAddress address = new([10, 1, (byte)(i >> 8), (byte)i]);
            Assert.True(limits.TryEnter(address));
            Assert.Equal(TimeSpan.Zero, limits.TakeTurn(address));
            limits.Leave(address);
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.InRange(limits.Known, 1, 250);
        _time.Advance(TimeSpan.FromSeconds(3));
        limits.TryEnter(IPAddress.Loopback);
        Assert.Equal(1, limits.Known);
        limits.Leave(IPAddress.Loopback);
        Assert.Equal(0, limits.Known);
    }

    [Fact]
    public void Client_ThatCameAnewAtOnce_HasNotWonItsTurnsBack()
    {
        ClientLimits limits = new(0, 1, _time);
        Assert.True(limits.TryEnter(IPAddress.Loopback));
        List<TimeSpan?> turns = [.. Enumerable.Range(0, 5).Select(_ => limits.TakeTurn(IPAddress.Loopback))];
        Assert.Equal([TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), null], turns);
        limits.Leave(IPAddress.Loopback);

        Assert.True(limits.TryEnter(IPAddress.Loopback));
        Assert.Null(limits.TakeTurn(IPAddress.Loopback));
        Assert.Equal(TimeSpan.Zero, limits.TakeTurn(IPAddress.IPv6Loopback));
    }

    [Fact]
    public void Client_WithoutAConnectionOfItsOwn_TakesTurnsAndIsForgotten()
    {
        ClientLimits limits = new(0, 1, _time);
        List<TimeSpan?> turns = [.. Enumerable.Range(0, 5).Select(_ => limits.TakeTurn(IPAddress.Loopback))];
        Assert.Equal([TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), null], turns);
        Assert.Equal(1, limits.Known);

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.Zero, limits.TakeTurn(IPAddress.IPv6Loopback));
        Assert.Equal(1, limits.Known);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public void Connections_ClientsThatOpenAllTheyCan_LeaveSomeToOthers(int greedy)
    {
        ClientLimits limits = new(0, 0, _time, connectionsInAll: 1000);
        int open = Enumerable.Range(0, 10_000).Count(i => limits.TryEnter(new IPAddress([10, 0, 0, (byte)(i % greedy)])));
        Assert.InRange(open, 700, 990);

        int others = Enumerable.Range(0, 1000).Count(i => limits.TryEnter(new IPAddress([10, 1, (byte)(i >> 8), (byte)i])));
        Assert.Equal(1000 - open, others);
    }

    [Fact]
    public void Connections_UpToTheLimit_AreLetInByAddressOrNetwork()
    {
        ClientLimits limits = new(2, 0, _time);
        IPAddress one = IPAddress.Parse("2001:db8::1");
        IPAddress same = IPAddress.Parse("2001:db8::ffff:ffff:ffff:ffff");
        IPAddress other = IPAddress.Parse("2001:db8:0:1::1");
        Assert.Equal((true, true, false, true),
            (limits.TryEnter(one), limits.TryEnter(same), limits.TryEnter(one), limits.TryEnter(other)));
        limits.Leave(same);
        Assert.Equal((true, false), (limits.TryEnter(one), limits.TryEnter(same)));
        Assert.Equal((true, true, false),
            (limits.TryEnter(IPAddress.Loopback), limits.TryEnter(IPAddress.Parse("::ffff:127.0.0.1")),
            limits.TryEnter(IPAddress.Loopback)));
    }

    [Fact]
    public void Replace_ByOtherLimits_CountsForWhoeverComesNext()
    {
        ClientLimits limits = new(0, 0, _time);
        Assert.False(limits.AreRequestsLimited);
        Assert.True(limits.TryEnter(IPAddress.Loopback));
        Assert.True(limits.TryEnter(IPAddress.Loopback));

        limits.Replace(1, 1);

        Assert.True(limits.AreRequestsLimited);
        Assert.False(limits.TryEnter(IPAddress.Loopback));
        Assert.True(limits.TryEnter(IPAddress.IPv6Loopback));
        Assert.False(limits.TryEnter(IPAddress.IPv6Loopback));
        Assert.Equal([0, 0, 1, 2, null], Enumerable.Range(0, 5).Select(_ => limits.TakeTurn(IPAddress.Loopback)?.TotalSeconds));
        Assert.Equal(TimeSpan.Zero, limits.TakeTurn(null));

        limits.Replace(0, 0);
        Assert.True(limits.TryEnter(IPAddress.Loopback));
        Assert.Equal(TimeSpan.Zero, limits.TakeTurn(IPAddress.Loopback));
    }

    /// <summary>As soon as it may send a second's worth at once again, coming anew wins nothing.</summary>
    [Fact]
    public void Client_WithoutAConnection_IsForgottenWhenItsTurnsAreAllBack()
    {
        ClientLimits limits = new(0, 1, _time);
        Assert.Equal(TimeSpan.Zero, limits.TakeTurn(IPAddress.Parse("10.0.0.1")));
        _time.Advance(TimeSpan.FromSeconds(1) - TimeSpan.FromMilliseconds(1));
        Assert.True(limits.TryEnter(IPAddress.Parse("10.0.0.2")));
        Assert.Equal(2, limits.Known);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(limits.TryEnter(IPAddress.Parse("10.0.0.2")));
        Assert.Equal(1, limits.Known);
    }

    /// <summary>It waits to be forgotten already when its own connection ends: it must not wait twice.</summary>
    [Fact]
    public void Client_ThatABalancerAskedFor_ThenCameItself_IsForgottenOnce()
    {
        ClientLimits limits = new(0, 1, _time);
        Assert.NotNull(limits.TakeTurn(IPAddress.Parse("10.0.0.1")));
        Assert.NotNull(limits.TakeTurn(IPAddress.Parse("10.0.0.2")));
        Assert.True(limits.TryEnter(IPAddress.Parse("10.0.0.2")));
        limits.Leave(IPAddress.Parse("10.0.0.2"));
        Assert.Equal(2, limits.Known);

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(limits.TryEnter(IPAddress.Parse("10.0.0.3")));
        Assert.Equal(1, limits.Known);
    }

    [Fact]
    public void Connections_InAll_AreGivenBackToWhoeverComesNext()
    {
        ClientLimits limits = new(0, 0, _time, connectionsInAll: 2);
        Assert.Equal((true, true, false),
            (limits.TryEnter(Address(1)), limits.TryEnter(Address(2)), limits.TryEnter(Address(3))));

        limits.Leave(Address(1));

        Assert.Equal((true, false), (limits.TryEnter(Address(3)), limits.TryEnter(Address(4))));

        static IPAddress Address(byte last) => new([10, 0, 0, last]);
    }
}
