using System.CommandLine;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish gc</c>: frees the room of revisions that nobody can ask for any more.</summary>
internal static class PublishGcCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        Command command = new("gc", "Remove objects that neither the current revision, nor the one before, nor any tag needs")
        {
            PublishPlace.Repository, PublishPlace.Output, PublishPlace.Keys, SettingsFile.Option,
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
            (long objects, long bytes) = await Garbage.CollectAsync(
                folder, place.PublishKeys, place.WhitelistValidity, current, TimeProvider.System.GetUtcNow(), cancellationToken);
            Console.WriteLine($"{place.Fqrn}: {objects} objects removed ({SeedView.Size(bytes)}).");
        }

        await StoreDelivery.RunAsync(place, cancellationToken);
        return 0;
    }
}
