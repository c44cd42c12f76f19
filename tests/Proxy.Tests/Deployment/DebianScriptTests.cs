using System.Diagnostics;
using System.Runtime.Versioning;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Deployment;

/// <summary>
/// The maintainer scripts of the Debian package on a root of their own, with Debian's own <c>deb-systemd-helper</c> and a systemctl that
/// notes how it is called: what an administrator has said of the units is theirs.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class DebianScriptTests : IDisposable
{
    private const string Service = "breakwater.service";
    private const string Socket = "breakwater.socket";

    private const string Systemctl = """
        #!/bin/sh
        echo "$*" >> "$DPKG_ROOT/calls"
        [ "$1" = --quiet ] && shift
        case $1 in
          is-enabled)
            units=$DPKG_ROOT/etc/systemd/system
            [ "$(readlink "$units/$2")" != /dev/null ] && ls "$units"/*.wants/"$2" >/dev/null 2>&1;;
        esac
        """;

    private readonly TemporaryDirectory _root = new();

    public DebianScriptTests()
    {
        Directory.CreateDirectory(_root.Combine("run", "systemd", "system"));
        Directory.CreateDirectory(_root.Combine("usr", "lib", "systemd", "system"));
        foreach (string unit in (string[])[Service, Socket])
        {
            File.Copy(Checkout.PathOf("deployment", "systemd", unit), _root.Combine("usr", "lib", "systemd", "system", unit));
        }

        Program(Systemctl, "programs", "systemctl");
        foreach (string name in (string[])["getent", "adduser", "install"])
        {
            Program("#!/bin/sh\n", "programs", name);
        }

        Program("#!/bin/sh\n", "usr", "lib", "breakwater", "breakwater");
    }

    public void Dispose() => _root.Dispose();

    [HelperFact]
    public void Install_EnablesAndStarts()
    {
        string[] calls = Run("postinst", "configure", "");

        Assert.True(IsEnabled(Service) && IsEnabled(Socket));
        Assert.Contains($"restart {Service}", calls);
    }

    [HelperFact]
    public void Upgrade_OfWhatIsEnabled_Restarts()
    {
        Run("postinst", "configure", "");

        string[] calls = Run("postinst", "configure", "0.1.0");

        Assert.True(IsEnabled(Service) && IsEnabled(Socket));
        Assert.Contains($"restart {Service}", calls);
    }

    // Packages: the postinst enabled and restarted at every upgrade.
    [HelperFact]
    public void Upgrade_AfterTheyWereDisabled_LeavesThemDisabledAndStartsNothing()
    {
        Run("postinst", "configure", "");
        Disable();

        string[] first = Run("postinst", "configure", "0.1.0"), second = Run("postinst", "configure", "0.2.0");

        Assert.False(IsEnabled(Service) || IsEnabled(Socket));
        AssertStartsNothing([.. first, .. second]);
    }

    [HelperFact]
    public void Upgrade_AfterTheyWereMasked_LeavesThemMaskedAndStartsNothing()
    {
        Run("postinst", "configure", "");
        foreach (string unit in (string[])[Service, Socket])
        {
            File.CreateSymbolicLink(_root.Combine("etc", "systemd", "system", unit), "/dev/null");
        }

        string[] calls = Run("postinst", "configure", "0.1.0");

        Assert.Equal("/dev/null", new FileInfo(_root.Combine("etc", "systemd", "system", Service)).LinkTarget);
        Assert.Equal("/dev/null", new FileInfo(_root.Combine("etc", "systemd", "system", Socket)).LinkTarget);
        AssertStartsNothing(calls);
    }

    [HelperFact]
    public void Install_AfterARemoval_IsNotMaskedByIt()
    {
        Run("postinst", "configure", "");
        Run("prerm", "remove");
        Run("postrm", "remove");

        string[] calls = Run("postinst", "configure", "0.1.0");

        Assert.False(Path.Exists(_root.Combine("etc", "systemd", "system", Service)));
        Assert.True(IsEnabled(Service) && IsEnabled(Socket));
        Assert.Contains($"restart {Service}", calls);
    }

    [HelperFact]
    public void Install_AfterADisabledOneWasRemoved_LeavesItDisabled()
    {
        Run("postinst", "configure", "");
        Disable();
        Run("postinst", "configure", "0.1.0");
        Run("prerm", "remove");
        Run("postrm", "remove");

        string[] calls = Run("postinst", "configure", "0.1.0");

        Assert.False(IsEnabled(Service) || IsEnabled(Socket));
        AssertStartsNothing(calls);
    }

    /// <summary>As <c>systemctl disable</c> does.</summary>
    private void Disable()
    {
        foreach (string link in Links(Service).Concat(Links(Socket)))
        {
            File.Delete(link);
        }
    }

    private bool IsEnabled(string unit) => Links(unit).Length > 0;

    private string[] Links(string unit) =>
        [.. Directory.EnumerateDirectories(_root.Combine("etc", "systemd", "system"), "*.wants")
            .Select(wants => Path.Combine(wants, unit)).Where(link => new FileInfo(link).LinkTarget is not null)];

    private static void AssertStartsNothing(string[] calls) =>
        Assert.DoesNotContain(calls, call => call.Split(' ')[0] is "start" or "restart" or "enable" or "unmask" or "preset");

    /// <returns>How systemctl was called.</returns>
    private string[] Run(string script, params IEnumerable<string> arguments)
    {
        string calls = _root.Combine("calls");
        File.Delete(calls);
        var start = new ProcessStartInfo("/bin/sh", [Checkout.PathOf("deployment", "debian", script), .. arguments])
        {
            RedirectStandardError = true,
        };
        start.Environment["DPKG_ROOT"] = _root.Path;
        start.Environment["DPKG_MAINTSCRIPT_PACKAGE"] = "breakwater";
        start.Environment["PATH"] = $"{_root.Combine("programs")}:{Environment.GetEnvironmentVariable("PATH")}";
        using Process process = Process.Start(start)!;
        string said = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(1)), script);
        Assert.Equal((0, ""), (process.ExitCode, said));
        return File.Exists(calls) ? File.ReadAllLines(calls) : [];
    }

    private void Program(string text, params string[] path)
    {
        string file = _root.Combine(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>A test that needs Debian's deb-systemd-helper. Without it, it is skipped and says so.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class HelperFactAttribute : FactAttribute
    {
        public HelperFactAttribute()
        {
            if (!File.Exists("/usr/bin/deb-systemd-helper"))
            {
                Skip = "There is no deb-systemd-helper (apt install init-system-helpers): the package's scripts are not run.";
            }
        }
    }
}
