using System.CommandLine;
using System.Net;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary><c>--all-nodes</c>: a command acts on each node of the site, and says which one lacks it.</summary>
internal static class AllNodes
{
    /// <summary>The option; each command has its own.</summary>
    public static Option<bool> Option() => new("--all-nodes")
    {
        Description = "Do it on every node of the site (Cluster:Nodes). Exit code 69 when a node lacks it then; it is named",
    };

    /// <summary>Runs a command here, or on all nodes.</summary>
    /// <param name="settingsFile">Value of <see cref="SettingsFile.Option"/>.</param>
    /// <param name="onAll">Value of the option.</param>
    /// <param name="run">The command on one node; its result is the exit code.</param>
    /// <param name="cancellationToken">Ctrl+C.</param>
    public static Task<int> RunAsync(FileInfo? settingsFile, bool onAll, Func<AdminClient, CancellationToken, Task<int>> run,
        CancellationToken cancellationToken) => onAll
        ? AdminCommand.RunAsync(settingsFile, (here, token) => OnAllAsync(here, run, token), cancellationToken)
        : AdminCommand.RunAsync(settingsFile, run, cancellationToken);

    private static async Task<int> OnAllAsync(
        AdminClient here, Func<AdminClient, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        ClusterView site;
        try
        {
            site = await here.GetAsync<ClusterView>("cluster", cancellationToken);
        }
        catch (AdminException e) when (e.Status == HttpStatusCode.NotFound)
        {
            throw new AdminException("This Breakwater is no node of a site: Cluster:Nodes is empty, so there are no others.", e.Status, e);
        }

        List<string> lacking = [];
        int worst = 0;
        foreach (NodeRow node in site.Nodes.OrderByDescending(node => node.IsSelf).ThenBy(node => node.Id, StringComparer.Ordinal))
        {
            string name = node.Id ?? node.Address;
            await Console.Error.WriteLineAsync($"{name}:"); // standard output is the command's own
            try
            {
                using AdminClient there = here.At(node.IsSelf ? null : name);
                worst = Math.Max(worst, await run(there, cancellationToken));
            }
            catch (Exception e) when (e is AdminException or HttpRequestException or IOException)
            {
                lacking.Add(name);
                await Console.Error.WriteLineAsync(e.Message);
            }
        }

        if (lacking.Count == 0)
        {
            return worst;
        }

        await Console.Error.WriteLineAsync(
            $"Not done on {string.Join(", ", lacking)}: run it again when they are back ('breakwater doctor' shows what they lack), or "
            + "declare it in the settings of all nodes (Pins, Seeds:Files), which each applies at its next start or reload.");
        return ExitCodes.Unavailable;
    }
}
