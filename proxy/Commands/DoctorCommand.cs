using System.CommandLine;
using System.Globalization;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Spectre.Console;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater doctor</c>: looks at everything that usually is wrong, and says what to do. It changes nothing.</summary>
internal static class DoctorCommand
{
    private const string WrongNext = "correct it: until then a running Breakwater goes on with the settings it had, and a start is refused";

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        var all = new Option<bool>("--all") { Description = "Ask the Stratum 1s of presets, too, that no client has asked for yet" };
        Option<bool> json = Output.JsonOption();
        var command =
            new Command("doctor",
            "Check settings, file limits, disk, clock, Stratum 1s, keys and whitelists, and say what to do. Exit code 1 when something "
            + "cannot work.") { all, json, SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed.GetValue(SettingsFile.Option), parsed.GetValue(all), parsed.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo? settingsFile, bool wantsAll, bool asJson, CancellationToken cancellationToken)
    {
        List<DoctorCheck> checks = await CheckAsync(settingsFile, wantsAll, cancellationToken);
        if (asJson)
        {
            Output.WriteJson(checks);
        }
        else
        {
            Show(checks);
        }

        return checks.Exists(c => c.Level == CheckLevel.Failure) ? ExitCodes.Found : 0;
    }

    private static void Show(List<DoctorCheck> checks)
    {
        // A line a check for whoever searches them; on a terminal there is room below.
        string between = Console.IsOutputRedirected ? " → " : "\n→ ";
        Table table = new Table().Border(TableBorder.None).HideHeaders()
            .AddColumns(new TableColumn("").NoWrap(), new TableColumn("").NoWrap(), new TableColumn(""));
        foreach (DoctorCheck check in checks)
        {
            string mark =
                check.Level switch { CheckLevel.Ok => "[green]ok[/]", CheckLevel.Warning => "[yellow]look[/]", _ => "[red]FAIL[/]" };
            table.AddRow(new Markup(mark), new Text(check.Name),
                new Text(check.Next is null ? check.Found : check.Found + between + check.Next));
        }

        Output.Write(table);
    }

    private static async Task<List<DoctorCheck>> CheckAsync(FileInfo? settingsFile, bool wantsAll, CancellationToken cancellationToken)
    {
        ReadableSettings read = SettingsFile.ReadReadable(settingsFile);
        BreakwaterSettings settings = read.Settings;
        List<DoctorCheck> checks = read.Wrong is null
            ? [new("settings", CheckLevel.Ok, $"{settings.Repositories.Count} repository patterns, store at {settings.Store.Path}")]
            : [.. read.Wrong.Errors.Select(error => new DoctorCheck("settings", CheckLevel.Failure, error, WrongNext))];
        (bool isRunning, string[] inUse, IEnumerable<DoctorCheck> running) = read.KnowsAdmin
            ? await RunningAsync(settings, cancellationToken)
            : (true, [], [new DoctorCheck("running", CheckLevel.Warning, "not asked: the settings do not tell where the admin port is")]);
        checks.AddRange(running);

        // What settings that are wrong name would be another's port, disk or Stratum 1.
        List<string> skipped = [];
        async Task LookAsync(string what, IEnumerable<string> sections, Func<Task<IEnumerable<DoctorCheck?>>> look)
        {
            if (read.AreRight(sections))
            {
                checks.AddRange((await look()).OfType<DoctorCheck>());
            }
            else
            {
                skipped.Add(what);
            }
        }

        await LookAsync("ports", ["Proxy", "Admin", "ZeroTouch", "Snmp", "Cluster"], () => Task.FromResult<IEnumerable<DoctorCheck?>>(
            [.. isRunning ? [] : DoctorHost.Ports(settings), DoctorHost.KeptPorts(settings, "/")]));
        await LookAsync("nodes", ["Admin", "Cluster"], async () => await DoctorCluster.CheckAsync(settings, cancellationToken));
        checks.Add(DoctorHost.FileLimit());
        await LookAsync("disk", ["Store"], () => Task.FromResult<IEnumerable<DoctorCheck?>>([DoctorHost.Disk(settings.Store.Path!)]));
        await LookAsync("keys", ["Repositories"],
            () => Task.FromResult<IEnumerable<DoctorCheck?>>([DoctorHost.Keys(settings.Trust.KeysDirectory)]));
        await LookAsync("access log", ["AccessLog"],
            () => Task.FromResult<IEnumerable<DoctorCheck?>>([DoctorHost.Log(settings.AccessLog.Path)]));
        await LookAsync("Stratum 1s", ["Proxy", "Access", "ReverseProxy", "Presets"], async () => settings.Proxy.Offline
            ? [new DoctorCheck("Stratum 1s", CheckLevel.Ok, "none is asked: Proxy:Offline")]
            : await Stratum1sAsync(read.Configuration, settings, inUse, wantsAll, cancellationToken));
        if (skipped.Count > 0)
        {
            checks.Add(new DoctorCheck("not checked", CheckLevel.Warning,
                $"{string.Join(", ", skipped)}: the settings that name them are wrong", "correct these, and run it again"));
        }

        return checks;
    }

