using System.CommandLine;
using System.Globalization;
using Breakwater.CacheStore.Pins;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;
using Spectre.Console;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater pin</c>: what the running proxy keeps from eviction.</summary>
internal static class PinCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create() => new("pin", "The pins: objects that are kept from eviction, whatever else is asked for.")
    {
        List(), WarmCommand.Create("add", "Fetch something and pin it under a name: by the running proxy, behind its clients."), Remove(),
    };

    private static Command List()
    {
        Option<bool> json = Output.JsonOption();
        Option<bool> allNodes = AllNodes.Option();
        var command = new Command("list", "All pins, with how much of them is here.") { allNodes, json, SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => AllNodes.RunAsync(
            parsed.GetValue(SettingsFile.Option), parsed.GetValue(allNodes), async (client, stop) =>
        {
            PinSet[] pins = await client.GetAsync<PinSet[]>("pins", cancellationToken);
            if (parsed.GetValue(json))
            {
                Output.WriteJson(pins);
                return 0;
            }

            Table table = new Table().AddColumns("Pin", "Complete", "Objects", "Here", "Of");
            foreach (PinSet pin in pins)
            {
                table.AddRow(
                    new Text(pin.Name),
                    new Text(StatusCommand.Share(pin.Objects == 0 ? null : (double)pin.PresentObjects / pin.Objects)),
                    new Text(pin.Objects.ToString(CultureInfo.InvariantCulture)),
                    new Text(StatusCommand.Size(pin.PresentBytes)),
                    new Text(WhoseOf(pin.Name)));
            }

            Output.Write(table);
            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command Remove()
    {
        var name = new Argument<string>("name")
        {
            Description = "The pin, as 'pin list' shows it; of one that 'pin add --name' made, its NAME",
        };
        Option<bool> json = Output.JsonOption();
        Option<bool> allNodes = AllNodes.Option();
        var command = new Command("remove", "Let a pin go: its objects stay until the room is needed.") { name, allNodes, json,
            SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => AllNodes.RunAsync(
            parsed.GetValue(SettingsFile.Option), parsed.GetValue(allNodes), (client, stop) => AdminCommand.OnNamedAsync(async () =>
        {
            string asked = parsed.GetRequiredValue(name);
            PinSet removed = await client.DeleteAsync<PinSet>($"pins?name={Uri.EscapeDataString(asked)}", cancellationToken);
            if (parsed.GetValue(json))
            {
                Output.WriteJson(removed);
                return 0;
            }

            Console.WriteLine($"{removed.Name} is no pin any more: {removed.Objects} objects.");
            if (IsStanding(removed.Name))
            {
                Console.WriteLine(
                    "The repository's working sets are pinned again at its next revision; 'breakwater profile remove' ends that.");
            }

            return 0;
        }), cancellationToken));
        return command;
    }

    private static bool IsStanding(string pin) =>
        new PinName(pin).TryGetRepository(out Fqrn fqrn) && pin.StartsWith(PinName.StandingPrefix(fqrn), StringComparison.Ordinal);

    private static string WhoseOf(string pin) =>
        new PinName(pin).TryGetSeed(out _) ? "a seed"
        : new PinName(pin).IsDeclared ? "Pins in the settings" : IsStanding(pin) ? "the working sets, at each revision" : "warm, pin add";
}
