using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Tests.Access;

public class NetworkTextTests
{
    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("0.0.0.0/0")]
    [InlineData("127.0.0.1/32")]
    [InlineData("::/0")]
    [InlineData("::1/128")]
    [InlineData("fc00::/7")]
    [InlineData("FD00:0::/16")]
    [InlineData("10.128.0.0/9")]
    [InlineData("2001:db8:8000::/33")]
    public void Network_Plain_IsRight(string text) => Assert.Null(NetworkText.ProblemOf(text));

    [Theory]
    [InlineData("10.0.0.5/8", "10.0.0.0/8")]
    [InlineData("10.64.0.0/9", "10.0.0.0/9 for the network, or 10.64.0.0/32")]
    [InlineData("10.0.0.1/31", "10.0.0.0/31")]
    [InlineData("::ffff:0:0/96", "0.0.0.0/0")]
    [InlineData("::/129", "0 to 128")]
    [InlineData("10.0.0.5", "10.0.0.5/32")]
    [InlineData("fd00::1", "fd00::1/128")]
    [InlineData("fd00::1/16", "fd00::/16")]
    [InlineData("::ffff:10.0.0.0/104", "10.0.0.0/8")]
    [InlineData("::ffff:10.0.0.5/128", "10.0.0.5/32")]
    [InlineData("010.0.0.0/8", "such as 10.0.0.0/8")]
    [InlineData("10/8", "such as 10.0.0.0/8")]
    [InlineData("10.0/16", "such as 10.0.0.0/8")]
    [InlineData("0x0a000000/8", "such as 10.0.0.0/8")]
    [InlineData("10.0.0.0/33", "0 to 32")]
    [InlineData("10.0.0.0/-1", "0 to 32")]
    [InlineData("10.0.0.0/255.0.0.0", "0 to 32")]
    [InlineData("10.0.0.0/8/8", "0 to 32")]
    [InlineData("10.0.0.0/ 8", "0 to 32")]
    [InlineData("fe80::%1/10", "such as")]
    [InlineData("[fd00::]/8", "such as")]
    [InlineData("", "such as")]
    [InlineData("any", "such as")]
    public void Network_ThatCouldBeReadInTwoWays_IsRefusedWithWhatToWrite(string text, string advice) =>
        Assert.Contains(advice, NetworkText.ProblemOf(text), StringComparison.Ordinal);
}
