using System.Net;
using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Tests.Access;

public sealed class BalancersTests
{
    private static readonly IPAddress s_balancer = IPAddress.Parse("192.0.2.1");

    [Theory]
    [InlineData("10.1.2.4", "10.1.2.4")]
    [InlineData("203.0.113.9, 10.1.2.4", "10.1.2.4")]                  // what the client wrote itself stands before
    [InlineData("10.1.2.4, 192.0.2.7", "10.1.2.4")]                     // two balancers in a row
    [InlineData(" 10.1.2.4 ,\t192.0.2.7 ,192.0.2.8", "10.1.2.4")]
    [InlineData("192.0.2.9, 192.0.2.7", "192.0.2.9")]                   // a balancer asks for itself
    [InlineData("10.1.2.4:5000", "10.1.2.4")]
    [InlineData("[2001:db8::7]:5000", "2001:db8::7")]
    [InlineData("[2001:db8::7]", "2001:db8::7")]
    [InlineData("2001:db8::7", "2001:db8::7")]
    [InlineData("::ffff:10.1.2.4", "10.1.2.4")]
    [InlineData("::ffff:a01:204", "10.1.2.4")]
    [InlineData(", 192.0.2.7", "192.0.2.7")]
    [InlineData("1,192.0.2.7", "192.0.2.7")]
    [InlineData("", "192.0.2.1")]
    [InlineData(",", "192.0.2.1")]
    [InlineData("10.1.2.4,", "192.0.2.1")]
    [InlineData("unknown", "192.0.2.1")]
    [InlineData("10.1.2.4, unknown, 192.0.2.7", "192.0.2.7")]
    [InlineData("10.1.2.4, 010.1.2.5", "192.0.2.1")]
    [InlineData("10.1", "192.0.2.1")]
    [InlineData("167838212", "192.0.2.1")]
    [InlineData("fe80::1%eth0", "192.0.2.1")]
    [InlineData("10.1.2.4\0", "192.0.2.1")]
    public void ClientOf_Field_IsTheLastThatIsNoBalancer(string field, string expected)
    {
        var balancers = new Balancers([], ["192.0.2.0/24"]);

        Assert.Equal(IPAddress.Parse(expected), balancers.ClientOf(s_balancer, field));
    }

    [Theory]
    [InlineData("192.0.2.1", true)]
    [InlineData("::ffff:192.0.2.1", true)]
    [InlineData("192.0.3.1", false)]
    [InlineData("2001:db8::1", false)]
    public void Lists_OfOneNetwork_HoldItsAddressesUntilTheyAreReplaced(string address, bool isListed)
    {
        var balancers = new Balancers(["192.0.2.0/24"], ["192.0.2.0/24"]);
        var sender = IPAddress.Parse(address);

        Assert.Equal((isListed, isListed, false), (balancers.Names(sender), balancers.Forwards(sender), balancers.AreNoneNaming));

        balancers.Replace([], []);
        Assert.Equal((false, false, true), (balancers.Names(sender), balancers.Forwards(sender), balancers.AreNoneNaming));
    }
}
