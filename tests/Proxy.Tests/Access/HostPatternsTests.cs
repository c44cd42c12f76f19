using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Tests.Access;

/// <summary>What a pattern of hosts may look like, and what it allows.</summary>
public sealed class HostPatternsTests
{
    [Theory]
    [InlineData("h", "h", 443)]
    [InlineData("h:80", "h", 80)]
    [InlineData("h:1", "h", 1)]
    [InlineData("h:65535", "h", 65535)]
    [InlineData("h:*", "h", 0)]
    [InlineData("*.example.net:8080", "*.example.net", 8080)]
    [InlineData("[2001:db8::1]", "[2001:db8::1]", 443)]
    [InlineData("[2001:db8::1]:8080", "[2001:db8::1]", 8080)]
    public void TryParse_Pattern_IsHostAndPort(string pattern, string host, int port)
    {
        Assert.True(HostPatterns.TryParse(pattern, 443, out (string, int) parsed));
        Assert.Equal((host, port), parsed);
    }

    [Theory]
    [InlineData("h:0")]
    [InlineData("h:65536")]
    [InlineData("h:")]
    [InlineData("h:+1")]
    [InlineData("h:**")]
    [InlineData("h:80:90")]
    [InlineData("h:80:*")]
    [InlineData("[2001:db8::1]:80:90")]
    [InlineData(":80")]
    [InlineData("")]
    [InlineData("*.")]
    [InlineData("*.:80")]
    [InlineData("a b")]
    [InlineData("[2001:db8::1")]
    public void TryParse_SomethingElse_IsNoPattern(string pattern)
    {
        Assert.False(HostPatterns.TryParse(pattern, 443, out _));
        Assert.Throws<FormatException>(() => new DestinationAccess([pattern]));
    }

    [Theory]
    [InlineData("x.example.net", 8080, true)]
    [InlineData("X.Example.NET", 8080, true)]
    [InlineData(".example.net", 8080, false)]
    [InlineData("x.example.net", 80, false)]
    [InlineData("any.example.org", 1, true)]
    [InlineData("any.example.org", 65535, true)]
    [InlineData("other.example.org", 1, false)]
    [InlineData("2001:db8::1", 9, true)]
    [InlineData("2001:db8::1", 80, false)]
    [InlineData("plain.example.org", 80, true)]
    [InlineData("plain.example.org", 443, false)]
    public void Allows_HostOnAPort_WhatAPatternNames(string host, int port, bool isAllowed) => Assert.Equal(
        isAllowed,
        new DestinationAccess(["*.example.net:8080", "any.example.org:*", "[2001:db8::1]:9", "plain.example.org"]).Allows(host, port));

    [Fact]
    public void Replace_ByOtherPatterns_CountsFromThenOnAndIsSeen()
    {
        var access = new ConnectAccess([]);
        Assert.True(access.IsEmpty);
        Assert.False(access.Allows("h", 443));
        object before = access.InForce;
        Assert.Same(before, access.InForce);

        access.Replace(["h"]);

        Assert.False(access.IsEmpty);
        Assert.True(access.Allows("h", 443));
        Assert.False(access.Allows("h", 80));
        Assert.NotSame(before, access.InForce);
    }
}
