using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Breakwater.CacheStore.Quotas;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Spectre.Console;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater status</c>: what the running Breakwater does, on one screen.</summary>
internal static class StatusCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "Print one JSON object, as GET /api/v1/status gives it" };
        var command =
            new Command("status",
            "What the running Breakwater does: health, hits, fetches, boots, Stratum 1s. Exit code 1 when it is not ready, 69 when none "
            + "answers.")
        {
            SettingsFile.Option, json,
        };
        command.SetAction((parsed, cancellationToken) => AdminCommand.RunAsync(
            parsed.GetValue(SettingsFile.Option), (client, token) => RunAsync(client, parsed.GetValue(json), token), cancellationToken));
        return command;
    }

    /// <summary>Sizes as people read them, in powers of 1000.</summary>
    public static string Size(double bytes)
    {
        string[] units = ["B", "KB", "MB", "GB", "TB", "PB"];
        int unit = 0;
        for (; bytes >= 1000 && unit < units.Length - 1; unit++)
        {
            bytes /= 1000;
        }

        return bytes.ToString(unit > 0 && bytes < 100 ? "0.0" : "0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    /// <summary>The screen, shared with <c>top</c>.</summary>
    public static Table Screen(ServerStatus status)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumns("", "");
        void Row(string name, string value) => table.AddRow(new Markup($"[grey]{name}[/]"), new Markup(value));
        string colour = status.Health.Status switch { HealthLevel.Ready => "green", HealthLevel.Degraded => "yellow", _ => "red" };
        Row("health",
            $"[{colour}]{status.Health.Status.ToString().ToLowerInvariant()}[/]  version {status.Version}, up "
            + $"{TimeSpan.FromSeconds(Math.Floor(status.UptimeSeconds)):c}");
        foreach (HealthFinding finding in status.Health.Findings)
        {
            Row("", $"[{colour}]{finding.Name}[/] {Markup.Escape(finding.Text)}");
        }

        Row("hits", status.Requests == 0
            ? "nobody has asked for anything yet"
            : $"{Share(status.HitRatio)} of requests, {Share(status.ByteHitRatio)} of bytes; "
                + $"{Size(status.BytesSaved)} upstream bytes saved");
        Row("requests",
            string.Create(CultureInfo.InvariantCulture,
            $"{status.Requests:N0}, {Size(status.BytesSent)} sent (memory {Size(status.MemoryBytes)}, disk "
            + $"{Size(status.DiskBytes)}), {Size(status.UpstreamBytes)} from Stratum 1s{Limit(status)}{Unanswered(status)}"));
        Row("fetches",
            string.Create(CultureInfo.InvariantCulture,
            $"{status.Fetches} under way for {status.FetchFollowers} requests, {status.FetchesWaiting} in line"));
        Row("boots",
            string.Create(CultureInfo.InvariantCulture,
            $"{status.Storm.Booting} booting, {status.Storm.Done} done, {status.Storm.Stopped} stopped half-way")
            + (status.Storm.MedianMs is { } median
            ? string.Create(CultureInfo.InvariantCulture, $"; median {median:N0} ms, slowest {status.Storm.MaxMs ?? 0:N0} ms")
            : ""));
        if (status.Nodes is { } nodes)
        {
            Row("nodes", Markup.Escape(nodes));
        }

        Row("store",
            $"{Markup.Escape(status.StorePath)}, {(status.StoreDiskFreeBytes < 0 ? "?" : Size(status.StoreDiskFreeBytes))} free on its "
            + $"disk; process memory {Size(status.WorkingSetBytes)}");
        foreach (ShareUse use in status.Shares.Where(use => use.QuotaBytes is not null))
        {
            string colourOfUse = use.Bytes > use.QuotaBytes ? "yellow" : "default";
            Row("quota", $"{Markup.Escape(use.Name)}: [{colourOfUse}]{Size(use.Bytes)}[/] of {Size(use.QuotaBytes ?? 0)}");
        }

        foreach (string bootable in status.Bootable)
        {
            Row("seed", Markup.Escape(bootable));
        }

        foreach (Declared declared in status.Declared.Where(one => one.State != DeclaredState.Failed)) // those are findings
        {
            string how = declared.Text ?? (declared.State == DeclaredState.Done ? "as declared" : "under way");
            Row("declared", $"{Markup.Escape(declared.Setting)}: {Markup.Escape(how)}");
        }

        if (status.Unverified.Count > 0)
        {
            Row("unverified",
                $"[yellow]{Markup.Escape(string.Join(", ", status.Unverified))}[/]: no master key in Repositories:KeysDirectory");
        }

        foreach (IGrouping<string, UpstreamStatus> cluster in status.Upstreams.Where(u => u.IsInUse).GroupBy(u => u.Cluster))
        {
            Row(Markup.Escape(cluster.Key), string.Join("  ", cluster.Select(Stratum1)));
        }

        string[] unused = [.. status.Upstreams.Where(u => !u.IsInUse).Select(u => u.Cluster).Distinct(StringComparer.Ordinal)];
        if (unused.Length > 0)
        {
            Row("not asked yet", $"[grey]{Markup.Escape(string.Join(", ", unused))}[/]");
        }

        return table;
    }

    private static string Limit(ServerStatus status) => status.UpstreamLimit is { } limit ? $" (limit {Size(limit)}/s)" : "";

    /// <summary>A share as people read it; of nothing, a dash.</summary>
    public static string Share(double? share) => share is { } known ? known.ToString("P1", CultureInfo.InvariantCulture) : "–";

    private static string Unanswered(ServerStatus status) => string.Concat(
        status.Results.Where(r => r.Requests > 0 && (r.Result is "refused" or "failed"))
            .Select(r => string.Create(CultureInfo.InvariantCulture, $"; [yellow]{r.Requests:N0} {r.Result}[/]")));

    private static string Stratum1(UpstreamStatus upstream)
    {
        string name = Markup.Escape(upstream.Upstream);
        return upstream.State switch
        {
            Stratum1State.Answers => $"[green]{name}[/]",
            Stratum1State.NotAskedYet => $"{name} [grey](not asked yet)[/]",
            Stratum1State.Failing => $"[yellow]{name}[/] (failed last)",
            _ => $"[red]{name}[/] (asked last)",
        };
    }

    private static async Task<int> RunAsync(AdminClient client, bool json, CancellationToken cancellationToken)
    {
        ServerStatus status = await client.GetAsync<ServerStatus>("status", cancellationToken);
        if (json)
        {
            Output.WriteJson(status);
        }
        else
        {
            Output.Write(Screen(status));
        }

        return status.Health.Status == HealthLevel.Unready ? 1 : 0;
    }
}
