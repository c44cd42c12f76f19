using System.CommandLine;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish tag</c>: names a revision, moves a name, takes one away.</summary>
internal static class PublishTagCommand
{
    private static readonly Argument<string> s_name = new("TAG") { Description = "The name" };

    private static readonly Option<string> s_to = new("--to")
    {
        Description = "What it is to name: another tag, or a revision that a tag names; default: the current revision",
        HelpName = "TAG|N",
    };

    private static readonly Option<bool> s_move = new("--move") { Description = "Move it where it names something else now" };
    private static readonly Option<bool> s_remove = new("--remove")
    {
        Description = "Take the name away; its files stay until 'publish gc'",
    };

    private static readonly Option<string> s_description = new("--description") { Description = "What is said of it", HelpName = "TEXT" };

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        s_name.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !TagList.IsValid(result.Tokens[0].Value))
            {
                result.AddError($"'{result.Tokens[0].Value}': {TagList.Rule}.");
            }
        });
        Command command = new("tag", "Name a revision, move a name to another one, or take it away")
        {
            s_name, s_to, s_move, s_remove, s_description,
            PublishPlace.Repository, PublishPlace.Output, PublishPlace.Keys, SettingsFile.Option,
        };
        PublishPlace.SetAction(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PublishPlace place = PublishPlace.Of(parsed);
        string name = parsed.GetRequiredValue(s_name);
        (RepositoryFolder folder, CurrentRepository current) = await place.OpenAsync(cancellationToken);
        using (folder)
        {
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            Tag? known = current.Tags.FirstOrDefault(tag => tag.Name == name);
            IReadOnlyList<Tag> tags;
            string done;
            if (parsed.GetValue(s_remove))
            {
                tags = known is null
                    ? throw new PublishException($"There is no tag {name}; see 'breakwater publish list'.")
                    : [.. current.Tags.Where(tag => tag != known)];
                done = "is taken away";
            }
            else
            {
                Tag target = current.Resolve(parsed.GetValue(s_to) ?? CurrentRepository.Trunk);
                if (known is not null && known.RootCatalog != target.RootCatalog && !parsed.GetValue(s_move))
                {
                    throw new PublishException($"The tag {name} names revision {known.Revision}: move it with --move, "
                        + "or give another name.");
                }

                string description = parsed.GetValue(s_description) ?? known?.Description ?? "";
                tags = TagList.With(current.Tags, name, target, description, Revision.NotBefore(current, now));
                done = $"names revision {target.Revision}";
            }

            folder.Begin();
            Manifest manifest = new RevisionWriter(folder, place.PublishKeys, place.WhitelistValidity)
                .Write(current, Revision.After(current, tags, now));
            folder.End();
            Console.WriteLine($"{place.Fqrn}: the tag {name} {done}. Clients see it with revision {manifest.Revision}.");
        }

        await StoreDelivery.RunAsync(place, cancellationToken);
        return 0;
    }
}
