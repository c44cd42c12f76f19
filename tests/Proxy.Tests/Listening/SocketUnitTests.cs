using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Listening;

/// <summary>The ports of breakwater.socket, written from the settings and read back as systemd reads them.</summary>
public sealed class SocketUnitTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Write_ThenRead_HasThePortsOfTheSettingsInPlaceOfTheShippedOne()
    {
        Install();
        BreakwaterSettings settings =
            Settings(("Proxy:Listen:0", "10.0.0.1:3128"), ("Proxy:Listen:1", "[2001:db8::1]:3128"), ("ZeroTouch:Listen", "[::]:80"),
            ("Proxy:Listen:2", "127.0.0.1:0"));

        Assert.True(SocketUnit.Write(settings, _root.Combine("etc/systemd/system")).HasChanged);
        Assert.False(SocketUnit.Write(settings, _root.Combine("etc/systemd/system")).HasChanged);

        Assert.Equal(["10.0.0.1:3128", "[2001:db8::1]:3128", "80"], SocketUnit.Installed(_root.Path));
        Assert.Equal(["listen.conf"],
            Directory.EnumerateFiles(_root.Combine("etc/systemd/system/breakwater.socket.d")).Select(Path.GetFileName));
    }

    [Fact]
    public void Doctor_PortsOfTheShippedUnitAndTheDefaults_Agree()
    {
        Install();
        Directory.CreateDirectory(_root.Combine("etc/systemd/system/sockets.target.wants"));
        File.CreateSymbolicLink(_root.Combine("etc/systemd/system/sockets.target.wants/breakwater.socket"),
            "/usr/lib/systemd/system/breakwater.socket");

        DoctorCheck check = DoctorHost.KeptPorts(Settings(), _root.Path)!;

        Assert.True(check.Level == CheckLevel.Ok, check.Found);
    }

    [Fact]
    public void Doctor_ChangedProxyListen_SaysThatTheUnitHasTheOldPort()
    {
        Install();
        DoctorCheck check = DoctorHost.KeptPorts(Settings(("Proxy:Listen:0", "[::]:8080")), _root.Path)!;

        Assert.Equal(CheckLevel.Failure, check.Level);
        Assert.Contains("listens on 3128, the settings name 8080", check.Found, StringComparison.Ordinal);
        Assert.Contains("breakwater socket-unit --write", check.Next, StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_NoSystemd_SaysNothing() => Assert.Null(DoctorHost.KeptPorts(Settings(), _root.Path));

    [Fact]
    public void Doctor_SystemdWithoutTheUnit_SaysSo()
    {
        Directory.CreateDirectory(_root.Combine("run/systemd/system"));

        Assert.Equal(CheckLevel.Warning, DoctorHost.KeptPorts(Settings(), _root.Path)!.Level);
    }

    [Fact]
    public void Installed_DropInsOfSeveralPlaces_AreReadInTheOrderOfTheirNamesAndTheFirstPlaceWins()
    {
        Install();
        Write("usr/lib/systemd/system/breakwater.socket.d/20-more.conf", "[Socket]\nListenStream=4000\n[Install]\nListenStream=1\n");
        Write("run/systemd/system/breakwater.socket.d/10-first.conf", "[Socket]\nListenStream=\nListenStream = 5000\n");
        Write("etc/systemd/system/breakwater.socket.d/10-first.conf", "[Socket]\n# ListenStream=\nListenStream=6000\n");

        Assert.Equal(["3128", "6000", "4000"], SocketUnit.Installed(_root.Path));
    }

    [Theory]
    [InlineData("[::]:3128", "3128", true)]
    [InlineData("0.0.0.0:3128", "3128", false)]
    [InlineData("127.0.0.1:3128", "127.0.0.1:3128", true)]
    public void Mean_TwoWaysToSayIt_AreOne(string one, string other, bool isSame) => Assert.Equal(isSame, SocketUnit.Mean([one], [other]));

    [Fact]
    public void Installed_NoUnitOrAnotherSection_HasNoneOfItsAddresses()
    {
        Assert.Null(SocketUnit.Installed(_root.Path));
        Write("usr/lib/systemd/system/breakwater.socket.d/10-x.conf", "[Socket]\nListenStream=1\n");
        Assert.Null(SocketUnit.Installed(_root.Path));

        Write("lib/systemd/system/breakwater.socket",
            "ListenStream=1\n[Unit]\nListenStream=2\n[Socket]\nListenStream=3\nX=4\nListenStream\n");

        Assert.Equal(["3", "1"], SocketUnit.Installed(_root.Path));
        Assert.False(SocketUnit.IsEnabled(_root.Path));
    }

    [Fact]
    public void Text_OfTheSettings_NamesEachPortOnceAndNoneThatIsChosenLater()
    {
        BreakwaterSettings settings = Settings(
            ("Proxy:Listen:0", "[::]:3128"), ("Proxy:Listen:1", "127.0.0.1:0"), ("Proxy:Listen:2", "10.0.0.1:1"),
            ("ZeroTouch:Listen", "0.0.0.0:80"));

        Assert.EndsWith("[Socket]\nListenStream=\nListenStream=3128\nListenStream=10.0.0.1:1\nListenStream=0.0.0.0:80\n",
            SocketUnit.Text(settings), StringComparison.Ordinal);
        (string path, bool hasChanged) = SocketUnit.Write(settings, _root.Path);
        Assert.True(hasChanged);
        Assert.Equal(SocketUnit.Text(settings), File.ReadAllText(path));
        Assert.Equal(_root.Combine("breakwater.socket.d/listen.conf"), path);
        Assert.True(SocketUnit.Write(Settings(("Proxy:Listen:0", "[::]:1")), _root.Path).HasChanged);
        Assert.EndsWith("ListenStream=1\n", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3128 80", "80 3128", true)]
    [InlineData("3128", "3128 80", false)]
    [InlineData("3128 80", "3128", false)]
    [InlineData("[::]:80 80", "80", true)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("[2001:db8::0001]:80", "[2001:db8::1]:80", true)]
    [InlineData("/run/x.sock", "/run/x.sock", true)]
    public void Mean_Lists_WhateverTheirOrder(string some, string others, bool isSame) =>
        Assert.Equal(isSame, SocketUnit.Mean(some.Split(' '), others.Split(' ')));

    private void Install() =>
        Write("usr/lib/systemd/system/breakwater.socket",
        File.ReadAllText(Checkout.PathOf("deployment", "systemd", "breakwater.socket")));

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.Combine(path))!);
        File.WriteAllText(_root.Combine(path), text);
    }

    private static BreakwaterSettings Settings(params (string, string)[] settings)
    {
        (string, string)[] all =
        [
            ("Repositories:*.example.org:Cluster", "test"),
                ("ReverseProxy:Clusters:test:Destinations:s1:Address", "http://s1.example.org/"), .. settings,
        ];
        return BreakwaterSettings.Load(
            new ConfigurationBuilder().AddInMemoryCollection(all.ToDictionary(s => s.Item1, s => (string?)s.Item2)).Build());
    }
}
