using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>The doctor's look at this host, and at why a server was not reached.</summary>
public sealed class DoctorHostTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Ports_OfTheSettings_AreFreeOrNamedWithTheirSetting()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        BreakwaterSettings settings = Settings();
        settings.Proxy.Listen = ["127.0.0.1:0", taken.LocalEndpoint.ToString()!];
        settings.Admin.Listen = "127.0.0.1:0";
        settings.Snmp.Listen = datagrams.LocalEndPoint!.ToString()!;

        DoctorCheck[] checks = [.. DoctorHost.Ports(settings)];

        Assert.Equal(
            [
                "free (Proxy:Listen)", "taken by another program (Proxy:Listen)", "free (Admin:Listen)",
                "taken by another program (Snmp:Listen)",
            ],
            checks.Select(check => check.Found));
        Assert.Equal([CheckLevel.Ok, CheckLevel.Failure, CheckLevel.Ok, CheckLevel.Failure], checks.Select(check => check.Level));
        Assert.Equal($"port {((IPEndPoint)taken.LocalEndpoint).Port}", checks[1].Name);
        settings.Admin.Listen = "203.0.113.1:0";        // an address of documentation (RFC 5737): it is nobody's
        Assert.Equal((CheckLevel.Failure, "correct Admin:Listen"), DoctorHost.Ports(settings).ElementAt(2) is var one
            ? (one.Level, one.Next)
            : default);
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("", null, null)]
    [InlineData("-", null, null)]
    [InlineData("there", CheckLevel.Ok, null)]
    [InlineData("not-yet", CheckLevel.Ok, null)]
    [InlineData("below/not-yet", CheckLevel.Ok, null)]
    [InlineData("there/not-yet", CheckLevel.Warning, "is no directory")]
    public void Log_ThatIsWritten_NeedsAFileOrARoomForOne(string? name, object? level, string? found)
    {
        File.WriteAllText(_directory.Combine("there"), "");
        string? path = name is null or "" or "-" ? name : _directory.Combine(name);

        DoctorCheck? check = DoctorHost.Log(path);

        Assert.Equal((CheckLevel?)level, check?.Level);
        Assert.EndsWith(found ?? (level is null ? "" : path!), check?.Found ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, CheckLevel.Warning, "no master keys in ")]
    [InlineData(1, CheckLevel.Ok, "1 master key in ")]
    [InlineData(2, CheckLevel.Ok, "2 master keys in ")]
    public void Keys_InTheirFolderAndBelow_AreCounted(int keys, object level, string found)
    {
        Directory.CreateDirectory(_directory.Combine("site"));
        File.WriteAllText(_directory.Combine("site", "readme.txt"), "");
        for (int i = 0; i < keys; i++)
        {
            File.WriteAllText(_directory.Combine("site", $"{i}.pub"), "");
        }

        DoctorCheck check = DoctorHost.Keys(_directory.Path);

        Assert.Equal(((CheckLevel)level, keys == 0), (check.Level, check.Next is not null));
        Assert.StartsWith(found, check.Found, StringComparison.Ordinal);
        Assert.Equal(CheckLevel.Warning, DoctorHost.Keys(_directory.Combine("none")).Level);
    }

    [Fact]
    public void Disk_OfAStoreThatIsNotThereYet_IsThatOfTheNextFolderAbove() => Assert.EndsWith(
        $" free at {_directory.Path}", DoctorHost.Disk(_directory.Combine("a", "b")).Found, StringComparison.Ordinal);

    [Fact]
    public void FileLimit_OfThisProcess_IsANumber() => Assert.Matches(@"^\d+ at most in this shell", DoctorHost.FileLimit().Found);

    [Fact]
    public void SocketUnit_OnAHostWithSystemd_IsThereEnabledAndNamesThePorts()
    {
        BreakwaterSettings settings = Settings();
        settings.Proxy.Listen = ["10.0.0.5:3128"];
        Assert.Null(DoctorHost.KeptPorts(settings, _directory.Path));

        Directory.CreateDirectory(_directory.Combine("run", "systemd", "system"));

        DoctorCheck missing = DoctorHost.KeptPorts(settings, _directory.Path)!;
        Assert.Equal(("socket unit", CheckLevel.Warning), (missing.Name, missing.Level));
        Assert.StartsWith("there is no breakwater.socket", missing.Found, StringComparison.Ordinal);
    }

    public static TheoryData<Exception, string, string> Unreached => new()
    {
        { Within(new LookupFailedException("no such")), "DNS: the name s1.test cannot be looked up: no such", "is the name right" },
        { Within(new AuthenticationException("bad", new IOException("why"))), "TLS: bad (why)", "is the clock right" },
        { Within(new AuthenticationException("bad")), "TLS: bad", "is the clock right" },
        {
            Within(new SocketException((int)SocketError.ConnectionRefused)),
            "connection refused: nothing listens on s1.test:80, or a firewall refuses it", "is the address right"
        },
        { Within(new SocketException((int)SocketError.HostUnreachable)), "no route: ", "look at this host's routes (ip route get s1" },
        { Within(new SocketException((int)SocketError.NetworkUnreachable)), "no route: ", "look at this host's routes" },
        { Within(new TimeoutException()), "firewall: s1.test:80 does not answer a connection at all", "open the firewall to s1.test:80" },
        { new OperationCanceledException(), "connected, but no answer in 4.5 s", "is the server overloaded" },
        { Within(new IOException("the end")), "the end", "is a Stratum 1 at s1.test:80?" },
        {
            new HttpRequestException(HttpRequestError.SecureConnectionError, "outer", new IOException("no TLS")), "TLS: no TLS",
            "does this port speak http://"
        },
    };

    [Theory]
    [MemberData(nameof(Unreached))]
    public void Reach_OfAFailure_NamesItsKindAndWhatToDo(Exception failure, string found, string next)
    {
        (string Found, string Next) said = DoctorReach.Of(failure, "s1.test", 80, 4.5);

        Assert.StartsWith(found, said.Found, StringComparison.Ordinal);
        Assert.StartsWith(next, said.Next, StringComparison.Ordinal);
    }

    private static HttpRequestException Within(Exception cause) => new("outer", cause);

    private static BreakwaterSettings Settings() => new()
    {
        Proxy = new ProxyOptions(),
        Access = new AccessOptions(),
        Store = new CacheStore.StoreOptions { Path = "/store" },
        Admin = new AdminOptions { Listen = "" },
        Repositories = new Dictionary<string, RepositoryOptions>(),
    };
}
