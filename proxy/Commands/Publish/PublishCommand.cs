using System.CommandLine;
using System.Globalization;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish</c>: a directory becomes a repository that CernVM-FS clients read, without a CernVM-FS server.</summary>
internal static class PublishCommand
{
    private static readonly Argument<DirectoryInfo> s_directory = new Argument<DirectoryInfo>("DIRECTORY")
    {
        Description = "The directory that becomes the root of the repository",
    };

    private static readonly Option<string> s_tag = Tagged("--tag", "A new name for this revision");

    private static readonly Option<string[]> s_moves = new("--move")
    {
        Description = "A name that is set to this revision, new or not, such as the one that machines boot; may be given several times",
        HelpName = "TAG",
    };

    private static readonly Option<string> s_description = new("--description")
    {
        Description = "What is said of the tags",
        HelpName = "TEXT",
    };

    private static readonly Option<bool> s_verify = new("--verify")
    {
        Description = "Read every file, also those that seem unchanged by size, times and inode, and write every object anew",
    };

    private static readonly Option<FileInfo> s_bootFiles = new Option<FileInfo>("--boot-files")
    {
        Description = "A list of paths that machines keep to recover without network; published as /.ucernvm_pinfiles",
        HelpName = "FILE",
    }.AcceptExistingOnly();

    private static readonly Option<FileInfo> s_workingSets = new Option<FileInfo>("--working-sets")
    {
        Description = "What boots read, as 'breakwater profile export --all FQRN' writes it; it travels with the repository to other sites",
        HelpName = "FILE",
    }.AcceptExistingOnly();

    private static readonly Option<bool> s_crossMounts = new("--cross-mounts")
    {
        Description = "Publish what is mounted in the tree, too; else mount points are published empty",
    };

    private static readonly Option<int> s_catalogEntries = new("--catalog-entries")
    {
        Description = "Entries above which a catalog is divided; default 50000. A directory with a .cvmfscatalog always has its own",
        HelpName = "N",
        DefaultValueFactory = _ => 50_000,
    };

    private static readonly Option<int> s_ttl = new("--ttl")
    {
        Description = "Seconds after which a client asks for a new revision; default 240",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 240,
    };

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        AtLeast(s_catalogEntries, 1000, 10_000_000);
        AtLeast(s_ttl, 10, 86400);
        foreach (Option option in (Option[])[s_tag, s_moves])
        {
            option.Validators.Add(result =>
            {
                if (result.Tokens.FirstOrDefault(token => !Revisions.TagList.IsValid(token.Value)) is { } wrong)
                {
                    result.AddError($"{option.Name}: '{wrong.Value}': {Revisions.TagList.Rule}.");
                }
            });
        }

        Command command = new("publish", "Publish a directory as a repository that CernVM-FS clients read; only what changed is read again")
        {
            s_directory, PublishPlace.Repository, s_tag, s_moves, s_description, s_verify, s_bootFiles, s_workingSets, s_crossMounts,
                s_catalogEntries,
            s_ttl, PublishPlace.Output, PublishPlace.Keys, SettingsFile.Option,
            PublishKeysCommand.Create(), PublishWhitelistCommand.Create(), PublishTagCommand.Create(), PublishListCommand.Create(),
            PublishRollbackCommand.Create(), PublishGcCommand.Create(), PublishCheckCommand.Create(),
        };
        PublishPlace.SetAction(command, RunAsync);
        return command;
    }

    /// <summary>An option that takes the name of a tag.</summary>
    private static Option<string> Tagged(string name, string description) => new(name) { Description = description, HelpName = "TAG" };

    private static void AtLeast(Option<int> option, int least, int most) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0
            && !(int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value)
                && value >= least && value <= most))
        {
            result.AddError($"{option.Name}: '{result.Tokens[0].Value}' is not a number from {least} to {most}.");
        }
    });

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PublishPlace place = PublishPlace.Of(parsed);
        var request = new PublishRequest
        {
            Directory = parsed.GetRequiredValue(s_directory).FullName,
            Fqrn = place.Fqrn,
            Output = place.Folder,
            Keys = place.KeysFolder,
            Tag = parsed.GetValue(s_tag),
            Moves = parsed.GetValue(s_moves) ?? [],
            Description = parsed.GetValue(s_description) ?? "",
            IsVerifying = parsed.GetValue(s_verify),
            WorkingSets = parsed.GetValue(s_workingSets)?.FullName,
            CrossesMounts = parsed.GetValue(s_crossMounts),
            BootFiles = parsed.GetValue(s_bootFiles)?.FullName,
            MaxCatalogEntries = parsed.GetValue(s_catalogEntries),
            Ttl = TimeSpan.FromSeconds(parsed.GetValue(s_ttl)),
            WhitelistValidity = place.WhitelistValidity,
        };
        PublishResult result = await new Publisher(request, TimeProvider.System).RunAsync(cancellationToken);
        PublishView.Show(result, place);
        await StoreDelivery.RunAsync(place, cancellationToken);
        return 0;
    }
}
