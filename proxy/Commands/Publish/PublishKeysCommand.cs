using System.CommandLine;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish keys</c>: makes the keys of a new repository.</summary>
internal static class PublishKeysCommand
{
    private static readonly Option<bool> s_new = new("--new") { Description = "Make keys; without it, those that are there are shown" };

    private static readonly Option<FileInfo> s_offline = new("--offline")
    {
        Description = "Where the secret master key goes instead of the folder of the keys: a medium that leaves this machine",
        HelpName = "FILE",
    };

    private static readonly Option<bool> s_masterHere = new("--master-here")
    {
        Description = "Keep the secret master key in the folder of the keys, so that this machine renews the whitelist by itself",
    };

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        Command command = new("keys", "Make or show the keys of a repository; the master key belongs on another machine")
        {
            s_new, s_offline, s_masterHere, PublishPlace.Repository, PublishPlace.Keys, SettingsFile.Option,
        };
        PublishPlace.SetAction(command, (parsed, _) => Task.FromResult(Run(parsed)));
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        PublishPlace place = PublishPlace.Of(parsed);
        PublishKeys keys = place.PublishKeys;
        if (!parsed.GetValue(s_new))
        {
            Show(keys);
            return 0;
        }

        string? offline = parsed.GetValue(s_offline)?.FullName;
        if ((offline is null) != parsed.GetValue(s_masterHere))
        {
            throw new PublishException(
                "Say where the secret master key goes: --offline FILE on a medium that leaves this machine (better), or --master-here.");
        }

        string master = offline ?? keys.MasterPath;
        keys.Create(master, TimeProvider.System.GetUtcNow(), place.WhitelistValidity);
        Console.WriteLine($"Keys of {place.Fqrn} are made, and a whitelist that is valid for {place.WhitelistValidity.TotalDays:0} days.");
        Show(keys);
        Console.WriteLine(offline is null
            ? $"{master} can sign anything in the name of this repository: whoever reads it owns the lab."
            : $"{master} is the secret master key: take it away from this machine, and keep a copy of it.");
        return 0;
    }

    private static void Show(PublishKeys keys)
    {
        foreach ((string path, string what) in (ReadOnlySpan<(string, string)>)[
            (keys.PublicPath, "public key, for clients and for Repositories:KeysDirectory"), (keys.CertificatePath, "certificate"),
            (keys.SigningPath, "secret: signs revisions"), (keys.MasterPath, "secret: signs whitelists"),
            (keys.WhitelistPath, "whitelist")])
        {
            Console.WriteLine($"{path}: {(NamedPath.IsFile(path) ? what : "not here")}");
        }
    }
}
