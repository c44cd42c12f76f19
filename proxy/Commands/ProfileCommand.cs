using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Spectre.Console;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater profile</c>: the working sets of the running proxy.</summary>
internal static class ProfileCommand
{
    private static readonly JsonSerializerOptions s_indented =
        new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create() => new("profile", "The working sets: what boots read, learned from boots or handed in.")
    {
        List(), Show(), Export(), Import(), Remove(),
    };

    private static Argument<string> Repository() => new("repository") { Description = "The repository's full name" };

    private static Argument<string> Name() => new("name") { Description = "The set's name" };

    private static Argument<string?> Optional(Argument<string> of) =>
        new(of.Name) { Description = of.Description, Arity = ArgumentArity.ZeroOrOne };

    /// <summary>Where the admin API has a set.</summary>
    public static string PathOf(string repository, string name) =>
        $"working-sets/{Uri.EscapeDataString(repository)}/{Uri.EscapeDataString(name)}";

    private static Task<int> OnSetAsync(ParseResult parsed, Func<AdminClient, Task<int>> act, CancellationToken cancellationToken) =>
        AdminCommand.RunAsync(
            parsed.GetValue(SettingsFile.Option), (client, _) => AdminCommand.OnNamedAsync(() => act(client)), cancellationToken);

    private static Command List()
    {
        Option<bool> json = Output.JsonOption();
        var command = new Command("list", "All working sets.") { json, SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => AdminCommand.RunAsync(parsed.GetValue(SettingsFile.Option), async (client, stop) =>
        {
            WorkingSetView[] sets = await client.GetAsync<WorkingSetView[]>("working-sets", cancellationToken);
            if (parsed.GetValue(json))
            {
                Output.WriteJson(sets);
                return 0;
            }

            var table = new Table().AddColumns("Repository", "Name", "Source", "Boots", "Entries", "Follows", "Updated");
            foreach (WorkingSetView set in sets)
            {
                string follows = string.Join(", ", set.Snapshots.Select(tag => tag.Length == 0 ? "newest revision" : tag));
                table.AddRow([.. ((string[])[
                    set.Repository, set.Name, set.Source.ToString(), set.Boots.ToString(CultureInfo.InvariantCulture),
                        set.Entries.ToString(CultureInfo.InvariantCulture),
                    follows, set.UpdatedAt.ToString("u", CultureInfo.InvariantCulture)]).Select(Markup.Escape)]);
            }

            Output.Write(table);
            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command Show()
    {
        (Argument<string> repository, Argument<string> name) = (Repository(), Name());
        Option<bool> json = Output.JsonOption();
        var command =
            new Command("show", "What is in a working set, in the order in which it is read.") { repository, name, json,
            SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => OnSetAsync(parsed, async client =>
        {
            JsonElement set =
                await client.GetAsync<JsonElement>(PathOf(parsed.GetValue(repository)!, parsed.GetValue(name)!), cancellationToken);
            if (parsed.GetValue(json))
            {
                Output.WriteJson(set);
                return 0;
            }

            foreach (JsonElement entry in set.GetProperty("entries").EnumerateArray())
            {
                string what = entry.TryGetProperty("path", out JsonElement path)
                    ? (path.GetString() is { Length: > 0 } text ? text : "/")
                    : entry.GetProperty("key").GetString()!;
                string offset = entry.TryGetProperty("offsetMs", out JsonElement ms)
                    ? ms.GetDouble().ToString("0", CultureInfo.InvariantCulture) + " ms"
                    : "";
                Console.WriteLine($"{offset,10}  {what}{(entry.TryGetProperty("catalogOnly", out _) ? "  (catalogs only)" : "")}");
            }

            if (set.TryGetProperty("wholeDirectories", out JsonElement directories))
            {
                foreach (JsonElement directory in directories.EnumerateArray())
                {
                    Console.WriteLine($"{"",10}  {directory.GetString()}/*  (belongs whole)");
                }
            }

            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command Export()
    {
        (Argument<string?> repository, Argument<string?> name) = (Optional(Repository()), Optional(Name()));
        var all = new Option<bool>("--all") { Description = "All sets, of all repositories or of the one named, as one list" };
        var command =
            new Command("export", "Write a working set as JSON to standard output.") { repository, name, all, SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => OnSetAsync(parsed, async client =>
        {
            (string? fqrn, string? set) = (parsed.GetValue(repository), parsed.GetValue(name));
            if (parsed.GetValue(all) ? set is not null : fqrn is null || set is null)
            {
                await Console.Error.WriteLineAsync("Name a repository and a set, or --all with or without a repository.");
                return ExitCodes.WrongUsage;
            }

            Console.WriteLine(parsed.GetValue(all)
                ? JsonSerializer.Serialize(await ProfileTransfer.ExportAsync(client, fqrn, cancellationToken), s_indented)
                : JsonSerializer.Serialize(await client.GetAsync<JsonElement>(PathOf(fqrn!, set!), cancellationToken), s_indented));
            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command Import()
    {
        (Argument<string?> repository, Argument<string?> name) = (Optional(Repository()), Optional(Name()));
        var all = new Option<FileInfo?>("--all")
        {
            Description = "Every set of a list that 'profile export --all' wrote, perhaps at another site",
            HelpName = "FILE",
        };
        var file = new Argument<FileInfo?>("file")
        {
            Description =
            "An exported set, a client's trace (CVMFS_TRACEFILE), or a list of paths and globs",
            Arity = ArgumentArity.ZeroOrOne
        };
        var tag = new Option<string?>("--tag") { Description = "The tag that is booted; default: the newest revision" };
        var pins = new Option<string?>("--pin-file")
        {
            Description =
            "A pin file of the repository instead of a file, for example /cvm4/.ucernvm_pinfiles"
        };
        Option<bool> json = Output.JsonOption();
        var command = new Command("import", "Hand a working set in.") { repository, name, file, tag, pins, all, json,
            SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => AdminCommand.RunAsync(parsed.GetValue(SettingsFile.Option), async (client, stop) =>
        {
            if (parsed.GetValue(all) is { } list)
            {
                return await ImportAllAsync(client, list, parsed.GetValue(json), cancellationToken);
            }

            FileInfo? source = parsed.GetValue(file);
            if (parsed.GetValue(name) is null || source is null == parsed.GetValue(pins) is null)
            {
                await Console.Error.WriteLineAsync("Name a repository, a set, and either a file or --pin-file; or --all FILE alone.");
                return ExitCodes.WrongUsage;
            }

            string query =
                string.Join('&', ((string, string?)[])[("tag", parsed.GetValue(tag)), ("pinFile", parsed.GetValue(pins))] is var pairs
                ? pairs.Where(pair => pair.Item2 is not null).Select(pair => $"{pair.Item1}={Uri.EscapeDataString(pair.Item2!)}") : []);
            using var body = new MemoryStream(source is null ? [] : await GivenFile.ReadAsync(source.FullName, cancellationToken));
            WorkingSetView set =
                await client.UploadAsync<WorkingSetView>($"{PathOf(parsed.GetValue(repository)!, parsed.GetValue(name)!)}?{query}", body,
                cancellationToken);
            if (set.SkippedLines is { } skipped)
            {
                await Console.Error.WriteLineAsync(
                    $"Note: {skipped} lines of the trace are cut, as the client does at a byte beyond ASCII, and were skipped.");
            }

            foreach (string path in set.Unmatched ?? [])
            {
                await Console.Error.WriteLineAsync($"Note: {path} matches nothing in {set.Repository} now.");
            }

            if (parsed.GetValue(json))
            {
                Output.WriteJson(set);
                return 0;
            }

            Console.WriteLine(
                $"{set.Name} of {set.Repository}: {set.Entries} entries, {set.WholeDirectories} whole directories. Fetch it with: "
                + $"breakwater warm {set.Repository} --working-set {set.Name}");
            return 0;
        }, cancellationToken));
        return command;
    }

    private static async Task<int> ImportAllAsync(AdminClient client, FileInfo list, bool isJson, CancellationToken cancellationToken)
    {
        byte[] text = await GivenFile.ReadAsync(list.FullName, cancellationToken);
        List<WorkingSetView> imported;
        int refused;
        try
        {
            (imported, refused) = await ProfileTransfer.ImportAsync(client, text, cancellationToken);
        }
        catch (JsonException e)
        {
            await Console.Error.WriteLineAsync($"{list.FullName} is no list of working sets: {e.Message}");
            return ExitCodes.Refused;
        }

        if (isJson)
        {
            Output.WriteJson(imported);
        }
        else
        {
            imported.ForEach(set => Console.WriteLine($"{set.Name} of {set.Repository}: {set.Entries} entries"));
        }

        return refused == 0 ? 0 : ExitCodes.Refused;
    }

    private static Command Remove()
    {
        (Argument<string> repository, Argument<string> name) = (Repository(), Name());
        Option<bool> json = Output.JsonOption();
        var command =
            new Command("remove", "Forget a working set. What it fetched stays in the store as long as there is room.") { repository, name,
            json, SettingsFile.Option };
        command.SetAction((parsed, cancellationToken) => OnSetAsync(parsed, async client =>
        {
            JsonElement removed =
                await client.DeleteAsync<JsonElement>(PathOf(parsed.GetValue(repository)!, parsed.GetValue(name)!), cancellationToken);
            if (parsed.GetValue(json))
            {
                Output.WriteJson(removed);
                return 0;
            }

            Console.WriteLine("Removed.");
            return 0;
        }, cancellationToken));
        return command;
    }
}
