using System.Text;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Tests.Requests;

public sealed class AuthoritiesTests
{
    [Theory]
    [InlineData("h")]
    [InlineData("h:1")]
    [InlineData("h.example.org:65535")]
    [InlineData("a_b-c.d:80")]
    [InlineData("[::]")]
    [InlineData("[::]:80")]
    [InlineData("[1::]:443")]
    [InlineData("[::ffff:127.0.0.1]:80")]
    [InlineData("[0000:0000:0000:0000:0000:0000:255.255.255.255]")] // 45 characters, the longest
    public void IsValid_HostWithOrWithoutPort_Is(string authority) => Assert.True(IsValid(authority));

    [Theory]
    [InlineData("")]
    [InlineData(":80")]
    [InlineData("h:")]
    [InlineData("h:0")]
    [InlineData("h:65536")]
    [InlineData("h:000080")]
    [InlineData("h:8/")]
    [InlineData("h:8:")]
    [InlineData("h::80")]
    [InlineData(".h")]
    [InlineData("-h")]
    [InlineData("a..b")]
    [InlineData("a/b")]
    [InlineData("u@h")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("[:]")]
    [InlineData("[1]")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("[::1]80")]
    [InlineData("[::1]:")]
    [InlineData("[::1]:0")]
    [InlineData("[::1%25eth0]")]
    [InlineData("[::g]")]
    [InlineData("[0000:0000:0000:0000:0000:0000:255.255.255.2550]")]
    [InlineData("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]")]
    public void IsValid_AnythingElse_IsNot(string authority) => Assert.False(IsValid(authority));

    /// <summary>Brackets are for IPv6 (RFC 3986, 3.2.2): what makes a URL of another address in them throws.</summary>
    [Theory]
    [InlineData("[10]")]
    [InlineData("[127.0.0.1]")]
    [InlineData("[127.0.0.1]:80")]
    public void IsValid_AnIpV4AddressInBrackets_IsNot(string authority) => Assert.False(IsValid(authority));

    [Theory]
    [InlineData(253, true)]
    [InlineData(254, false)]
    public void IsValid_LongestName_IsAsDnsHasIt(int length, bool expected)
    {
        Assert.Equal(expected, IsValid(new string('a', length)));
        Assert.Equal(expected, IsValid(new string('a', length) + ":80"));
    }

    private static bool IsValid(string authority) => Authorities.IsValid(Encoding.Latin1.GetBytes(authority));
}
