using System.CommandLine;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater warm</c>: the running proxy fetches a working set, paths or a whole snapshot, behind its clients.</summary>
internal static class WarmCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create() =>
        Create("warm", "Fetch what boots read before they ask: by the running proxy, behind its clients. What was asked for is pinned.");

    /// <summary>The same under another name.</summary>
    public static Command Create(string commandName, string description)
    {
        var repository = new Argument<string>("repository") { Description = "The repository's full name" };
        var tag = new Option<string?>("--tag") { Description = "The tag; default: what the working sets name, else the newest revision" };
        var paths = new Option<string[]>("--paths")
        {
            Description = "Paths and globs (*, ?, **) instead of working sets",
            AllowMultipleArgumentsPerToken = true
        };
        var set = new Option<string?>("--working-set") { Description = "One working set; default: all of the repository" };
        var all = new Option<bool>("--all") { Description = "Everything in the snapshot" };
        var name = new Option<string?>("--name")
        {
            Description = "Name of the pin; default: made of tag and working set",
            HelpName = "NAME"
        };
        var allowMissing =
            new Option<bool>("--allow-missing") { Description = "Succeed when some of --paths match nothing; they are named in any case" };
        Option<bool> allNodes = AllNodes.Option();
        Option<bool> json = new("--json") { Description = "Print the last report as JSON and nothing else on standard output" };
        var command =
            new Command(commandName, description)
            {
                repository, tag, paths, set, all, name, allowMissing, allNodes, json, SettingsFile.Option,
            };
        command.SetAction((parsed, cancellationToken) =>
            AllNodes.RunAsync(parsed.GetValue(SettingsFile.Option), parsed.GetValue(allNodes), (client, _) => RunAsync(
            client,
            new WarmOrder(parsed.GetValue(repository)!, parsed.GetValue(tag), parsed.GetValue(paths), parsed.GetValue(set),
            parsed.GetValue(all), parsed.GetValue(name)),
            parsed.GetValue(allowMissing),
            parsed.GetValue(json),
            cancellationToken), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(AdminClient client, WarmOrder order, bool allowMissing, bool asJson,
        CancellationToken cancellationToken)
    {
        WarmReport? last = null;
        await foreach (WarmReport report in client.StreamAsync<WarmReport>(HttpMethod.Post, "warm", order, cancellationToken))
        {
            if (report != last && report.Total > 0 && !asJson)
            {
                Console.WriteLine(
                    $"{report.Present + report.Fetched + report.Failed} of {report.Total} objects: {report.Present} were here, "
                    + $"{report.Fetched} fetched, {report.Failed} not to be had");
            }

            last = report;
        }

        if (asJson)
        {
            Output.WriteJson(last);
        }
        else if (last?.Pin is { } pin)
        {
            Console.WriteLine($"Pinned as {pin}. It is let go by: breakwater pin remove {pin}");
        }

        if (last?.Problem is { } problem)
        {
            await Console.Error.WriteLineAsync(problem);
        }

        // A learned set may name what a newer revision has no more; a list was written by hand.
        bool isLacking = order.Paths is { Count: > 0 } && last?.Unmatched is not null;
        foreach (string path in isLacking ? last!.Unmatched! : [])
        {
            await Console.Error.WriteLineAsync($"{path} matches no file (for all below a directory write {path.TrimEnd('/', '*')}/**)");
        }

        // Where other commands take a list, this one takes what would stand in it.
        foreach (string list in isLacking ? order.Paths!.Where(File.Exists) : [])
        {
            await Console.Error.WriteLineAsync($"{list} is a file here. A list is handed in by 'breakwater profile import "
                + $"{order.Repository} NAME {list}', and then fetched by '--working-set NAME'.");
        }

        return isLacking && !allowMissing ? 1 : last is { IsDone: true, Problem: null, Failed: 0 } ? 0 : 1;
    }
}
