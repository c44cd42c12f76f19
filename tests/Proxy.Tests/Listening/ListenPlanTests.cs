using System.Net;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Listening;

/// <summary>Which handed-over socket is for which setting, and which is for none.</summary>
public sealed class ListenPlanTests
{
    [Theory]
    [InlineData("[::]:3128", "[::]:3128", true)]
    [InlineData("[::]:3128", "0.0.0.0:3128", true)]
    [InlineData("0.0.0.0:3128", "0.0.0.0:3128", true)]
    [InlineData("0.0.0.0:3128", "[::]:3128", false)]
    [InlineData("[::]:3128", "127.0.0.1:3128", false)]
    [InlineData("127.0.0.1:3128", "0.0.0.0:3128", false)]
    [InlineData("[::]:3128", "[::]:3129", false)]
    [InlineData("[2001:db8::1]:80", "[2001:db8::1]:80", true)]
    public void Socket_IsTheSettings_ByItsAddress(string setting, string handedOver, bool isNamed)
    {
        ListenPlan plan = Plan([("Proxy:Listen:0", setting)], Given(3, handedOver));

        Assert.Equal(isNamed, plan.Errors.Count == 0);
        Assert.Equal(isNamed ? [3] : [], plan.Clients[0].Sockets.Select(socket => socket.Descriptor));
    }

    [Fact]
    public void Sockets_OfSeveralSettings_AreToldApartInAnyOrder()
    {
        ListenPlan plan = Plan(
            [("Proxy:Listen:0", "10.0.0.1:3128"), ("Proxy:Listen:1", "10.0.0.1:3129"), ("ZeroTouch:Listen", "[::]:80"),
            ("Admin:Listen", "127.0.0.1:9128"), ("Snmp:Listen", "127.0.0.1:3401"), ("Snmp:Community", "c")],
            Given(3, "127.0.0.1:3401", isDatagram: true),
            Given(4, "127.0.0.1:9128", "admin"),
            Given(5, "[::]:80"),
            Given(6, "10.0.0.1:3128", "breakwater.socket"));

        Assert.Empty(plan.Errors);
        Assert.Equal([6], plan.Clients[0].Sockets.Select(s => s.Descriptor));
        Assert.Empty(plan.Clients[1].Sockets); // to be opened
        Assert.Equal([5], plan.Clients[2].Sockets.Select(s => s.Descriptor));
        Assert.Equal([4], plan.AdminPort!.Sockets.Select(s => s.Descriptor));
        Assert.Equal([3], plan.SnmpPort!.Sockets.Select(s => s.Descriptor));
    }

    [Theory]
    [InlineData("10.0.0.1:3128", "admin", false)]
    [InlineData("10.0.0.1:3128", "node", false)]
    [InlineData("10.0.0.1:3128", "", true)]
    [InlineData("127.0.0.1:9128", "proxy", false)]
    public void Socket_ThatIsNotWhatItsNameSays_StopsTheStart(string address, string name, bool isDatagram)
    {
        ListenPlan plan = Plan([("Proxy:Listen:0", "10.0.0.1:3128")], Given(3, address, name, isDatagram));

        string error = Assert.Single(plan.Errors);
        Assert.Contains(address, error, StringComparison.Ordinal);
        Assert.Contains("Proxy:Listen is 10.0.0.1:3128, Admin:Listen is 127.0.0.1:9128.", error, StringComparison.Ordinal);
        Assert.Contains("systemctl restart breakwater.socket", error, StringComparison.Ordinal);
    }

    [Fact]
    public void PortOfTls_IsItsOwnByAddressAndName()
    {
        using TemporaryDirectory directory = new();
        using TlsAuthority authority = new();
        (string certificate, string key) = authority.Issue("proxy");
        File.WriteAllText(directory.Combine("proxy.pem"), certificate + key);
        (string, string)[] settings =
            [("Proxy:TlsListen:0", "[::]:3443"), ("Proxy:TlsCertificate", directory.Combine("proxy.pem"))];

        ListenPlan plan = Plan(settings, Given(3, "[::]:3128", "proxy"), Given(4, "[::]:3443", "proxy-tls"));

        Assert.Empty(plan.Errors);
        Assert.True(plan.IsHandedOver);
        Assert.Equal([3], plan.Clients[0].Sockets.Select(s => s.Descriptor));
        Assert.Equal([4], Assert.Single(plan.TlsClients).Sockets.Select(s => s.Descriptor));
        Assert.Contains("Proxy:TlsListen", Assert.Single(Plan(settings, Given(3, "[::]:3444", "proxy-tls")).Errors),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Descriptor_ThatIsNoListeningSocket_StopsTheStart() =>
        Assert.Contains("descriptor 3, which is no listening TCP or UDP socket",
        Assert.Single(Plan([], new InheritedSocket(3, "proxy", null)).Errors), StringComparison.Ordinal);

    [Fact]
    public void AllInterfaces_ASocketOfEachFamily_TakesBoth()
    {
        ListenPlan plan = Plan([], new InheritedSocket(3, "", IPEndPoint.Parse("[::]:3128"), IsIPv6Only: true), Given(4, "0.0.0.0:3128"));

        Assert.Empty(plan.Errors);
        Assert.Equal([3, 4], plan.Clients[0].Sockets.Select(s => s.Descriptor));
    }

    [Fact]
    public void IsHandedOver_OneOfTheClientsPorts_PlainOrTls()
    {
        Assert.False(Plan([("Admin:Listen", "127.0.0.1:9128")], Given(3, "127.0.0.1:9128")).IsHandedOver);
        Assert.False(Plan([]).IsHandedOver);
        Assert.True(Plan([], Given(3, "[::]:3128")).IsHandedOver);
    }

    [Fact]
    public void Socket_NobodyNames_IsToldWithItsRole()
    {
        Assert.Contains("no setting names for Snmp:Listen: 127.0.0.1:3401 (UDP), named 'snmp'.",
            Assert.Single(Plan([], Given(3, "127.0.0.1:3401", "snmp", isDatagram: true)).Errors), StringComparison.Ordinal);
        Assert.Contains("no setting names for a port that this version does not have: 127.0.0.1:1, named 'node'.",
            Assert.Single(Plan([], Given(3, "127.0.0.1:1", "node")).Errors), StringComparison.Ordinal);
        Assert.Contains("no setting names: 127.0.0.1:1. ",
            Assert.Single(Plan([], Given(3, "127.0.0.1:1")).Errors), StringComparison.Ordinal);
    }

    private static InheritedSocket Given(int descriptor, string address, string name = "", bool isDatagram = false) =>
        new(descriptor, name, IPEndPoint.Parse(address), isDatagram);

    private static ListenPlan Plan((string, string)[] settings, params InheritedSocket[] handedOver)
    {
        (string, string)[] all =
        [
            ("Repositories:*.example.org:Cluster", "test"),
                ("ReverseProxy:Clusters:test:Destinations:s1:Address", "http://s1.example.org/"), .. settings,
        ];
        IConfiguration configuration =
            new ConfigurationBuilder().AddInMemoryCollection(all.ToDictionary(s => s.Item1, s => (string?)s.Item2)).Build();
        return ListenPlan.Make(BreakwaterSettings.Load(configuration), handedOver);
    }
}
