using System.CommandLine;
using System.Globalization;
using System.Net;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Spectre.Console;

namespace Breakwater.Proxy.Commands;

/// <summary>How a check ended.</summary>
internal enum CheckLevel : byte
{
    /// <summary>Good.</summary>
    Ok,

    /// <summary>It works, but look at it.</summary>
    Warning,

    /// <summary>It cannot work so.</summary>
    Failure,
}

/// <summary>One check of the doctor.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Level">How it is.</param>
/// <param name="Found">What was found.</param>
/// <param name="Next">What to do; null when nothing.</param>
internal sealed record DoctorCheck(string Name, CheckLevel Level, string Found, string? Next = null);

/// <summary><c>breakwater doctor</c>: looks at everything that usually is wrong, and says what to do. It changes nothing.</summary>
internal static class DoctorCommand
{
    private const long WantedFiles = 16_384;
    private const long WantedDiskBytes = 20L << 30;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        var command = new Command("doctor", "Check settings, file limits, disk, clock, Stratum 1s, keys and whitelists, and say what to do. Exit code 1 when something cannot work.") { SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(SettingsFile.Option), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo? settingsFile, CancellationToken cancellationToken)
    {
        List<DoctorCheck> checks = await CheckAsync(settingsFile, cancellationToken);
        Table table = new Table().Border(TableBorder.None).HideHeaders().AddColumns("", "", "");
        foreach (DoctorCheck check in checks)
        {
            string mark = check.Level switch { CheckLevel.Ok => "[green]ok[/]", CheckLevel.Warning => "[yellow]look[/]", _ => "[red]FAIL[/]" };
            table.AddRow(new Markup(mark), new Text(check.Name), new Text(check.Next is null ? check.Found : $"{check.Found}\n→ {check.Next}"));
        }

        AnsiConsole.Write(table);
        return checks.Exists(c => c.Level == CheckLevel.Failure) ? 1 : 0;
    }

    private static async Task<List<DoctorCheck>> CheckAsync(FileInfo? settingsFile, CancellationToken cancellationToken)
    {
        BreakwaterSettings settings;
        IConfigurationRoot configuration;
        try
        {
            configuration = SettingsFile.Load(settingsFile);
            settings = BreakwaterSettings.Load(configuration);
        }
        catch (SettingsException e)
        {
            return [.. e.Errors.Select(error => new DoctorCheck("settings", CheckLevel.Failure, error, "correct it in appsettings.json or the environment; nothing else was checked"))];
        }

        List<DoctorCheck> checks = [new("settings", CheckLevel.Ok, $"{settings.Repositories.Count} repository patterns, store at {settings.Store.Path}")];
        checks.Add(await RunningAsync(settings, cancellationToken));
        checks.Add(FileLimit());
        checks.Add(Disk(settings.Store.Path!));
        checks.Add(Keys(settings.Trust.KeysDirectory));
        checks.AddRange(await Task.WhenAll(configuration.GetSection("ReverseProxy:Clusters").GetChildren()
            .SelectMany(cluster => cluster.GetSection("Destinations").GetChildren())
            .Select(d => d["Address"]!).Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(address => Stratum1Async(address, cancellationToken))));
        return checks;
    }

    private static async Task<DoctorCheck> RunningAsync(BreakwaterSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new AdminClient(settings);
            HealthReport health = (await client.GetAsync<ServerStatus>("status", cancellationToken)).Health;
            return health.Status == HealthLevel.Ready
                ? new DoctorCheck("running", CheckLevel.Ok, $"ready, admin page on {client.Address}")
                : new DoctorCheck("running", CheckLevel.Warning, string.Join(' ', health.Findings.Select(f => $"{f.Name}: {f.Text}")));
        }
        catch (AdminException e)
        {
            return new DoctorCheck("running", CheckLevel.Warning, e.Message);
        }
    }

    /// <summary>Each client holds up to 16 connections, each a descriptor.</summary>
    private static DoctorCheck FileLimit()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new DoctorCheck("open files", CheckLevel.Ok, "not limited as on Linux");
        }

        string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        long limit = line is null ? 0 : long.TryParse(line[14..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], out long hard) ? hard : long.MaxValue;
        return limit >= WantedFiles
            ? new DoctorCheck("open files", CheckLevel.Ok, $"{limit} at most in this shell")
            : new DoctorCheck("open files", CheckLevel.Warning, $"{limit} at most in this shell; a VM opens up to 16 connections", "the shipped systemd unit sets LimitNOFILE=262144; in a shell: ulimit -n 65536");
    }

    private static DoctorCheck Disk(string path)
    {
        string existing = Path.GetFullPath(path);
        while (!Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing)!;
        }

        long free = new DriveInfo(existing).AvailableFreeSpace;
        return free >= WantedDiskBytes
            ? new DoctorCheck("disk", CheckLevel.Ok, $"{StatusCommand.Size(free)} free at {existing}")
            : new DoctorCheck("disk", CheckLevel.Warning, $"{StatusCommand.Size(free)} free at {existing}", "a small site's working sets want 20 GB and more: see docs/sizing.md, or move Store:Path");
    }

    private static DoctorCheck Keys(string directory)
    {
        int keys = Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "*.pub", SearchOption.AllDirectories).Count() : 0;
        return keys > 0
            ? new DoctorCheck("keys", CheckLevel.Ok, $"{keys} master keys in {directory}")
            : new DoctorCheck("keys", CheckLevel.Warning, $"no master keys in {directory}: manifests pass unverified", "install the site's cvmfs-config package, or copy /etc/cvmfs/keys from a client to Repositories:KeysDirectory");
    }

    private static async Task<DoctorCheck> Stratum1Async(string address, CancellationToken cancellationToken)
    {
        string name = "Stratum 1 " + new Uri(address).Authority;
        try
        {
            using var http = new HttpClient { Timeout = s_patience };
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            using HttpResponseMessage response = await http.GetAsync(new Uri(new Uri(address), "/cvmfs/info/v1/repositories.json"), cancellationToken);
            double ms = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            TimeSpan skew = response.Headers.Date is { } date ? DateTimeOffset.UtcNow - date : TimeSpan.Zero;
            if (skew.Duration() > TimeSpan.FromMinutes(5))
            {
                return new DoctorCheck(name, CheckLevel.Warning, $"its clock and ours differ by {skew.Duration():c}", "check chrony or ntpd here: whitelists are judged by this clock");
            }

            return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound
                ? new DoctorCheck(name, CheckLevel.Ok, string.Create(CultureInfo.InvariantCulture, $"answers in {ms:0} ms, clocks agree"))
                : new DoctorCheck(name, CheckLevel.Warning, $"answered {(int)response.StatusCode}", "a firewall or parent proxy may be in between");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new DoctorCheck(name, CheckLevel.Warning, e is TaskCanceledException ? "no answer in 4 s" : e.Message, "open the firewall to it, set a parent proxy (HttpClient:WebProxy), or take it out of its cluster");
        }
    }
}
