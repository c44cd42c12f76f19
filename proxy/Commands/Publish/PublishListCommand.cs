using System.CommandLine;
using System.Globalization;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish list</c>: what is published, and under which names.</summary>
internal static class PublishListCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        Command command = new("list", "Show the current revision, its tags and until when clients trust it")
        {
            PublishPlace.Repository, PublishPlace.Output, SettingsFile.Option,
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
            string until = folder.Read(RepositoryFolder.Whitelist) is { } whitelist
                ? $"{WhitelistRenewal.ExpiryOf(whitelist):u}"
                : "never: it has no whitelist";
            Console.WriteLine($"{place.Fqrn} revision {current.Manifest.Revision}, published {current.Manifest.PublishedAt:u}, trusted until {until}");
            foreach (Tag tag in current.Tags.OrderByDescending(tag => tag.CreatedAt).ThenBy(tag => tag.Name, StringComparer.Ordinal))
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{tag.Name,-20} revision {tag.Revision,-6} {tag.CreatedAt:u}  {tag.RootCatalog}  {tag.Description}").TrimEnd());
            }
        }

        return 0;
    }
}
