using System.Net;
using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Tests.Access;

/// <summary>Who counts as one client, and how much of a bounded number one may have.</summary>
public sealed class ClientKeyTests
{
    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    [InlineData("2001:db8:1:ffff:ffff:ffff:ffff:ffff", "2001:db8:1:ffff::")]
    [InlineData("::1", "::")]
    public void Of_Address_IsItselfOrItsNetworkOf64Bits(string address, string key) =>
        Assert.Equal(IPAddress.Parse(key), ClientKey.Of(IPAddress.Parse(address)));

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(0, 1, true)]
    [InlineData(1, 1, false)]
    [InlineData(3, 2, true)]
    [InlineData(4, 2, false)]
    [InlineData(39, 11, true)]
    [InlineData(40, 11, false)]
    public void Share_OfOneClient_IsFourTimesWhatStaysFreeForOthers(int held, int free, bool isAllowed) =>
        Assert.Equal(isAllowed, ClientShare.Allows(held, free));
}
