using System.Net;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>Addresses that hand out credentials, or are this machine, in every form in which an address can be written.</summary>
public class AddressGuardTests
{
    private static readonly string[] s_forbidden4 =
        ["127.0.0.1", "169.254.169.254", "169.254.170.2", "169.254.170.23", "0.0.0.0", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "224.0.0.1", "255.255.255.255"];

    public static TheoryData<string> Forbidden6 =>
        ["::1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "fd00:ec2::23", "fd00:ec2:0:0:1::1", "fd20:ce::254", "fd00:c1::a9fe:a9fe",
        "fd00:42::42", "fd00:a9fe:a9fe::1", "64:ff9b:1::a00:1"];

    /// <summary>IPv6 that carries an IPv4 address.</summary>
    public static TheoryData<string> Carriers =>
        ["::ffff:{0}", "64:ff9b::{0}", "::ffff:0:{0}", "::{0}", "2002:{1}::1", "2001:0:c000:201::{2}", "2001:db8::5efe:{0}",
        "2001:db8::100:5efe:{0}", "2001:db8::200:5efe:{0}", "2001:db8::300:5efe:{0}", "fd00::5efe:{0}"];

    private readonly AddressGuard _guard = new([], TimeProvider.System);

    [Theory]
    [MemberData(nameof(Forbidden6))]
    public void Allows_MetadataAndOwnOverIPv6_Never(string address) => Assert.False(_guard.Allows(IPAddress.Parse(address)));

    [Theory]
    [MemberData(nameof(Carriers))]
    public void Allows_ForbiddenIPv4InsideIPv6_Never(string form)
    {
        foreach (string address in s_forbidden4)
        {
            Assert.False(_guard.Allows(IPAddress.Parse(address)), address);
            Assert.False(_guard.Allows(Carry(form, address)), $"{address} as {Carry(form, address)}");
        }
    }

    [Theory]
    [MemberData(nameof(Carriers))]
    public void Allows_OtherIPv4InsideIPv6_AsTheIPv4Itself(string form) => Assert.True(_guard.Allows(Carry(form, "192.0.2.7")));

    /// <summary>No ISATAP (RFC 5214, 6.1): these are addresses like others.</summary>
    [Theory]
    [InlineData("2001:db8::400:5efe:7f00:1")]
    [InlineData("2001:db8::201:5efe:7f00:1")]
    [InlineData("2001:db8::200:5dfe:7f00:1")]
    [InlineData("2001:db8::200:5eff:7f00:1")]
    public void Allows_WhatOnlyLooksLikeACarrier_Yes(string address) => Assert.True(_guard.Allows(IPAddress.Parse(address)));

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("10.0.0.1")]
    [InlineData("2001:db8::1")]
    [InlineData("fd00:ec3::23")]
    [InlineData("fd12:3456::1")]
    public void Allows_Servers_Yes(string address) => Assert.True(_guard.Allows(IPAddress.Parse(address)));

    [Fact]
    public void Allows_WhatTheSettingsAllow_InEachForm()
    {
        var guard = new AddressGuard(["169.254.10.0/24", "fd00:ec2::/64"], TimeProvider.System);

        Assert.True(guard.Allows(IPAddress.Parse("169.254.10.7")));
        Assert.True(guard.Allows(IPAddress.Parse("::ffff:169.254.10.7")));
        Assert.True(guard.Allows(IPAddress.Parse("fd00:ec2::23")));
        Assert.False(guard.Allows(IPAddress.Parse("169.254.169.254")));
    }

    private static IPAddress Carry(string form, string address)
    {
        byte[] b = IPAddress.Parse(address).GetAddressBytes();
        string hex = $"{b[0]:x2}{b[1]:x2}:{b[2]:x2}{b[3]:x2}";
        string turned = $"{(byte)~b[0]:x2}{(byte)~b[1]:x2}:{(byte)~b[2]:x2}{(byte)~b[3]:x2}";
        return IPAddress.Parse(string.Format(System.Globalization.CultureInfo.InvariantCulture, form, address, hex, turned));
    }
}
