using System.CommandLine;
using System.Globalization;
using System.Net;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Settings;
using Spectre.Console;

namespace Breakwater.Proxy.Commands.Cluster;

/// <summary><c>breakwater cluster status|leave|join</c>: the nodes as this one sees them, and its own place among them.</summary>
internal static class ClusterStatusCommand
{
    /// <summary>Makes the command that tells.</summary>
    public static Command Create() =>
        Make("status", "The nodes as this one sees them. Exit code 1 when one of them is not as it should be.", (client, stop) =>
            client.GetAsync<ClusterView>("cluster", stop));

    /// <summary>Makes the command by which this node leaves the ring.</summary>
    public static Command CreateLeave() =>
        Make("leave", "This node owns no objects any more, and goes on serving: before it is taken away. Until 'cluster join' or its "
            + "next start.", (client, stop) => client.PostAsync<ClusterView>("cluster/leave", null, stop));

    /// <summary>Makes the command by which it comes back.</summary>
    public static Command CreateJoin() =>
        Make("join", "This node owns its share again, after 'cluster leave'.", (client, stop) =>
            client.PostAsync<ClusterView>("cluster/join", null, stop));

    private static Command Make(string name, string description, Func<AdminClient, CancellationToken, Task<ClusterView>> ask)
    {
        Option<bool> json = Output.JsonOption();
        var command = new Command(name, description) { json, SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => AdminCommand.RunAsync(parsed.GetValue(SettingsFile.Option), async (client, stop) =>
        {
            ClusterView view;
            try
            {
                view = await ask(client, stop);
            }
            catch (AdminException e) when (e.Status == HttpStatusCode.NotFound)
            {
                await Console.Error.WriteLineAsync("This Breakwater is a single node: there is nothing in Cluster:Nodes.");
                return ExitCodes.Found;
            }

            if (parsed.GetValue(json))
            {
                Output.WriteJson(view);
            }
            else
            {
                Write(view);
            }

            return view.Nodes.All(node => node.Problem is null) ? 0 : ExitCodes.Found;
        }, cancellationToken));
        return command;
    }

    private static void Write(ClusterView view)
    {
        Table table = new Table().AddColumns("Node", "Address", "State", "Owns", "Answered", "");
        foreach (NodeRow node in view.Nodes)
        {
            table.AddRow(
                new Text((node.Id ?? "?") + (node.IsSelf ? " (this one)" : "")),
                new Text(node.Address),
                new Text(node.State),
                new Text(StatusCommand.Share(node.OwnedShare)),
                new Text(node.AnsweredSecondsAgo is { } ago ? string.Create(CultureInfo.InvariantCulture, $"{ago:0} s ago") : "never"),
                new Text(node.Problem ?? ""));
        }

        Output.Write(table);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{view.Members} in the ring. {view.Borrowed:N0} objects ({StatusCommand.Size(view.BorrowedBytes)}) came from other nodes, "
            + $"{view.Moved:N0} of them moved here; {view.Served:N0} requests served for them. {view.Strikes:N0} strikes, "
            + $"{view.Hedges:N0} hedges, {view.Refused:N0} refused at the node port."));
        if (!view.IsMember)
        {
            Console.WriteLine("This node has left the ring or is about to stop.");
        }
    }
}