    /// <summary>Of the clusters that concern the site; those of presets that nobody has asked for are no worry.</summary>
    private static async Task<IEnumerable<DoctorCheck>> Stratum1sAsync(
        IConfigurationRoot configuration, BreakwaterSettings settings, string[] inUse, bool wantsAll, CancellationToken cancellationToken)
    {
        ILookup<bool, string> needed = ClusterSections.Of(configuration)
            .ToLookup(cluster => ClusterSections.IsNamed(cluster) || inUse.Contains(cluster.Key, StringComparer.OrdinalIgnoreCase),
            cluster => cluster.Key);
        var sites = needed[true].ToHashSet(StringComparer.OrdinalIgnoreCase);
        DoctorCheck[] checks = await DoctorStratum1s.CheckAsync(
            configuration, settings, wantsAll ? [.. sites, .. needed[false]] : sites, sites, cancellationToken);
        return !wantsAll && needed[false].Any()
            ? [.. checks, new DoctorCheck("presets", CheckLevel.Ok,
                $"no client has asked for {string.Join(", ", needed[false])} yet: not looked at; 'breakwater doctor --all' does")]
            : checks;
    }

    /// <summary>Is a server running, and what does it say of itself and of its repositories' whitelists?</summary>
    private static async Task<(bool IsRunning, string[] InUse, IEnumerable<DoctorCheck> Checks)> RunningAsync(BreakwaterSettings settings,
        CancellationToken cancellationToken)
    {
        try
        {
            using var client = new AdminClient(settings);
            ServerStatus status = await client.GetAsync<ServerStatus>("status", cancellationToken);
            HealthReport health = status.Health;
            RepositoryView[] repositories = await client.GetAsync<RepositoryView[]>("repositories", cancellationToken);
            var running = new DoctorCheck(
                "running", health.Status == HealthLevel.Ready ? CheckLevel.Ok : CheckLevel.Warning,
                $"{health.Status.ToString().ToLowerInvariant()}, admin page on {client.Address}");
            return (true, [.. status.Upstreams.Where(upstream => upstream.IsInUse).Select(upstream => upstream.Cluster).Distinct()],
                [running, .. Declarations(status), .. health.Findings.Select(f => new DoctorCheck(f.Name, CheckLevel.Warning, f.Text)),
                .. repositories.OrderBy(r => r.Repository, StringComparer.Ordinal).Select(r => Whitelist(r, DateTimeOffset.UtcNow))]);
        }
        catch (AdminException e)
        {
            // Without an admin port nobody can tell whose a port in use is.
            return (e.Status is not null || settings.Admin.Listen.Length == 0, [],
                [new DoctorCheck("running", CheckLevel.Warning, e.Message)]);
        }
    }

    /// <summary>What the settings declare and is not a finding; what fails is one.</summary>
    private static IEnumerable<DoctorCheck> Declarations(ServerStatus status) => status.Declared
        .Where(declared => declared.State != DeclaredState.Failed)
        .Select(declared => new DoctorCheck("declared", CheckLevel.Ok,
            $"{declared.Setting}: {declared.Text ?? (declared.State == DeclaredState.Done ? "as declared" : "under way")}"));

    /// <summary>How long clients will still accept a repository: its whitelist is signed for some weeks at a time.</summary>
    internal static DoctorCheck Whitelist(RepositoryView repository, DateTimeOffset now)
    {
        string name = "whitelist " + repository.Repository;
        if (repository.WhitelistExpiresAt is not { } end)
        {
            return (repository.Trust, repository.LastRefusal) switch
            {
                (_, { } refusal) => new DoctorCheck(name, CheckLevel.Warning, "none is accepted", refusal),
                ("none", _) when repository.LastFailure is { } failure => new DoctorCheck(name, CheckLevel.Warning,
                    $"the repository's manifest was asked for and did not come: {failure}",
                    "is the repository's name right? The Stratum 1s are below"),
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
