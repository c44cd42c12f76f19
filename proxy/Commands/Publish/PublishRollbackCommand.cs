using System.CommandLine;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish rollback</c>: an earlier snapshot becomes the current one again.</summary>
internal static class PublishRollbackCommand
{
    private static readonly Argument<string> s_to = new("TAG")
    {
        Description = "The tag, or a revision that a tag names; default: the one before",
        DefaultValueFactory = _ => CurrentRepository.TrunkPrevious,
    };

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        Command command = new("rollback", "Show an earlier snapshot again, as a new revision; tags stay where they are")
        {
            s_to, PublishPlace.Repository, PublishPlace.Output, PublishPlace.Keys, SettingsFile.Option,
        };
        PublishPlace.SetAction(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PublishPlace place = PublishPlace.Of(parsed);
        (RepositoryFolder folder, CurrentRepository current) = await place.OpenAsync(cancellationToken);
        using (folder)
        {
            Tag target = current.Resolve(parsed.GetRequiredValue(s_to));
            Manifest manifest = Rollback.Run(
                folder, place.PublishKeys, place.WhitelistValidity, current, target, TimeProvider.System.GetUtcNow());
            Console.WriteLine($"{place.Fqrn} revision {manifest.Revision} is what {target.Name} (revision {target.Revision}) was.");
        }

        await StoreDelivery.RunAsync(place, cancellationToken);
        return 0;
    }
}
