using System.Net;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Tests.Access;

public class ClientAccessTests
{
    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("192.168.7.9", true)]
    [InlineData("172.31.255.255", true)]
    [InlineData("fd00::1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("172.32.0.0", false)]
    [InlineData("8.8.8.8", false)]
    [InlineData("::ffff:8.8.8.8", false)]
    [InlineData("2001:db8::1", false)]
    public void Allows_DefaultNetworks_AreLoopbackAndPrivate(string client, bool expected) =>
        Assert.Equal(expected, new ClientAccess(AccessOptions.DefaultClients).Allows(IPAddress.Parse(client)));

    [Fact]
    public void Allows_NoAddress_IsRefused() => Assert.False(new ClientAccess(AccessOptions.DefaultClients).Allows(null));
}
