using System.CommandLine;
using System.Globalization;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Spectre.Console;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater doctor</c>: looks at everything that usually is wrong, and says what to do. It changes nothing.</summary>
internal static class DoctorCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        var command =
            new Command("doctor",
            "Check settings, file limits, disk, clock, Stratum 1s, keys and whitelists, and say what to do. Exit code 1 when something "
            + "cannot work.") { SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(SettingsFile.Option), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo? settingsFile, CancellationToken cancellationToken)
    {
        List<DoctorCheck> checks = await CheckAsync(settingsFile, cancellationToken);
        Table table = new Table().Border(TableBorder.None).HideHeaders()
            .AddColumns(new TableColumn("").NoWrap(), new TableColumn("").NoWrap(), new TableColumn(""));
        foreach (DoctorCheck check in checks)
        {
            string mark =
                check.Level switch { CheckLevel.Ok => "[green]ok[/]", CheckLevel.Warning => "[yellow]look[/]", _ => "[red]FAIL[/]" };
            table.AddRow(new Markup(mark), new Text(check.Name),
                new Text(check.Next is null ? check.Found : $"{check.Found}\n→ {check.Next}"));
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
            return [.. e.Errors.Select(error =>
                new DoctorCheck("settings", CheckLevel.Failure, error,
                "correct it in appsettings.json or the environment; nothing else was checked"))];
        }

        List<DoctorCheck> checks =
            [new("settings", CheckLevel.Ok, $"{settings.Repositories.Count} repository patterns, store at {settings.Store.Path}")];
        (bool isRunning, IEnumerable<DoctorCheck> running) = await RunningAsync(settings, cancellationToken);
        checks.AddRange(running);
        if (!isRunning)
        {
            checks.AddRange(DoctorHost.Ports(settings));
        }

        if (DoctorHost.KeptPorts(settings, "/") is { } ports)
        {
            checks.Add(ports);
        }

        checks.Add(DoctorHost.FileLimit());
        checks.Add(DoctorHost.Disk(settings.Store.Path!));
        checks.Add(DoctorHost.Keys(settings.Trust.KeysDirectory));
        checks.AddRange(settings.Proxy.Offline
            ? [new DoctorCheck("Stratum 1s", CheckLevel.Ok, "none is asked: Proxy:Offline")]
            : await DoctorStratum1s.CheckAsync(configuration, settings, cancellationToken));
        return checks;
    }

    /// <summary>Is a server running, and what does it say of itself and of its repositories' whitelists?</summary>
    private static async Task<(bool IsRunning, IEnumerable<DoctorCheck> Checks)> RunningAsync(BreakwaterSettings settings,
        CancellationToken cancellationToken)
    {
        try
        {
            using var client = new AdminClient(settings);
            HealthReport health = (await client.GetAsync<ServerStatus>("status", cancellationToken)).Health;
            RepositoryView[] repositories = await client.GetAsync<RepositoryView[]>("repositories", cancellationToken);
            var running = new DoctorCheck(
                "running", health.Status == HealthLevel.Ready ? CheckLevel.Ok : CheckLevel.Warning,
                $"{health.Status.ToString().ToLowerInvariant()}, admin page on {client.Address}");
            return (true,
                [running, .. health.Findings.Select(f => new DoctorCheck(f.Name, CheckLevel.Warning, f.Text)),
                .. repositories.OrderBy(r => r.Repository, StringComparer.Ordinal).Select(r => Whitelist(r, DateTimeOffset.UtcNow))]);
        }
        catch (AdminException e)
        {
            // Without an admin port nobody can tell whose a port in use is.
            return (e.Status is not null || settings.Admin.Listen.Length == 0, [new DoctorCheck("running", CheckLevel.Warning, e.Message)]);
        }
    }

    /// <summary>How long clients will still accept a repository: its whitelist is signed for some weeks at a time.</summary>
    internal static DoctorCheck Whitelist(RepositoryView repository, DateTimeOffset now)
    {
        string name = "whitelist " + repository.Repository;
        if (repository.WhitelistExpiresAt is not { } end)
        {
            return (repository.Trust, repository.LastRefusal) switch
            {
                (_, { } refusal) => new DoctorCheck(name, CheckLevel.Warning, "none is accepted", refusal),
                ("none", _) => new DoctorCheck(name, CheckLevel.Ok, "nobody has asked for the repository's manifest yet"),
                _ => new DoctorCheck(name, CheckLevel.Warning, $"not read: the repository is {repository.Trust}",
                    "a master key in Repositories:KeysDirectory lets it be checked"),
            };
        }

        string days =
            string.Create(CultureInfo.InvariantCulture,
            $"{Math.Floor((end - now).TotalDays):0} days left, revision {repository.Revision}, {repository.Trust}");
        return (end - now).TotalDays switch
        {
            < 0 => new DoctorCheck(name, CheckLevel.Failure,
                string.Create(CultureInfo.InvariantCulture, $"expired at {end:u}: clients refuse the repository"),
                "its publisher must sign a new one; is a Stratum 1 lagging, or the clock here wrong?"),
            < 3 => new DoctorCheck(name, CheckLevel.Warning, days, "its publisher must sign a new one: tell them"),
            _ => new DoctorCheck(name, CheckLevel.Ok, days),
        };
    }
}
