using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Deployment;

/// <summary>
/// The maintainer scripts of the Debian package on a root of their own, with Debian's own <c>deb-systemd-helper</c> and a systemctl that
/// notes how it is called: what an administrator has said of the units is theirs.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed partial class DebianScriptTests : IDisposable
{
    private const string Service = "breakwater.service";
    private const string Socket = "breakwater.socket";

    private const string Systemctl = """
        #!/bin/sh
        exec 3>&1
        while case $1 in --quiet) exec 3>/dev/null;; --system) ;; *) false;; esac; do shift; done
        echo "$*" >> "$DPKG_ROOT/calls"
        command=$1; shift
        [ "$1" = -- ] && shift
        case $command in
          is-enabled)
            units=$DPKG_ROOT/etc/systemd/system
            if [ "$(readlink "$units/$1")" = /dev/null ]; then echo masked >&3; exit 1; fi
            if ls "$units"/*.wants/"$1" >/dev/null 2>&1; then echo enabled >&3; else echo disabled >&3; exit 1; fi;;
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

        Program("#!/bin/sh\necho deluser >> \"$DPKG_ROOT/calls\"\n", "programs", "deluser");
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

    // policy-rc.d, by which images and provisioning keep services from starting, was not asked.
    [HelperFact]
    public void Scripts_WhereAPolicyForbidsIt_StartAndStopNothing()
    {
        Program("#!/bin/sh\nexit 101\n", "usr", "sbin", "policy-rc.d");

        string[] calls =
        [
            .. RunAny("postinst", "configure", "").Calls, .. RunAny("postinst", "configure", "0.1.0").Calls,
            .. RunAny("prerm", "remove").Calls,
        ];

        Assert.True(IsEnabled(Service) && IsEnabled(Socket));
        AssertStartsNothing(calls);
    }

    [HelperFact]
    public void Install_WithoutSystemd_SaysOnceThatNothingWasStarted()
    {
        Directory.Delete(_root.Combine("run", "systemd", "system"));

        (string[] calls, string said, _) = RunAny("postinst", "configure", "");

        Assert.Equal([], calls);
        Assert.Matches(@"^systemd does not run here.*'Without systemd' in /usr/share/doc/breakwater/docs/operate/quick-start\.md\.\n$",
            said);
        Assert.Contains("## Without systemd", File.ReadLines(Checkout.PathOf("docs", "operate", "quick-start.md")));
        Assert.Equal("", RunAny("postinst", "configure", "0.1.0").Output);
    }

    // What systemd had not started went on with a program that was deleted, and nobody said so.
    [HelperFact]
    public void Upgrade_BesideAProcessOfTheVersionBefore_SaysWhichOneToRestart()
    {
        string program = _root.Combine("usr", "lib", "breakwater", "breakwater");
        File.Copy("/bin/bash", program, overwrite: true);
        using Process served = Start(program, "serve"), asked = Start(program, "status");
        try
        {
            File.Delete(program);
            Program("#!/bin/sh\n", "usr", "lib", "breakwater", "breakwater");

            string said = RunAny("postinst", "configure", "0.1.0").Error;

            Assert.Equal($"Process {served.Id} still serves with the version before this one: restart it.\n", said);
        }
        finally
        {
            served.Kill();
            asked.Kill();
        }
    }

    // The purge of a root of its own deleted the machine's cache.
    [HelperFact]
    public void Purge_DeletesBelowItsRoot_AndNamesWhatStays()
    {
        string[] gone = ["var/cache/breakwater", "var/lib/breakwater", "var/log/breakwater", "etc/systemd/system/breakwater.socket.d"];
        string[] stays = ["etc/breakwater/publish-keys", "var/lib/breakwater-publish"];
        Run("postinst", "configure", "");
        foreach (string folder in gone.Concat(stays))
        {
            Directory.CreateDirectory(_root.Combine(folder.Split('/')));
        }

        (string[] calls, string said, _) = RunAny("postrm", "purge");

        Assert.DoesNotContain(gone, folder => Directory.Exists(_root.Combine(folder.Split('/'))));
        Assert.All(stays, folder =>
        {
            Assert.True(Directory.Exists(_root.Combine(folder.Split('/'))));
            Assert.Contains($"/{folder} stays: ", said, StringComparison.Ordinal);
        });
        Assert.Equal(["daemon-reload"], calls);
    }

    /// <summary>Each path that a script writes or deletes is below its root.</summary>
    [Theory]
    [InlineData("postinst")]
    [InlineData("prerm")]
    [InlineData("postrm")]
    public void Paths_OfTheScripts_AreBelowTheirRoot(string script) =>
        Assert.DoesNotContain(File.ReadLines(Checkout.PathOf("deployment", "debian", script)),
            line => OutsideOfTheRoot().IsMatch(line) && !line.Contains("echo ", StringComparison.Ordinal)
            && !line.Contains("for ", StringComparison.Ordinal) && !line.Contains("adduser ", StringComparison.Ordinal));

    /// <summary>A process of the program, which is bash here, with this command. It waits until it is killed.</summary>
    private static Process Start(string program, string command) =>
        Process.Start(new ProcessStartInfo(program, ["-c", "read", command]) { RedirectStandardInput = true })!;

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
        Assert.DoesNotContain(calls, call => call.Split(' ')[0] is "start" or "restart" or "stop" or "enable" or "unmask" or "preset");

    /// <summary>Runs one that has nothing to say.</summary>
    /// <returns>How systemctl was called.</returns>
    private string[] Run(string script, params IEnumerable<string> arguments)
    {
        (string[] calls, string output, string error) = RunAny(script, arguments);
        Assert.Equal(("", ""), (output, error));
        return calls;
    }

    /// <returns>How systemctl was called, and what was said.</returns>
    private (string[] Calls, string Output, string Error) RunAny(string script, params IEnumerable<string> arguments)
    {
        string calls = _root.Combine("calls");
        File.Delete(calls);
        var start = new ProcessStartInfo("/bin/sh", [Checkout.PathOf("deployment", "debian", script), .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["DPKG_ROOT"] = _root.Path;
        start.Environment["DPKG_MAINTSCRIPT_PACKAGE"] = "breakwater";
        start.Environment["PATH"] = $"{_root.Combine("programs")}:{Environment.GetEnvironmentVariable("PATH")}";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(1)), script);
        Assert.True(process.ExitCode == 0, error.Result);
        return (File.Exists(calls) ? File.ReadAllLines(calls) : [], output, error.Result);
    }

    private void Program(string text, params string[] path)
    {
        string file = _root.Combine(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [GeneratedRegex(@"(?<![\w}])/(etc|var|run|usr)/")]
    private static partial Regex OutsideOfTheRoot();

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
