using System.CommandLine;
using Breakwater.CacheStore.Disk;
using Breakwater.Proxy.Commands.Publish;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Lab;

/// <summary>
/// <c>breakwater lab up DIRECTORY</c>: keys where there are none, the directory published, the lab's key where this proxy looks for it, and
/// what
/// DHCP and the settings still have to say. Run again, it publishes what changed.
/// </summary>
internal static class LabUpCommand
{
    /// <summary>The tag that machines boot.</summary>
    public const string BootTag = "HEAD";

    private static readonly Argument<DirectoryInfo> s_directory = new("DIRECTORY")
    {
        Description = "The directory with the operating system",
    };

    private static readonly Option<string> s_proxy = new("--proxy")
    {
        Description = "This proxy as machines reach it, for the DHCP hints",
        HelpName = "HOST:PORT",
        Required = true,
    };

    private static readonly Option<FileInfo> s_dnsmasq = new("--dnsmasq")
    {
        Description = "Write the DHCP lines into this file, such as /etc/dnsmasq.d/lab.conf; else they are printed",
        HelpName = "FILE",
    };

    private static readonly Option<DirectoryInfo> s_image = new("--image")
    {
        Description = "Put the kernel and initrd that 'deployment/microvm/build.sh --user-data-key' of the source made there into "
            + "ZeroTouch:BootDirectory, with a script for this lab",
        HelpName = "DIRECTORY",
    };

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        s_image.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && BootFolder.Missing(result.Tokens[0].Value) is { } missing)
            {
                result.AddError("--image: " + missing);
            }
        });
        s_proxy.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !SettingsValidator.IsHostAndPort(result.Tokens[0].Value))
            {
                result.AddError($"--proxy: '{result.Tokens[0].Value}' is not host:port, such as proxy1.example.org:3128 or 10.0.0.5:3128.");
            }
        });
        Command command = new("up", "Publish a directory, trust it here, and say what machines need to boot it")
        {
            s_directory, PublishPlace.Repository, s_proxy, s_dnsmasq, s_image, PublishPlace.Output, PublishPlace.Keys, SettingsFile.Option,
        };
        PublishPlace.SetAction(command, RunAsync);
        return command;
    }

    /// <summary>The lines for dnsmasq: machines that run iPXE load the script of the boot folder from this proxy.</summary>
    /// <param name="proxy">Host and port of this proxy.</param>
    public static string DnsmasqLines(string proxy) => $"""
        # Machines that run iPXE load the boot script from Breakwater. Plain HTTP authenticates nothing: see docs/operate/boot-a-lab.md.
        dhcp-match=set:ipxe,175
        dhcp-boot=tag:ipxe,http://{proxy}/boot/boot.ipxe

        """;

    /// <summary>What the settings lack for this lab, as JSON to put into the settings file; null: nothing.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="fqrn">The repository.</param>
    public static string? MissingSettings(BreakwaterSettings settings, string fqrn)
    {
        bool isServed = settings.Repositories.TryGetValue(fqrn, out RepositoryOptions? repository) && repository.Published;
        bool hasBoot = !string.IsNullOrEmpty(settings.ZeroTouch.BootDirectory);
        string[] missing =
        [
            .. isServed ? (string[])[] : [$"\"Repositories\": {{ \"{fqrn}\": {{ \"Published\": true }} }}"],
            .. hasBoot ? (string[])[] : ["\"ZeroTouch\": { \"BootDirectory\": \"/srv/boot\" }"],
        ];
        return missing.Length == 0 ? null : $"{{ {string.Join(", ", missing)} }}";
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PublishPlace place = PublishPlace.Of(parsed);
        BreakwaterSettings settings = SettingsFile.Read(place.SettingsFrom).Settings;
        PublishKeys keys = place.PublishKeys;
        if (!NamedPath.IsFile(keys.PublicPath))
        {
            keys.Create(keys.MasterPath, TimeProvider.System.GetUtcNow(), place.WhitelistValidity);
            Console.WriteLine(
                $"Keys are made in {keys.Folder}. {keys.MasterPath} can sign anything in the name of this lab: "
                    + "take it to another machine.");
        }

        var request = new PublishRequest
        {
            Directory = parsed.GetRequiredValue(s_directory).FullName,
            Fqrn = place.Fqrn,
            Output = place.Folder,
            Keys = place.KeysFolder,
            Moves = [BootTag],
            WhitelistValidity = place.WhitelistValidity,
        };
        PublishView.Show(await new Publisher(request, TimeProvider.System).RunAsync(cancellationToken), place);
        Trust(keys, place, settings);
        await StoreDelivery.RunAsync(place, cancellationToken);
        Boot(parsed, place, settings);
        Tell(parsed, place, settings);
        return 0;
    }

    /// <summary>Puts the image into the folder that machines load it from.</summary>
    private static void Boot(ParseResult parsed, PublishPlace place, BreakwaterSettings settings)
    {
        if (parsed.GetValue(s_image) is { } image && settings.ZeroTouch.BootDirectory is { Length: > 0 } folder)
        {
            string proxy = parsed.GetRequiredValue(s_proxy);
            BootFolder.Fill(folder, image.FullName, BootFolder.ScriptFor(place.Fqrn, proxy, place.PublishKeys.ReadPublic()));
            Console.WriteLine($"Machines load kernel, initrd and script from {folder}, that is http://{proxy}/boot/{BootFolder.Script}.");
        }
    }

    /// <summary>Puts the lab's key where this proxy looks for keys, so that what it serves is verified here, too.</summary>
    private static void Trust(PublishKeys keys, PublishPlace place, BreakwaterSettings settings)
    {
        string trusted = Path.Combine(settings.Trust.KeysDirectory, place.Fqrn + ".pub");
        if (!NamedPath.IsFile(trusted))
        {
            Directory.CreateDirectory(settings.Trust.KeysDirectory);
            WholeFile.Write(trusted, System.Text.Encoding.ASCII.GetBytes(keys.ReadPublic()), WholeFile.Readable);
            Console.WriteLine($"Trusted here: {trusted}. Machines need the same key in their image or user data.");
        }
    }

    private static void Tell(ParseResult parsed, PublishPlace place, BreakwaterSettings settings)
    {
        string lines = DnsmasqLines(parsed.GetRequiredValue(s_proxy));
        if (parsed.GetValue(s_dnsmasq) is { } file)
        {
            WholeFile.Write(file.FullName, System.Text.Encoding.ASCII.GetBytes(lines), WholeFile.Readable);
            Console.WriteLine($"DHCP: {file.FullName} is written; 'systemctl restart dnsmasq' reads it.");
        }
        else
        {
            Console.Write("\nFor dnsmasq:\n" + lines);
        }

        if (MissingSettings(settings, place.Fqrn) is { } missing)
        {
            Console.WriteLine($"\nTo be added to the settings, then run this again:\n{missing}");
        }

        string? boot = settings.ZeroTouch.BootDirectory;
        if (!string.IsNullOrEmpty(boot) && !NamedPath.IsFile(Path.Combine(boot, BootFolder.Script)))
        {
            Console.WriteLine(
                $"\n{boot} has no {BootFolder.Script} yet: '--image DIRECTORY' puts there what deployment/microvm/build.sh of the source "
                + "made.");
        }
    }
}
