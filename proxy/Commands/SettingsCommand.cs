using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// <c>breakwater settings</c>: are they right, and which are in force? Looks at files and environment alone, not at a running server.
/// </summary>
internal static class SettingsCommand
{
    private static readonly JsonSerializerOptions s_value = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create() =>
        new("settings", "The settings: check a file before it is in force, show what is in force and where it comes from.")
    {
        Check(), Show(),
    };

    private static Command Check()
    {
        Argument<FileInfo> file = new Argument<FileInfo>("file")
        {
            Description = "The file to check in place of /etc/breakwater/appsettings.json",
            Arity = ArgumentArity.ZeroOrOne,
        }.AcceptExistingOnly();
        Option<bool> json = Output.JsonOption();
        var command =
            new Command("check", "Check the settings as 'serve' does, with all mistakes and where they stand. Starts and changes nothing.")
        {
            file, json, SettingsFile.Option,
        };
        command.SetAction(parsed => RunCheck(parsed.GetValue(file) ?? parsed.GetValue(SettingsFile.Option), parsed.GetValue(json)));
        return command;
    }

    private static int RunCheck(FileInfo? file, bool asJson)
    {
        string[] files = [.. SettingsFile.PathsOf(file).Where(File.Exists)];
        try
        {
            (_, BreakwaterSettings settings) = SettingsFile.Read(file);
            if (asJson)
            {
                Output.WriteJson(new { IsRight = true, Files = files, Mistakes = Array.Empty<object>() });
            }
            else
            {
                Console.WriteLine(
                    $"The settings are right: {settings.Repositories.Count} repository patterns, store at {settings.Store.Path}.");
                Console.WriteLine($"Read: {string.Join(", ", files)}, and the environment.");
            }

            return 0;
        }
        catch (SettingsException e) when (asJson)
        {
            Output.WriteJson(new
            {
                IsRight = false,
                Files = files,
                Mistakes = e.Mistakes.Select(mistake => new { mistake.Text, mistake.Places }),
            });
            return ExitCodes.WrongSettings;
        }
    }

    private static Command Show()
    {
        Option<bool> json = Output.JsonOption();
        var command =
            new Command("show",
            "Show every setting in force, defaults too, with the place that it comes from. Passwords and the SNMP community are not shown.")
        {
            json, SettingsFile.Option,
        };
        command.SetAction(parsed =>
        {
            SettingsSources sources = SettingsFile.LoadSources(parsed.GetValue(SettingsFile.Option));
            IReadOnlyList<EffectiveSetting> all = EffectiveSettings.List(sources, sources.Bind());
            if (parsed.GetValue(json))
            {
                Output.WriteJson(all);
                return;
            }

            foreach (EffectiveSetting setting in all)
            {
                Console.WriteLine($"{setting.Name} = {JsonSerializer.Serialize(setting.Value, s_value)}  # {setting.From}");
            }
        });
        return command;
    }
}
